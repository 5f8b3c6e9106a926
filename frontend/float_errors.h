// Division by zero, overflow and invalid values, which NumPy warns of.
//
// What an operation is watched for is decided when it is recorded: all kinds
// that the user does not ignore then. What an evaluation meets is noted by the
// loops that run it, and told to the language when it is over.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ir/op_table.h"
#include "runtime/base/dtype.h"
#include "runtime/base/float_flags.h"

namespace fuseau {

// Kinds that operations recorded now are watched for.
inline uint8_t float_watch = 0;
// Whether an error of the program's must be seen where it happens, rather than
// in the first runs of a trace, before it is compiled.
inline bool float_errors_matter = false;

// Whether NumPy looks at the flags behind a loop of these types.
bool MayRaiseFloatErrors(ir::OpCode op, DType in, DType out);

// `where` is a word for the operation that lives forever. From any thread.
void NoteFloatErrors(const char* where, uint8_t flags);
// The flags of this thread since they were cleared, as far as they are watched.
inline void CheckFloatErrors(const char* where, uint8_t watched) {
  const uint8_t flags = TestFloatFlags() & watched;
  if (__builtin_expect(flags == 0, true)) return;
  NoteFloatErrors(where, flags);
  ClearFloatFlags();
}

// Tells the language, which may turn an error into an exception.
using FloatErrorHandler = bool (*)(const char* where, int flags);
void SetFloatErrorHandler(FloatErrorHandler handler);
absl::Status ReportFloatErrors();

}  // namespace fuseau

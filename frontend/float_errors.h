// Division by zero, overflow and invalid values, which NumPy warns of.
//
// What an operation is watched for is decided when it is recorded: all kinds
// that the user does not ignore then. What an evaluation meets is noted by the
// loops that run it, and told to the language when it is over. A compiled run
// only leaves flags; what raised them is then looked for (program.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ir/op_table.h"
#include "ir/trace.h"
#include "runtime/base/dtype.h"
#include "runtime/base/float_flags.h"

namespace fuseau {

// Kinds that operations recorded by this thread are watched for. A thread
// starts with NumPy's usual ones.
constinit inline thread_local uint8_t float_watch
    [[gnu::tls_model("initial-exec")]] =
        kDivideFlag | kOverflowFlag | kInvalidFlag;
// Whether each operation is computed when it is recorded, so that its errors
// are seen there.
inline bool float_errors_at_once = false;

// The kinds that NumPy may find behind a loop of these types: FloatFlags.
uint8_t RaisedFloatErrors(ir::OpCode op, DType in, DType out);
// Those of them that a node of a trace is watched for.
uint8_t RaisedFloatErrors(const ir::TraceNode& node);
// Among the kinds that an operation is watched for: NumPy's messages have a
// second word for it, since it is an operator of scalars ("scalar add") or a
// product that `dot` asked for.
inline constexpr uint8_t kSecondWord = 16;

// What operations are watched for while it lives.
class WatchFor {
 public:
  explicit WatchFor(uint8_t kinds) : usual_(float_watch) {
    float_watch = kinds;
  }
  ~WatchFor() { float_watch = usual_; }
  WatchFor(const WatchFor&) = delete;
  WatchFor& operator=(const WatchFor&) = delete;

 private:
  const uint8_t usual_;
};
// The kinds of before, for operations with the second word.
inline uint8_t BySecondWord(bool is = true) {
  return is ? float_watch | kSecondWord : float_watch;
}

// NumPy's word for the operation in its messages.
const char* WordOf(ir::OpCode op, uint8_t watched);

// `where` is a word for the operation that lives forever.
struct FloatErrors {
  const char* where;
  uint8_t flags;
};
// From any thread.
void NoteFloatErrors(const char* where, uint8_t flags);
// Notes each of these kinds for the first operation that could raise it.
void NoteFirstSuspects(absl::Span<const FloatErrors> suspects, uint8_t flags);
// Notes the flags of this thread, as far as they are watched, and clears them.
inline void CheckFloatErrors(const char* where, uint8_t watched) {
  const uint8_t flags = TestFloatFlags();
  if (__builtin_expect(flags == 0, true)) return;
  if ((flags & watched) != 0) NoteFloatErrors(where, flags & watched);
  ClearFloatFlags();
}
// Whether anything is noted.
inline std::atomic<bool> float_errors_noted = false;
// What was noted since it was last taken.
std::vector<FloatErrors> TakeFloatErrors();

// Tells the language, which may turn an error into an exception.
using FloatErrorHandler = bool (*)(const char* where, int flags);
void SetFloatErrorHandler(FloatErrorHandler handler);
absl::Status ReportNotedFloatErrors();
inline absl::Status ReportFloatErrors() {
  if (__builtin_expect(!float_errors_noted.load(std::memory_order_relaxed),
                       true)) {
    return absl::OkStatus();
  }
  return ReportNotedFloatErrors();
}

}  // namespace fuseau

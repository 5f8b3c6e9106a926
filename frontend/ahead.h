// A function of the language as a trace whose inputs are the function's
// arguments: what is compiled ahead of time.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "ir/trace.h"
#include "runtime/ahead/program.h"

namespace fuseau {

// Between BeginAhead and EndAhead. Windows do not end, arrays of zeros are
// recorded rather than made, and what depends on an argument cannot be
// evaluated: that is an error, since nobody knows its value.
inline bool tracing_ahead = false;
// There were such arguments: what was made from them may be left over.
inline bool traced_ahead = false;
// The error that says so.
absl::Status NeedsArgument();

// Computes what is pending before.
absl::Status BeginAhead();
void EndAhead();

// A dense array in C order that stands for an argument.
absl::Status AheadArgument(DType dtype, absl::Span<const int64_t> shape,
                           Array* out);

struct AheadTrace {
  ir::Trace trace;
  runtime::VariantBody body;
};

// The trace of the results, and of the new elements of arguments that were
// written to. `arguments` are those that AheadArgument made since BeginAhead,
// in that order. The bytes of arrays that depend on no argument are added to
// `constants`.
absl::StatusOr<AheadTrace> TraceAhead(absl::Span<const Array* const> arguments,
                                      absl::Span<const Array* const> results,
                                      std::string* constants);

}  // namespace fuseau

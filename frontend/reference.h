// The meaning of a trace, one node after the other: slow and obvious. Tests
// hold the interpreter and compiled code against it.
#pragma once

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ir/trace.h"
#include "runtime/executor.h"

namespace fuseau {

// Buffers and numbers in the order of the trace's inputs and scalars. Ufuncs
// are computed by NumPy's loops, as registered in runtime/inner_loops.h.
absl::Status EvaluateReference(const ir::Trace& trace,
                               absl::Span<const runtime::BufferRef> inputs,
                               absl::Span<const runtime::ScalarValue> scalars,
                               const std::atomic<bool>* cancel,
                               std::vector<runtime::BufferRef>* outputs);

}  // namespace fuseau

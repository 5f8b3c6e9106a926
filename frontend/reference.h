// The meaning of a trace, one node after the other, without a compiler: slow
// and obvious. Used with FUSEAU_JIT=0, where a trace cannot be compiled, and by
// tests, which hold compiled code against it.
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

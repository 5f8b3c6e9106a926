// From a trace to a plan.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "ir/trace.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

// Runs the passes on the trace and compiles, or fetches, its kernels. May be
// called from any thread; one compile runs at a time.
absl::StatusOr<std::shared_ptr<const runtime::Plan>> CompileTrace(
    const ir::Trace& trace);

}  // namespace fuseau::codegen

// From a trace to a plan whose launches have kernels for a GPU.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/gpu/kernel_cache.h"
#include "ir/trace.h"
#include "runtime/plan.h"

namespace fuseau::codegen::gpu {

// As codegen::CompileTrace, but no step lags, sweeps or advances in bands, and
// each launch that a GPU can do has `gpu`; the others, and routines, are for
// the processor. Every launch has a kernel for the processor, too. An error if
// there is no compiler for the target. May be called from any thread.
absl::StatusOr<std::shared_ptr<const runtime::Plan>> CompileTraceForGpu(
    const ir::Trace& trace, const GpuTarget& target);

}  // namespace fuseau::codegen::gpu

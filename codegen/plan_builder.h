// From the outlined module to the runtime's plan.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/kernel_source.h"
#include "ir/mlir_pch.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

namespace gpu {
class GpuKernelCache;
}

// The nodes of the trace that a location names, in order, if the trace was
// imported with places.
std::vector<int32_t> NodesOf(mlir::Location location);

// Reads the steps of a module that went through all passes. With a second
// cache, launches that a GPU can do have a kernel for it as well.
absl::StatusOr<std::shared_ptr<runtime::Plan>> BuildPlan(
    mlir::ModuleOp module, KernelSource& kernels,
    gpu::GpuKernelCache* gpu_kernels = nullptr);

// From an imported trace: all passes, BuildPlan with the kernel cache of the
// process, and, but for a GPU, tiling in time.
absl::StatusOr<std::shared_ptr<runtime::Plan>> PlanOf(
    mlir::ModuleOp module, gpu::GpuKernelCache* gpu_kernels = nullptr);

}  // namespace fuseau::codegen

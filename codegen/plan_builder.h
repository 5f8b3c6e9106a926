// From the outlined module to the runtime's plan.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/kernel_cache.h"
#include "ir/mlir_pch.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

// The nodes of the trace that a location names, in order, if the trace was
// imported with places.
std::vector<int32_t> NodesOf(mlir::Location location);

// Reads the steps of a module that went through all passes; its kernels come
// from the cache, compiled when they are new.
absl::StatusOr<std::shared_ptr<runtime::Plan>> BuildPlan(mlir::ModuleOp module,
                                                         KernelCache& kernels);

// From an imported trace: all passes, BuildPlan, and tiling in time.
absl::StatusOr<std::shared_ptr<runtime::Plan>> PlanOf(mlir::ModuleOp module);

}  // namespace fuseau::codegen

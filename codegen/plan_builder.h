// From the outlined module to the runtime's plan.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/kernel_source.h"
#include "ir/mlir_pch.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

// Reads the steps of a module that went through all passes.
absl::StatusOr<std::shared_ptr<runtime::Plan>> BuildPlan(mlir::ModuleOp module,
                                                         KernelSource& kernels);

// From an imported trace: all passes, BuildPlan with the kernel cache of the
// process, and tiling in time.
absl::StatusOr<std::shared_ptr<runtime::Plan>> PlanOf(mlir::ModuleOp module);

}  // namespace fuseau::codegen

// The passes from the recorded operations to a plan of kernels.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ir/mlir_pch.h"

namespace fuseau::passes {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/passes.h.inc"

// What the kernels are for. A GPU runs all points of a nest at once: for it no
// update lags, and nothing is tiled for a cache.
enum class Device { kCpu, kGpu };

// Runs all passes, in order, on a module made by ir::ImportTrace. What
// FUSEAU_DISABLE names is left out or done in its simplest form; FUSEAU_DUMP
// and FUSEAU_VERIFY act on each stage (passes/README.md).
absl::Status RunPipeline(mlir::ModuleOp module, Device device = Device::kCpu);

// Whether FUSEAU_DISABLE names this stage.
bool IsDisabled(absl::string_view stage);

}  // namespace fuseau::passes

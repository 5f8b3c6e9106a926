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

struct PipelineOptions {
  Device device = Device::kCpu;
  // Nothing is decided by what caches hold: neither tiles nor stores past the
  // caches. So the plans of all sizes are alike.
  bool any_size = false;
};

// Runs all passes, in order, on a module made by ir::ImportTrace. What
// FUSEAU_DISABLE names is left out or done in its simplest form; FUSEAU_DUMP
// and FUSEAU_VERIFY act on each stage (passes/README.md).
absl::Status RunPipeline(mlir::ModuleOp module, PipelineOptions options = {});

// Whether FUSEAU_DISABLE names this stage.
bool IsDisabled(absl::string_view stage);

}  // namespace fuseau::passes

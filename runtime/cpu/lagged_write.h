// In-place writes whose kernel reads other old elements of the same buffer.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/cpu/launch.h"

namespace fuseau::runtime {

// Zeros mean that the executor decides; tests set them.
struct LaggedTuning {
  int64_t chunks = 0;     // pieces that run side by side
  int64_t tile_rows = 0;  // rows of one kernel call
  // Steps of dimension 1 in one kernel call, where rows can be computed in
  // pieces.
  int64_t piece_lines = 0;
  bool whole = false;  // all results to scratch, then back
};

// Runs a launch with one LaggedWrite. See runtime/README.md for the scheme.
absl::Status RunLagged(const Launch& launch, const Arguments& args,
                       const RunContext& context,
                       const LaggedTuning& tuning = {});

}  // namespace fuseau::runtime

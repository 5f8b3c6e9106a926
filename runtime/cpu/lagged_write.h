// In-place writes whose kernel reads other old elements of the same buffer.
#pragma once

#include "absl/status/status.h"
#include "runtime/cpu/lagged_sweep.h"
#include "runtime/cpu/launch.h"

namespace fuseau::runtime {

// Runs a launch with one LaggedWrite. See runtime/README.md for the scheme.
absl::Status RunLagged(const Launch& launch, const Arguments& args,
                       const RunContext& context,
                       const LaggedTuning& tuning = {});

}  // namespace fuseau::runtime

// Launches that run tile by tile.
#pragma once

#include <vector>

#include "runtime/cpu/launch.h"

namespace fuseau::runtime {

struct SweepLaunch {
  const Launch* launch;
  Arguments args;  // addresses of tile buffers are not set
  int64_t first;   // row 0 of the launch is this row of the sweep
};

absl::Status RunTiles(const Sweep& sweep,
                      const std::vector<SweepLaunch>& launches,
                      const RunContext& context);

}  // namespace fuseau::runtime

// Launches that advance together.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "runtime/cpu/launch.h"

namespace fuseau::runtime {

// A member of a BandGroup with its addresses.
struct BoundLaunch {
  const Launch* launch;
  Arguments args;
};

// Whether the pool's threads find enough to do in the group. Each launch of a
// group runs on one thread at a time.
bool BandsSuit(const BandGroup& group, const RunContext& context);

// Runs the launches of a group band by band. See runtime/README.md.
absl::Status RunBands(const BandGroup& group,
                      const std::vector<BoundLaunch>& launches,
                      const RunContext& context);

}  // namespace fuseau::runtime

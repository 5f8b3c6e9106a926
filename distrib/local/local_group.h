// Ranks that are threads of one process, for tests.
#pragma once

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "distrib/group.h"

namespace fuseau::distrib {

// One group for each rank. Each is used and destroyed by a thread of its own:
// the end of a group waits for that of the others, for a short time. Messages
// are `delay` under way, as on a slow link.
std::vector<std::unique_ptr<Group>> MakeLocalGroups(
    int size, absl::Duration delay = absl::ZeroDuration());

// To all other ranks, `rank` (of the job that `group` is a rank of) is lost, as
// if its process had been killed.
void LoseLocalRank(Group& group, int rank);

}  // namespace fuseau::distrib

// The job of many ranks that the environment of this process tells of.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fuseau {

// Joins the job as a rank that runs the program. Tells whether there is one.
absl::StatusOr<bool> JoinJob();
// Lets the other ranks go. With `fetch`, what they hold comes here first.
absl::Status LeaveJob(bool fetch);

// Joins the job as a rank that does what rank 0 commands, until that leaves.
absl::Status ServeJob();

struct LostRank {
  int rank = -1;
  std::string host;
  std::string phase;
};
// If the status tells that a rank was lost.
std::optional<LostRank> LostRankOf(const absl::Status& status);

}  // namespace fuseau

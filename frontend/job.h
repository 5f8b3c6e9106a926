// The job of many ranks that the environment of this process tells of.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fuseau {

using Variables = std::map<std::string, std::string>;

// Joins the job as a rank that runs the program. Tells whether there is one.
// What is given comes before the environment: a job that this process has made
// itself is no matter of processes that it starts.
absl::StatusOr<bool> JoinJob(const Variables& given);
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

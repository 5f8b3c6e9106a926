// The statuses that groups of ranks give.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

// What a rank does when it learns that another one is lost: the third field of
// kRankFailurePayload.
enum class Phase : unsigned char {
  kBootstrap,
  kIdle,  // between runs: waits for a command, or computes
  kCommand,
  kTransfer,
  kAgreement,
};
absl::string_view PhaseName(Phase phase);

// Rank `rank` is lost: Unavailable, with the payload kRankFailurePayload.
// `what` says why, as in "its process ended".
absl::Status RankFailure(int rank, absl::string_view host, Phase phase,
                         absl::string_view what);

// The status of a run that failed on `rank`, which its message names. A status
// that came from another rank stays as it is.
absl::Status FromRank(int rank, const absl::Status& status);
// That rank.
std::optional<int> OriginOf(const absl::Status& status);

}  // namespace fuseau::distrib

#include "distrib/failure.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "distrib/group.h"

namespace fuseau::distrib {
namespace {

// Marks a status whose message names the rank that it comes from.
constexpr char kOriginPayload[] = "fuseau/origin_rank";

}  // namespace

absl::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kBootstrap:
      return "bootstrap";
    case Phase::kIdle:
      return "idle";
    case Phase::kCommand:
      return "command";
    case Phase::kTransfer:
      return "transfer";
    case Phase::kAgreement:
      return "agreement";
  }
  return "";
}

absl::Status RankFailure(int rank, absl::string_view host, Phase phase,
                         absl::string_view what) {
  absl::Status status = absl::UnavailableError(
      absl::StrCat("rank ", rank, " on ", host, " is lost (", PhaseName(phase),
                   "): ", what));
  status.SetPayload(kRankFailurePayload,
                    absl::Cord(absl::string_view(absl::StrCat(
                        rank, "\t", host, "\t", PhaseName(phase)))));
  return status;
}

absl::Status FromRank(int rank, const absl::Status& status) {
  if (status.ok() || status.GetPayload(kOriginPayload).has_value()) {
    return status;
  }
  absl::Status named(status.code(),
                     absl::StrCat("rank ", rank, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    named.SetPayload(url, value);
  });
  named.SetPayload(kOriginPayload,
                   absl::Cord(absl::string_view(absl::StrCat(rank))));
  return named;
}

std::optional<int> OriginOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kOriginPayload);
  int rank = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &rank)) {
    return std::nullopt;
  }
  return rank;
}

}  // namespace fuseau::distrib

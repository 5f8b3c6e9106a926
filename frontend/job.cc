#include "frontend/job.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "distrib/environment.h"
#include "distrib/join.h"
#include "frontend/evaluate.h"
#include "frontend/evaluation_lock.h"
#include "frontend/host.h"
#include "frontend/rank_worker.h"
#include "frontend/ranks.h"
#include "frontend/thread_ranks.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// What the environment tells of, and the group; null if there is none.
struct Joined {
  distrib::JoinOptions options;
  std::unique_ptr<distrib::Group> group;
};

absl::StatusOr<Joined> JoinGroup(const Variables& given = {}) {
  Joined joined;
  const auto lookup = [&](const char* name) -> const char* {
    const auto it = given.find(name);
    return it != given.end() ? it->second.c_str() : std::getenv(name);
  };
  FUSEAU_ASSIGN_OR_RETURN(auto options, distrib::ReadEnvironment(lookup));
  if (!options.has_value()) return joined;
  joined.options = *options;
  const Released released;
  FUSEAU_ASSIGN_OR_RETURN(joined.group, distrib::Join(joined.options));
  return joined;
}

}  // namespace

absl::StatusOr<bool> JoinJob(const Variables& given) {
  if (Ranks::active() != nullptr) {
    return PythonError("ValueError", "this process belongs to a job already");
  }
  if (const int64_t threads = SettingInt("FUSEAU_THREAD_RANKS", 0)) {
    FUSEAU_RETURN_IF_ERROR(EvaluateAll());
    JoinThreadRanks(static_cast<int>(threads));
    return Ranks::active() != nullptr;
  }
  FUSEAU_ASSIGN_OR_RETURN(Joined joined, JoinGroup(given));
  if (joined.group == nullptr) return false;
  const bool spmd = joined.options.spmd;
  if (joined.group->rank() != 0 && !spmd) {
    return PythonError("ValueError",
                       absl::StrCat("rank ", joined.group->rank(),
                                    " runs no program of its own: it is to run "
                                    "python -m fuseau._worker"));
  }
  FUSEAU_RETURN_IF_ERROR(EvaluateAll());
  Ranks::Join(std::move(joined.group),
              spmd ? Ranks::Mode::kSpmd : Ranks::Mode::kController);
  Ranks* const ranks = Ranks::active();
  if (ranks == nullptr) return false;
  absl::Status status;
  {
    const EvaluationLock lock;
    status = ranks->ShareLimits();
  }
  if (!status.ok()) {
    Ranks::Leave().IgnoreError();
    return status;
  }
  return true;
}

absl::Status LeaveJob(bool fetch) {
  if (Ranks::active() == nullptr) return absl::OkStatus();
  if (fetch) {
    FUSEAU_RETURN_IF_ERROR(EvaluateAll());
    FUSEAU_RETURN_IF_ERROR(FetchAllAway());
  }
  const absl::Status status = Ranks::Leave();
  const Released released;
  AwaitThreadRanks();
  return status;
}

absl::Status ServeJob() {
  FUSEAU_ASSIGN_OR_RETURN(Joined joined, JoinGroup());
  if (joined.group == nullptr) {
    return PythonError("ValueError",
                       "the environment tells of no job to serve");
  }
  const Released released;
  const absl::Status status = RankWorker(joined.group.get()).Serve();
  joined.group.reset();
  return status;
}

std::optional<LostRank> LostRankOf(const absl::Status& status) {
  auto payload = status.GetPayload(distrib::kRankFailurePayload);
  if (!payload.has_value()) return std::nullopt;
  std::vector<std::string> parts =
      absl::StrSplit(std::string(payload->Flatten()), '\t');
  parts.resize(3);
  LostRank lost;
  if (!absl::SimpleAtoi(parts[0], &lost.rank)) lost.rank = -1;
  lost.host = parts[1];
  lost.phase = parts[2];
  return lost;
}

}  // namespace fuseau

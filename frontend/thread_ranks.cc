#include "frontend/thread_ranks.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "distrib/local/local_group.h"
#include "frontend/rank_worker.h"
#include "frontend/ranks.h"
#include "runtime/base/log.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"

namespace fuseau {
namespace {

std::vector<std::thread>& Threads() {
  static auto* const threads = new std::vector<std::thread>;
  return *threads;
}

}  // namespace

void JoinThreadRanks(int ranks) {
  auto groups = distrib::MakeLocalGroups(
      ranks, absl::Microseconds(SettingInt("FUSEAU_THREAD_DELAY_US", 0)));
  for (int r = 1; r < ranks; ++r) {
    Threads().emplace_back([r, group = std::move(groups[r])]() mutable {
      profile::SetRankOfThread(r);
      const absl::Status status = RankWorker(group.get()).Serve();
      if (!status.ok()) {
        LogWarning(absl::StrCat("rank ", r, ": ", status.ToString()));
      }
      group.reset();
    });
  }
  Ranks::Join(std::move(groups[0]), Ranks::Mode::kController);
}

void AwaitThreadRanks() {
  for (std::thread& thread : Threads()) thread.join();
  Threads().clear();
}

}  // namespace fuseau

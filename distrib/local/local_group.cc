#include "distrib/local/local_group.h"

#include <unistd.h>

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "distrib/alarm.h"
#include "distrib/control.h"
#include "distrib/local/mailboxes.h"
#include "distrib/rank_group.h"

namespace fuseau::distrib {
namespace {

// The alarms of all ranks that are still there.
struct Board {
  std::mutex mutex;
  std::map<int, Alarm*> alarms;

  template <typename Tell>
  void TellOthers(int rank, Tell tell) {
    std::lock_guard<std::mutex> lock(mutex);
    for (const auto& [other, alarm] : alarms) {
      if (other != rank) tell(*alarm);
    }
  }
};

class LocalControl : public Control {
 public:
  LocalControl(std::shared_ptr<Board> board, int rank, Alarm* alarm)
      : board_(std::move(board)), rank_(rank) {
    board_->alarms[rank] = alarm;
  }
  ~LocalControl() override {
    if (!left_) Lose(rank_, "its group ended");
    std::lock_guard<std::mutex> lock(board_->mutex);
    board_->alarms.erase(rank_);
  }
  void Fail(uint64_t run, const absl::Status& why) override {
    board_->TellOthers(rank_, [&](Alarm& alarm) { alarm.RunFailed(run, why); });
  }
  void Lose(int rank, absl::string_view what) override {
    board_->TellOthers(rank, [&](Alarm& alarm) { alarm.RankLost(rank, what); });
  }
  void Leave() override {
    left_ = true;
    board_->TellOthers(rank_, [&](Alarm& alarm) { alarm.RankLeft(rank_); });
  }

 private:
  const std::shared_ptr<Board> board_;
  const int rank_;
  bool left_ = false;
};

}  // namespace

std::vector<std::unique_ptr<Group>> MakeLocalGroups(int size,
                                                    absl::Duration delay) {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const bool crowded =
      size > static_cast<int>(std::thread::hardware_concurrency());
  const auto boxes = std::make_shared<std::vector<Mailbox>>(size);
  const auto board = std::make_shared<Board>();
  std::vector<std::unique_ptr<Group>> groups;
  for (int rank = 0; rank < size; ++rank) {
    auto alarm = std::make_unique<Alarm>(std::vector<std::string>(size, host));
    auto transport = std::make_unique<LocalTransport>(boxes, rank, delay);
    auto control = std::make_unique<LocalControl>(board, rank, alarm.get());
    groups.push_back(std::make_unique<RankGroup>(
        RankGroup::Options{rank, crowded}, std::move(alarm),
        std::move(transport), std::move(control)));
  }
  return groups;
}

void LoseLocalRank(Group& group, int rank) {
  static_cast<RankGroup&>(group).control().Lose(rank, "a test ended it");
}

}  // namespace fuseau::distrib

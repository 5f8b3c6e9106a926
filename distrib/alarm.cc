#include "distrib/alarm.h"

#include <algorithm>
#include <utility>

#include "distrib/clock.h"

namespace fuseau::distrib {
namespace {

// What a rank sent before it left arrives within this time: the word that it
// left takes another way and may be faster.
constexpr absl::Duration kLastMessages = absl::Milliseconds(300);

}  // namespace

void Alarm::SetWake(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

void Alarm::Raise() {
  raised_.store(true, std::memory_order_release);
  if (wake_) wake_();
}

void Alarm::RankLost(int rank, absl::string_view what) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!loss_.ok()) return;
  loss_ = RankFailure(rank, hosts_[rank],
                      phase_.load(std::memory_order_relaxed), what);
  Raise();
}

void Alarm::RankLeft(int rank) {
  std::lock_guard<std::mutex> lock(mutex_);
  left_.insert(rank);
  last_departure_ = Now();
  Raise();
}

void Alarm::RunFailed(uint64_t run, const absl::Status& why) {
  std::lock_guard<std::mutex> lock(mutex_);
  // A rank may be one run ahead of us, but only once all have come to the end
  // of ours: the failure of the later run replaces that of the earlier one.
  if (!run_failure_.ok() && run <= failed_run_) return;
  failed_run_ = run;
  run_failure_ = why;
  Raise();
}

void Alarm::Disown() {
  disowned_.store(true, std::memory_order_release);
  raised_.store(true, std::memory_order_release);
}

absl::Status Alarm::Loss() const {
  if (!raised()) return absl::OkStatus();
  if (disowned()) {
    return absl::FailedPreconditionError(
        "this process was forked by a rank; the other ranks work with its "
        "parent only");
  }
  std::lock_guard<std::mutex> lock(mutex_);
  return loss_;
}

absl::Status Alarm::RunFailure(uint64_t run) const {
  if (!raised() || disowned()) return absl::OkStatus();
  std::lock_guard<std::mutex> lock(mutex_);
  return run == failed_run_ ? run_failure_ : absl::OkStatus();
}

std::optional<int> Alarm::Departed(absl::Time since) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (left_.empty() ||
      Now() < std::max(since, last_departure_) + kLastMessages) {
    return std::nullopt;
  }
  return *left_.begin();
}

bool Alarm::AllLeft() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return left_.size() + 1 >= hosts_.size();
}

void Alarm::BeginRun(uint64_t run) {
  if (!raised() || disowned()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (failed_run_ < run) run_failure_ = absl::OkStatus();
  if (loss_.ok() && left_.empty() && run_failure_.ok()) {
    raised_.store(false, std::memory_order_release);
  }
}

}  // namespace fuseau::distrib

// What a rank knows of troubles on the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "distrib/failure.h"

namespace fuseau::distrib {

// Raised by the thread that watches the other ranks; the thread that works with
// the group looks at it between two looks for messages. All functions may be
// called by any thread.
class Alarm {
 public:
  explicit Alarm(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {}

  // `wake` is called at each event: it ends the sleep of the thread that waits
  // for messages. Empty again before its owner goes.
  void SetWake(std::function<void()> wake);

  // For good. The first loss counts.
  void RankLost(int rank, absl::string_view what);
  // The rank ended in order. Only who waits for it from now on has a failure.
  void RankLeft(int rank);
  // The run is over: somebody failed in it.
  void RunFailed(uint64_t run, const absl::Status& why);
  // This process is a child of fork: the ranks are its parent's. Takes no lock,
  // since a thread that the child does not have may hold it.
  void Disown();

  // False as long as nothing has happened: one load.
  bool raised() const { return raised_.load(std::memory_order_acquire); }
  bool disowned() const { return disowned_.load(std::memory_order_acquire); }

  absl::Status Loss() const;
  absl::Status RunFailure(uint64_t run) const;
  // A rank that has left, if what it sent before must have come by now to who
  // waits since `since`.
  std::optional<int> Departed(absl::Time since) const;
  bool AllLeft() const;

  // Earlier runs are over; what is known of them is forgotten.
  void BeginRun(uint64_t run);

  void SetPhase(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }
  int size() const { return static_cast<int>(hosts_.size()); }
  const std::string& host(int rank) const { return hosts_[rank]; }

 private:
  void Raise();  // with the lock held

  const std::vector<std::string> hosts_;
  std::atomic<bool> raised_{false};
  std::atomic<bool> disowned_{false};
  std::atomic<Phase> phase_{Phase::kIdle};
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  absl::Status loss_;
  uint64_t failed_run_ = 0;
  absl::Status run_failure_;
  std::set<int> left_;
  absl::Time last_departure_;
};

}  // namespace fuseau::distrib

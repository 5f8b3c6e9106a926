// The thread that compiles, so that nobody needs to wait who has other means.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "ir/trace.h"
#include "runtime/plan.h"

namespace fuseau {

// One compile runs at a time, in the order of requests but for those that
// somebody waits for. The
// thread starts with the first request. A fork waits for the one that runs, and
// the child goes on with the others on a thread of its own.
class CompileQueue {
 public:
  using PlanPtr = std::shared_ptr<const runtime::Plan>;
  using Compile = std::function<absl::StatusOr<PlanPtr>(const ir::Trace&)>;

  class Job {
   public:
    bool done() const { return done_.load(std::memory_order_acquire); }
    // Once it is done.
    const absl::StatusOr<PlanPtr>& plan() const { return plan_; }

   private:
    friend class CompileQueue;
    ir::Trace trace_;
    int32_t lines_ = 0;  // that recorded it, if a profile runs
    absl::StatusOr<PlanPtr> plan_ = absl::UnknownError("not compiled yet");
    std::atomic<bool> done_{false};
  };
  using JobPtr = std::shared_ptr<Job>;

  // The queue of the process, which is never destroyed. It must be stopped
  // before `exit` destroys the compiler's static objects: no exit handler of
  // ours is sure to come before those.
  static CompileQueue& Global();

  explicit CompileQueue(Compile compile);
  ~CompileQueue();
  CompileQueue(const CompileQueue&) = delete;
  CompileQueue& operator=(const CompileQueue&) = delete;

  // The plan is Unavailable when there is no memory or no thread to make it.
  JobPtr Add(ir::Trace trace);
  // Lets the job be the next one and waits until it is done, until `cancel`
  // becomes true, or for so many seconds. Tells whether it is done.
  bool Wait(const JobPtr& job, const std::atomic<bool>* cancel, double seconds);
  // What the next compile is likely to take: as the latest ones did. The first
  // of a process loads and starts the compiler.
  double ExpectedSeconds() const;

  // Finishes the compile that runs and drops the others.
  void Stop();

  // Around a fork, in the parent and in the child.
  void BeforeFork();
  void AfterFork(bool child);

 private:
  struct State;

  static void* ThreadMain(void* queue);
  void Start();

  std::unique_ptr<State> state_;
};

}  // namespace fuseau

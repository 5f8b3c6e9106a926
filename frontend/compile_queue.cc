#include "frontend/compile_queue.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <utility>

#include "codegen/compiler.h"
#include "runtime/base/log.h"
#include "runtime/base/profile.h"
#include "runtime/cpu/machine.h"

namespace fuseau {
namespace {

// How often somebody who waits looks whether to go on.
constexpr std::chrono::milliseconds kGlance(10);
// What the first compile takes, about, and how much each one tells of the next.
constexpr double kFirstSeconds = 20e-3;
constexpr double kWeight = 0.3;

}  // namespace

struct CompileQueue::State {
  Compile compile;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<JobPtr> jobs;
  JobPtr running;
  bool started = false;
  bool stopped = false;
  bool forking = false;  // no compile begins
  std::atomic<double> expected_seconds{kFirstSeconds};
  pthread_t thread;
};

CompileQueue& CompileQueue::Global() {
  static auto* const queue = [] {
    auto* made = new CompileQueue(codegen::CompileTrace);
    pthread_atfork([] { Global().BeforeFork(); },
                   [] { Global().AfterFork(false); },
                   [] { Global().AfterFork(true); });
    return made;
  }();
  return *queue;
}

CompileQueue::CompileQueue(Compile compile) : state_(new State) {
  state_->compile = std::move(compile);
}

CompileQueue::~CompileQueue() { Stop(); }

// Signals are for the threads of the program.
void CompileQueue::Start() {
  State& s = *state_;
  if (runtime::AddressRoom() < runtime::kWorkingRoom) return;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  s.started = pthread_create(&s.thread, nullptr, ThreadMain, this) == 0;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void* CompileQueue::ThreadMain(void* queue) {
  profile::NameThread("compiler");
  State& s = *static_cast<CompileQueue*>(queue)->state_;
  std::unique_lock<std::mutex> lock(s.mutex);
  for (;;) {
    s.changed.wait(
        lock, [&] { return s.stopped || (!s.forking && !s.jobs.empty()); });
    if (s.stopped) return nullptr;
    s.running = std::move(s.jobs.front());
    s.jobs.pop_front();
    Job* job = s.running.get();
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    {
      profile::Scope scope(profile::Kind::kCompile, "compile");
      scope.event().number = job->trace_.nodes.size();
      scope.event().lines = job->lines_;
      job->plan_ = runtime::AddressRoom() < runtime::kWorkingRoom
                       ? absl::UnavailableError("there is no memory to compile")
                       : s.compile(job->trace_);
    }
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begin;
    s.expected_seconds =
        s.expected_seconds * (1 - kWeight) + took.count() * kWeight;
    job->trace_ = ir::Trace();
    job->done_.store(true, std::memory_order_release);
    lock.lock();
    s.running.reset();
    s.changed.notify_all();
  }
}

CompileQueue::JobPtr CompileQueue::Add(ir::Trace trace) {
  State& s = *state_;
  auto job = std::make_shared<Job>();
  job->trace_ = std::move(trace);
  job->lines_ = profile::CurrentOfThread().lines;
  std::lock_guard<std::mutex> lock(s.mutex);
  if (!s.started && !s.stopped) Start();
  if (!s.started || s.stopped) {
    job->plan_ = absl::UnavailableError("there is no thread to compile");
    job->done_.store(true, std::memory_order_release);
    return job;
  }
  s.jobs.push_back(job);
  s.changed.notify_all();
  return job;
}

bool CompileQueue::Wait(const JobPtr& job, const std::atomic<bool>* cancel,
                        double seconds) {
  State& s = *state_;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::unique_lock<std::mutex> lock(s.mutex);
  auto it = std::find(s.jobs.begin(), s.jobs.end(), job);
  if (it != s.jobs.end()) std::rotate(s.jobs.begin(), it, it + 1);
  if (!s.started && !s.stopped) Start();  // the first in a child of fork
  while (!job->done() && !s.stopped) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) break;
    if (std::chrono::steady_clock::now() >= end) break;
    s.changed.wait_for(lock, kGlance);
  }
  return job->done();
}

double CompileQueue::ExpectedSeconds() const {
  return state_->expected_seconds;
}

void CompileQueue::Stop() {
  State& s = *state_;
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    if (std::exchange(s.stopped, true) || !s.started) return;
    s.jobs.clear();
    s.changed.notify_all();
  }
  pthread_join(s.thread, nullptr);
}

void CompileQueue::BeforeFork() {
  State& s = *state_;
  std::unique_lock<std::mutex> lock(s.mutex);
  s.forking = true;
  s.changed.wait(lock, [&] { return s.running == nullptr; });
  lock.release();  // AfterFork unlocks it
}

void CompileQueue::AfterFork(bool child) {
  State& s = *state_;
  s.forking = false;
  if (child) {
    // The thread does not exist here, nor does who waited.
    s.started = false;
    new (&s.changed) std::condition_variable;
    new (&s.mutex) std::mutex;
    return;
  }
  s.changed.notify_all();
  s.mutex.unlock();
}

}  // namespace fuseau

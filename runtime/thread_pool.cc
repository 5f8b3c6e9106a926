#include "runtime/thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <vector>

#include "runtime/base/float_flags.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/cpu/machine.h"
#include "runtime/cpu/pause.h"

namespace fuseau::runtime {
namespace {

constexpr int kMaxThreads = 1024;
// Chunks of one batch; the ticket has 32 bits for them.
constexpr int64_t kMaxBatch = int64_t{1} << 30;

thread_local bool inside_chunk = false;

void FutexWait(std::atomic<uint32_t>* word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAIT_PRIVATE,
          expected, nullptr, nullptr, 0);
}

void FutexWake(std::atomic<uint32_t>* word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAKE_PRIVATE,
          count, nullptr, nullptr, 0);
}

// Spins until `done()` or until the time is over; whether it was done.
template <typename Done>
bool SpinUntil(int64_t nanoseconds, Done done) {
  if (done()) return true;
  if (nanoseconds <= 0) return false;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(nanoseconds);
  do {
    for (int i = 0; i < 16; ++i) {
      Pause();
      if (done()) return true;
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

// A launch ("job") is published by a new ticket. The slots of four launches
// take turns, so that a worker which still looks at an old ticket never finds
// its slot half written and then succeeds: by the time the slot is used again
// the ticket's epoch is another one, and the worker's exchange fails.
struct ThreadPool::State {
  struct Job {
    absl::FunctionRef<void(int64_t)>* chunk = nullptr;
    int64_t first = 0;
    std::atomic<uint32_t> total{0};
    alignas(64) std::atomic<uint32_t> left{0};
    std::atomic<uint32_t> caller_sleeps{0};
    std::atomic<uint8_t> float_flags{0};  // of the workers
  };

  alignas(64) std::atomic<uint64_t> ticket{0};      // epoch << 32 | next chunk
  alignas(64) std::atomic<uint32_t> generation{0};  // workers sleep on it
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  alignas(64) Job jobs[4];
  // Whether some thread is launching, or changing the workers.
  alignas(64) std::atomic<bool> busy{false};
  bool workers_started = false;
  std::vector<pthread_t> workers;
  int64_t spin_nanoseconds = 0;

  // Takes and runs one chunk. False when there is none.
  bool Step(bool worker) {
    uint64_t t = ticket.load(std::memory_order_acquire);
    Job& job = jobs[(t >> 32) & 3];
    const uint32_t next = static_cast<uint32_t>(t);
    if (next >= job.total.load(std::memory_order_relaxed)) return false;
    if (!ticket.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel)) {
      return true;
    }
    (*job.chunk)(job.first + next);
    if (worker) HandOverFlags(&job);
    // The job is over for the caller once `left` is 0; what follows touches
    // only the pool's own memory.
    if (job.left.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
        job.caller_sleeps.load(std::memory_order_seq_cst) != 0) {
      FutexWake(&job.left, 1);
    }
    return true;
  }

  // A worker's own flags are clear between chunks.
  static void HandOverFlags(Job* job) {
    const uint8_t flags = TestFloatFlags();
    if (__builtin_expect(flags == 0, true)) return;
    job->float_flags.fetch_or(flags, std::memory_order_relaxed);
    ClearFloatFlags();
  }

  void Work() {
    inside_chunk = true;
    ClearFloatFlags();
    for (;;) {
      const uint32_t seen = generation.load(std::memory_order_acquire);
      while (Step(/*worker=*/true)) {
      }
      if (stop.load(std::memory_order_acquire)) return;
      auto changed = [&] {
        return generation.load(std::memory_order_acquire) != seen;
      };
      if (SpinUntil(spin_nanoseconds, changed)) continue;
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      while (!changed()) FutexWait(&generation, seen);
      sleepers.fetch_sub(1, std::memory_order_relaxed);
    }
  }
};

ThreadPool& ThreadPool::Global() {
  // Never destroyed, since other threads may still launch at exit; its workers
  // are ended by a handler.
  static ThreadPool* const pool = [] {
    int64_t threads = SettingInt("FUSEAU_NUM_THREADS", 0);
    if (threads <= 0) threads = AvailableCpus();
    auto* p = new ThreadPool(
        static_cast<int>(std::min<int64_t>(threads, kMaxThreads)));
    std::atexit([] { Global().ShutDown(); });
    // A child has none of its parent's threads.
    pthread_atfork(nullptr, nullptr, [] { Global().ForgetWorkers(); });
    return p;
  }();
  return *pool;
}

ThreadPool::ThreadPool(int threads)
    : threads_(std::clamp(threads, 1, kMaxThreads)),
      state_(std::make_unique<State>()) {}

ThreadPool::~ThreadPool() { StopWorkers(); }

void ThreadPool::SetThreadCount(int threads) {
  while (state_->busy.exchange(true, std::memory_order_acquire)) sched_yield();
  StopWorkers();
  threads_.store(std::clamp(threads, 1, kMaxThreads),
                 std::memory_order_relaxed);
  state_->busy.store(false, std::memory_order_release);
}

void* ThreadPool::WorkerMain(void* state) {
  pthread_setname_np(pthread_self(), "fuseau-worker");
  static_cast<State*>(state)->Work();
  return nullptr;
}

void ThreadPool::StartWorkers() {
  State& s = *state_;
  s.workers_started = true;
  const int threads = thread_count();
  // Spinning takes the processor from those who work when there are more
  // threads than processors.
  s.spin_nanoseconds =
      threads <= AvailableCpus() ? SettingInt("FUSEAU_SPIN_US", 30) * 1000 : 0;
  // Signals are for the threads of the program; Python expects them there.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int i = 1; i < threads; ++i) {
    pthread_t worker;
    if (AddressRoom() < kWorkingRoom ||
        pthread_create(&worker, nullptr, WorkerMain, &s) != 0) {
      LogWarning("cannot start more threads; going on with fewer");
      break;
    }
    s.workers.push_back(worker);
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void ThreadPool::StopWorkers() {
  State& s = *state_;
  s.stop.store(true, std::memory_order_release);
  s.generation.fetch_add(1, std::memory_order_seq_cst);
  FutexWake(&s.generation, INT_MAX);
  for (pthread_t worker : s.workers) pthread_join(worker, nullptr);
  s.workers.clear();
  s.workers_started = false;
  s.stop.store(false, std::memory_order_release);
}

// At exit. Other threads may still run; their launches then do without workers.
// A launch that goes on for long is left alone: exit ends its threads.
void ThreadPool::ShutDown() {
  const bool quiet = SpinUntil(200'000'000, [&] {
    return !state_->busy.exchange(true, std::memory_order_acquire);
  });
  if (quiet) StopWorkers();
}

void ThreadPool::ForgetWorkers() {
  State& s = *state_;
  s.workers.clear();
  s.workers_started = false;
  s.sleepers.store(0);
  // A launch that another thread of the parent had under way is not ours.
  const uint64_t epoch = (s.ticket.load() >> 32) + 1;
  s.jobs[epoch & 3].total.store(0);
  s.ticket.store(epoch << 32);
  s.busy.store(false);
}

void ThreadPool::ParallelFor(int64_t chunks,
                             absl::FunctionRef<void(int64_t)> chunk) {
  if (chunks <= 0) return;
  State& s = *state_;
  if (chunks == 1 || thread_count() == 1 || inside_chunk ||
      s.busy.exchange(true, std::memory_order_acquire)) {
    for (int64_t i = 0; i < chunks; ++i) chunk(i);
    return;
  }
  if (!s.workers_started) StartWorkers();
  inside_chunk = true;
  for (int64_t first = 0; first < chunks; first += kMaxBatch) {
    RunBatch(first, std::min(kMaxBatch, chunks - first), chunk);
  }
  inside_chunk = false;
  s.busy.store(false, std::memory_order_release);
}

void ThreadPool::RunBatch(int64_t first, int64_t count,
                          absl::FunctionRef<void(int64_t)> chunk) {
  State& s = *state_;
  const uint64_t epoch = (s.ticket.load(std::memory_order_relaxed) >> 32) + 1;
  State::Job& job = s.jobs[epoch & 3];
  job.chunk = &chunk;
  job.first = first;
  job.left.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  job.caller_sleeps.store(0, std::memory_order_relaxed);
  job.float_flags.store(0, std::memory_order_relaxed);
  job.total.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  s.ticket.store(epoch << 32, std::memory_order_release);
  s.generation.fetch_add(1, std::memory_order_seq_cst);
  if (s.sleepers.load(std::memory_order_seq_cst) > 0) {
    FutexWake(&s.generation,
              static_cast<int>(std::min<int64_t>(count - 1, kMaxThreads)));
  }
  while (s.Step(/*worker=*/false)) {
  }
  auto over = [&] { return job.left.load(std::memory_order_acquire) == 0; };
  if (!SpinUntil(s.spin_nanoseconds, over)) {
    job.caller_sleeps.store(1, std::memory_order_seq_cst);
    while (!over()) {
      const uint32_t left = job.left.load(std::memory_order_seq_cst);
      if (left != 0) FutexWait(&job.left, left);
    }
  }
  const uint8_t flags = job.float_flags.load(std::memory_order_relaxed);
  if (flags != 0) RaiseFloatFlags(flags);
}

}  // namespace fuseau::runtime

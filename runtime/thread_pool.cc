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
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/float_flags.h"
#include "runtime/base/log.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"
#include "runtime/cpu/machine.h"
#include "runtime/cpu/pause.h"

namespace fuseau::runtime {
namespace {

constexpr int kMaxThreads = 1024;
// Chunks of one batch; tickets have 32 bits for them.
constexpr int64_t kMaxBatch = int64_t{1} << 30;
// Waking workers takes the caller some 10 us in a virtual machine, and them as
// long again to begin: two threads gain from work that takes one so long.
constexpr double kWakeSeconds = 50e-6;

thread_local bool inside_chunk = false;

void FutexWait(std::atomic<uint32_t>* word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAIT_PRIVATE,
          expected, nullptr, nullptr, 0);
}

void FutexWake(std::atomic<uint32_t>* word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAKE_PRIVATE,
          count, nullptr, nullptr, 0);
}

int64_t Nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
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

// A launch ("job") is published by new tickets, one for each thread's part of
// the chunks. The slots of four launches take turns, so that a worker which
// still looks at an old ticket never finds its slot half written and then
// succeeds: by the time the slot is used again all tickets are of a later
// epoch, and the worker's exchange fails.
struct ThreadPool::State {
  // The chunks of a job that one thread begins with.
  struct alignas(64) Part {
    std::atomic<uint64_t> ticket{kNothing};  // epoch << 32 | next chunk
  };
  static constexpr uint32_t kNothing = UINT32_MAX;  // a chunk that no job has

  struct Job {
    absl::FunctionRef<void(int64_t)>* chunk = nullptr;
    int64_t first = 0;
    std::atomic<uint32_t> total{0};
    alignas(64) std::atomic<uint32_t> left{0};
    std::atomic<uint32_t> caller_sleeps{0};
    std::atomic<uint8_t> float_flags{0};  // of the workers
    // What the caller does with it, if that is noted.
    profile::Current noted;
    uint64_t number = 0;
  };

  std::vector<Part> parts;  // one a thread; the caller's is the first
  uint32_t epoch = 0;       // of the latest job; its caller's
  alignas(64) std::atomic<uint32_t> generation{0};  // workers sleep on it
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  alignas(64) Job jobs[4];
  // Whether some thread is launching, or changing the workers.
  alignas(64) std::atomic<bool> busy{false};
  std::atomic<bool> workers_started{false};
  struct Worker {
    State* state = nullptr;
    size_t thread = 0;  // its part
    pthread_t handle{};
  };
  std::vector<std::unique_ptr<Worker>> workers;
  int64_t spin_nanoseconds = 0;
  // Short work that was not shared since workers fell asleep, as long as it
  // came so thick that they would have stayed awake.
  std::atomic<int64_t> short_last{0};  // when there was some
  std::atomic<double> short_seconds{0};

  // The first chunk of a part, and one past the last of the part before it.
  uint32_t Begin(size_t part, uint32_t total) const {
    return static_cast<uint32_t>(uint64_t{total} * part / parts.size());
  }

  // For so many threads; none has chunks until the next job. Only without
  // workers.
  void Reset(size_t threads) {
    if (parts.size() != threads) parts = std::vector<Part>(threads);
    // Spinning takes the processor from those who work when there are more
    // threads than processors.
    spin_nanoseconds = static_cast<int>(threads) <= AvailableCpus()
                           ? SettingInt("FUSEAU_SPIN_US", 30) * 1000
                           : 0;
    for (Part& part : parts) {
      part.ticket.store(uint64_t{epoch} << 32 | kNothing);
    }
  }

  // Takes and runs one chunk: of the thread's own part, else of the next that
  // has one. False when there is none. The caller is thread 0.
  bool Step(size_t thread) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t part = (thread + i) % parts.size();
      uint64_t t = parts[part].ticket.load(std::memory_order_acquire);
      for (;;) {
        Job& job = jobs[(t >> 32) & 3];
        const uint32_t next = static_cast<uint32_t>(t);
        const uint32_t total = job.total.load(std::memory_order_relaxed);
        if (next >= Begin(part + 1, total)) break;
        if (!parts[part].ticket.compare_exchange_weak(
                t, t + 1, std::memory_order_acq_rel,
                std::memory_order_acquire)) {
          continue;
        }
        Run(&job, next, thread);
        return true;
      }
    }
    return false;
  }

  static void Run(Job* job, uint32_t chunk, size_t thread) {
    if (thread != 0 && profile::On()) {
      const int64_t begin = profile::Now();
      (*job->chunk)(job->first + chunk);
      profile::NoteWork(job->noted, job->number, begin, profile::Now());
    } else {
      (*job->chunk)(job->first + chunk);
    }
    if (thread != 0) HandOverFlags(job);
    // The job is over for the caller once `left` is 0; what follows touches
    // only the pool's own memory.
    if (job->left.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
        job->caller_sleeps.load(std::memory_order_seq_cst) != 0) {
      FutexWake(&job->left, 1);
    }
  }

  // A worker's own flags are clear between chunks.
  static void HandOverFlags(Job* job) {
    const uint8_t flags = TestFloatFlags();
    if (__builtin_expect(flags == 0, true)) return;
    job->float_flags.fetch_or(flags, std::memory_order_relaxed);
    ClearFloatFlags();
  }

  void Work(size_t thread) {
    inside_chunk = true;
    ClearFloatFlags();
    for (;;) {
      const uint32_t seen = generation.load(std::memory_order_acquire);
      while (Step(thread)) {
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
      state_(std::make_unique<State>()) {
  state_->Reset(thread_count());
}

ThreadPool::~ThreadPool() { StopWorkers(); }

void ThreadPool::SetThreadCount(int threads) {
  while (state_->busy.exchange(true, std::memory_order_acquire)) sched_yield();
  StopWorkers();
  threads_.store(std::clamp(threads, 1, kMaxThreads),
                 std::memory_order_relaxed);
  state_->Reset(thread_count());
  state_->busy.store(false, std::memory_order_release);
}

void* ThreadPool::WorkerMain(void* worker) {
  pthread_setname_np(pthread_self(), "fuseau-worker");
  const State::Worker& self = *static_cast<State::Worker*>(worker);
  self.state->Work(self.thread);
  return nullptr;
}

void ThreadPool::StartWorkers() {
  State& s = *state_;
  s.workers_started = true;
  const int threads = thread_count();
  // Signals are for the threads of the program; Python expects them there.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int i = 1; i < threads; ++i) {
    auto worker = std::make_unique<State::Worker>();
    worker->state = &s;
    worker->thread = i;
    if (AddressRoom() < kWorkingRoom ||
        pthread_create(&worker->handle, nullptr, WorkerMain, worker.get()) !=
            0) {
      LogWarning("cannot start more threads; going on with fewer");
      break;
    }
    s.workers.push_back(std::move(worker));
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void ThreadPool::StopWorkers() {
  State& s = *state_;
  s.stop.store(true, std::memory_order_release);
  s.generation.fetch_add(1, std::memory_order_seq_cst);
  FutexWake(&s.generation, INT_MAX);
  for (const auto& worker : s.workers) pthread_join(worker->handle, nullptr);
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
  ++s.epoch;
  s.Reset(thread_count());
  s.busy.store(false);
}

int ThreadPool::ThreadsFor(double seconds) {
  State& s = *state_;
  const int all = thread_count();
  if (all == 1 || seconds >= kWakeSeconds) return all;
  const int asleep = s.workers_started.load(std::memory_order_relaxed)
                         ? s.sleepers.load(std::memory_order_relaxed)
                         : all - 1;
  if (asleep == 0) return all;
  const int64_t now = Nanoseconds();
  const int64_t gap =
      now - s.short_last.exchange(now, std::memory_order_relaxed);
  const bool thick =
      gap < s.spin_nanoseconds + static_cast<int64_t>(1e9 * seconds);
  double sum = seconds;
  if (thick) sum += s.short_seconds.load(std::memory_order_relaxed);
  const bool wake = sum >= kWakeSeconds;
  s.short_seconds.store(wake ? 0 : sum, std::memory_order_relaxed);
  return wake ? all : all - asleep;
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
  const uint64_t epoch = ++s.epoch;
  State::Job& job = s.jobs[epoch & 3];
  job.chunk = &chunk;
  job.first = first;
  job.left.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  job.caller_sleeps.store(0, std::memory_order_relaxed);
  job.float_flags.store(0, std::memory_order_relaxed);
  job.noted = profile::CurrentOfThread();
  job.number = epoch;
  job.total.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  for (size_t p = 0; p < s.parts.size(); ++p) {
    s.parts[p].ticket.store(
        epoch << 32 | s.Begin(p, static_cast<uint32_t>(count)),
        std::memory_order_release);
  }
  s.generation.fetch_add(1, std::memory_order_seq_cst);
  // Those who are awake see for themselves.
  const int asleep = s.sleepers.load(std::memory_order_seq_cst);
  const int64_t awake = static_cast<int64_t>(s.workers.size()) - asleep;
  if (asleep > 0 && awake < count - 1) {
    FutexWake(&s.generation, static_cast<int>(std::min<int64_t>(
                                 count - 1 - awake, kMaxThreads)));
  }
  while (s.Step(/*thread=*/0)) {
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

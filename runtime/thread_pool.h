// Threads for kernels.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"

namespace fuseau::runtime {

// Runs the chunks of one launch on the calling thread and on workers. Each
// thread begins with its own part of the chunks, the same in every launch, so
// that it finds in its caches what it left there, and then helps others. The
// caller waits only for chunks that somebody took: a worker that wakes late
// delays nobody. Workers start at the first launch that wants them, look for
// work for some tens of microseconds after each launch, and then sleep.
class ThreadPool {
 public:
  // The pool of the process, with FUSEAU_NUM_THREADS threads or, by default, as
  // many as the affinity mask and the CPU quota allow.
  static ThreadPool& Global();

  // `threads` counts the caller.
  explicit ThreadPool(int threads);
  // No launch may be under way.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int thread_count() const { return threads_.load(std::memory_order_relaxed); }
  // Waits for a launch of another thread to end.
  void SetThreadCount(int threads);

  // How many threads should share work that takes one of them `seconds`: all,
  // if that pays though they must be woken, else those that are awake. Short
  // work that comes again and again is worth waking them, too.
  int ThreadsFor(double seconds);

  // Calls chunk(0), ..., chunk(chunks - 1), each once, in any order and on any
  // threads; returns when all are done. Floating-point flags that chunks raise
  // are the caller's afterwards (base/float_flags.h). When the pool is busy
  // with a launch of another thread, and inside a chunk, all run on the caller,
  // in order.
  void ParallelFor(int64_t chunks, absl::FunctionRef<void(int64_t)> chunk);

 private:
  struct State;

  static void* WorkerMain(void* worker);
  void RunBatch(int64_t first, int64_t count,
                absl::FunctionRef<void(int64_t)> chunk);
  void StartWorkers();
  void StopWorkers();
  void ShutDown();
  void ForgetWorkers();

  std::atomic<int> threads_;
  std::unique_ptr<State> state_;
};

}  // namespace fuseau::runtime

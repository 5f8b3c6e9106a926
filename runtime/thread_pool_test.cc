#include "runtime/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/float_flags.h"
#include "runtime/cpu/machine.h"

namespace fuseau::runtime {
namespace {

// Runs `chunks` and tells whether each ran once.
bool EachOnce(ThreadPool& pool, int64_t chunks) {
  std::unique_ptr<std::atomic<int>[]> runs(new std::atomic<int>[chunks]());
  pool.ParallelFor(chunks, [&](int64_t i) { runs[i].fetch_add(1); });
  for (int64_t i = 0; i < chunks; ++i) {
    if (runs[i].load() != 1) return false;
  }
  return true;
}

TEST(ThreadPoolTest, RunsEachChunkOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.thread_count(), threads);
    for (int round = 0; round < 200; ++round) {
      for (int64_t chunks : {0, 1, 2, 7, 100}) {
        ASSERT_TRUE(EachOnce(pool, chunks)) << threads << " " << chunks;
      }
    }
  }
}

TEST(ThreadPoolTest, FlagsOfWorkersAreTheCallersAfterwards) {
  ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  for (const bool divide : {true, false, true, false}) {
    ClearFloatFlags();
    std::atomic<bool> helped{false};
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    pool.ParallelFor(2, [&](int64_t) {
      if (std::this_thread::get_id() != caller) {
        if (divide) RaiseFloatFlags(kDivideFlag);
        helped = true;
      }
      while (!helped && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
      }
    });
    ASSERT_TRUE(helped);
    EXPECT_EQ(TestFloatFlags(), divide ? kDivideFlag : 0);
  }
}

TEST(ThreadPoolTest, WorkersHelp) {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  pool.ParallelFor(2, [&](int64_t) {
    inside.fetch_add(1);
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (inside.load() < 2 && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    if (inside.load() == 2) met = true;
  });
  EXPECT_TRUE(met);
}

// So a thread finds in its caches what it left there the last time.
TEST(ThreadPoolTest, ThreadsBeginWithTheirOwnPart) {
  ThreadPool pool(2);
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> inside{0};
    std::thread::id ran[4];
    pool.ParallelFor(4, [&](int64_t chunk) {
      ran[chunk] = std::this_thread::get_id();
      if (chunk % 2 != 0) return;
      // Both threads are in the first chunk of their parts.
      inside.fetch_add(1);
      const auto end =
          std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (inside.load() < 2 && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
      }
    });
    ASSERT_EQ(inside.load(), 2);
    ASSERT_EQ(ran[0], std::this_thread::get_id());
    ASSERT_NE(ran[2], std::this_thread::get_id());
  }
}

TEST(ThreadPoolTest, WakesForLongOrFrequentWork) {
  ThreadPool pool(2);
  // Its worker has not begun yet, which is as good as sleep.
  EXPECT_EQ(pool.ThreadsFor(1), 2);
  const auto rest = std::chrono::milliseconds(1);
  std::this_thread::sleep_for(rest);
  EXPECT_EQ(pool.ThreadsFor(30e-6), 1);
  std::this_thread::sleep_for(rest);
  EXPECT_EQ(pool.ThreadsFor(30e-6), 1);
  // A test may be held up between two calls, but not each time.
  bool wakes = false;
  for (int i = 0; i < 10000 && !wakes; ++i) wakes = pool.ThreadsFor(30e-6) == 2;
  EXPECT_EQ(wakes, pool.thread_count() <= AvailableCpus());
}

TEST(ThreadPoolTest, WaitsForASlowWorker) {
  ThreadPool pool(2);
  for (int i = 0; i < 5; ++i) {
    std::atomic<int> done{0};
    pool.ParallelFor(4, [&](int64_t chunk) {
      if (chunk % 2 == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
      done.fetch_add(1);
    });
    EXPECT_EQ(done.load(), 4);
    // Long enough for the workers to go to sleep.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadPoolTest, LaunchInsideAChunkRunsInOrderOnItsThread) {
  ThreadPool pool(4);
  std::atomic<int> bad{0};
  pool.ParallelFor(8, [&](int64_t) {
    const std::thread::id self = std::this_thread::get_id();
    int64_t next = 0;
    pool.ParallelFor(5, [&](int64_t i) {
      if (std::this_thread::get_id() != self || i != next++) bad.fetch_add(1);
    });
    if (next != 5) bad.fetch_add(1);
  });
  EXPECT_EQ(bad.load(), 0);
}

TEST(ThreadPoolTest, SeveralThreadsLaunchAtOnce) {
  ThreadPool pool(3);
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        if (!EachOnce(pool, 1 + i % 17)) bad.fetch_add(1);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(bad.load(), 0);
}

TEST(ThreadPoolTest, ThreadCountCanChange) {
  ThreadPool pool(1);
  for (int threads : {4, 1, 2, 7}) {
    pool.SetThreadCount(threads);
    EXPECT_EQ(pool.thread_count(), threads);
    EXPECT_TRUE(EachOnce(pool, 50));
  }
}

// The thread sanitizer does not follow a fork of a program with threads.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FUSEAU_TSAN 1
#endif
#endif
#ifndef FUSEAU_TSAN
TEST(ThreadPoolTest, ChildComputesAfterFork) {
  ThreadPool& pool = ThreadPool::Global();
  pool.SetThreadCount(3);
  ASSERT_TRUE(EachOnce(pool, 64));
  for (int i = 0; i < 5; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      bool good = true;
      for (int k = 0; k < 20; ++k) good = good && EachOnce(pool, 64);
      // The handlers of exit run in the child too.
      std::exit(good ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_TRUE(EachOnce(pool, 64));
  }
}

TEST(ThreadPoolTest, ForkDuringALaunchOfAnotherThread) {
  ThreadPool& pool = ThreadPool::Global();
  pool.SetThreadCount(3);
  std::atomic<bool> stop{false};
  std::thread launcher([&] {
    while (!stop) EachOnce(pool, 64);
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      _exit(EachOnce(pool, 64) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  stop = true;
  launcher.join();
}
#endif  // FUSEAU_TSAN

}  // namespace
}  // namespace fuseau::runtime

#include "frontend/compile_queue.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gtest/gtest.h"

namespace fuseau {
namespace {

using Result = absl::StatusOr<CompileQueue::PlanPtr>;

// A trace whose plan is to take so many inputs.
ir::Trace Trace(int inputs) {
  ir::Trace trace;
  trace.nodes.resize(static_cast<size_t>(inputs));
  return trace;
}

Result Compile(const ir::Trace& trace) {
  auto plan = std::make_shared<runtime::Plan>();
  plan->input_count = static_cast<int32_t>(trace.nodes.size());
  return CompileQueue::PlanPtr(std::move(plan));
}

// A door that the compiler waits at.
struct Door {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;

  void Open() {
    std::lock_guard<std::mutex> lock(mutex);
    open = true;
    changed.notify_all();
  }
  void Pass() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return open; });
  }
};

TEST(CompileQueueTest, Compiles) {
  CompileQueue queue(Compile);
  auto first = queue.Add(Trace(1));
  auto second = queue.Add(Trace(2));
  ASSERT_TRUE(queue.Wait(second, nullptr, 60));
  ASSERT_TRUE(queue.Wait(first, nullptr, 60));
  EXPECT_EQ((*first->plan())->input_count, 1);
  EXPECT_EQ((*second->plan())->input_count, 2);
}

TEST(CompileQueueTest, KeepsErrors) {
  CompileQueue queue(
      [](const ir::Trace&) -> Result { return absl::InternalError("no"); });
  auto job = queue.Add(Trace(1));
  ASSERT_TRUE(queue.Wait(job, nullptr, 60));
  EXPECT_EQ(job->plan().status().message(), "no");
}

TEST(CompileQueueTest, WaitingEnds) {
  Door door;
  CompileQueue queue([&](const ir::Trace& trace) {
    door.Pass();
    return Compile(trace);
  });
  auto job = queue.Add(Trace(1));
  EXPECT_FALSE(queue.Wait(job, nullptr, 0.02));
  const std::atomic<bool> cancel{true};
  EXPECT_FALSE(queue.Wait(job, &cancel, 60));
  door.Open();
  EXPECT_TRUE(queue.Wait(job, nullptr, 60));
}

TEST(CompileQueueTest, LearnsHowLongACompileTakes) {
  CompileQueue queue([](const ir::Trace& trace) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return Compile(trace);
  });
  EXPECT_LT(queue.ExpectedSeconds(), 0.05);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(queue.Wait(queue.Add(Trace(1)), nullptr, 60));
  }
  EXPECT_GT(queue.ExpectedSeconds(), 0.05);
}

TEST(CompileQueueTest, StopDropsWhatHasNotBegun) {
  Door door;
  CompileQueue queue([&](const ir::Trace& trace) {
    door.Pass();
    return Compile(trace);
  });
  queue.Add(Trace(1));
  queue.Add(Trace(2));
  std::thread stop([&] { queue.Stop(); });
  door.Open();
  stop.join();
  EXPECT_FALSE(queue.Add(Trace(3))->plan().ok());
}

TEST(CompileQueueTest, AChildOfForkGoesOn) {
  CompileQueue queue(Compile);
  auto before = queue.Add(Trace(1));
  ASSERT_TRUE(queue.Wait(before, nullptr, 60));
  queue.BeforeFork();
  const pid_t child = fork();
  queue.AfterFork(child == 0);
  if (child == 0) {
    auto job = queue.Add(Trace(2));
    const bool done = queue.Wait(job, nullptr, 60);
    _exit(done && (*job->plan())->input_count == 2 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  auto after = queue.Add(Trace(3));
  EXPECT_TRUE(queue.Wait(after, nullptr, 60));
}

}  // namespace
}  // namespace fuseau

// What is compiled, how often, and what a plan for a GPU has.

#include "codegen/gpu/kernel_cache.h"

#include <atomic>
#include <thread>

#include "codegen/gpu/compiler.h"
#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

KernelText Scaled(double factor) {
  return {.in = {"f64"},
          .out = {"f64"},
          .inner = {1, 1},
          .body = absl::StrCat("%k = arith.constant ", factor, " : f64\n",
                               "%r = arith.mulf %a0, %k : f64\n",
                               "fuseau.yield %r : f64")};
}

struct CountingCache {
  std::atomic<int> compiles{0};
  std::atomic<bool> fails{false};
  GpuKernelCache cache{
      {.key = "test",
       .compile =
           [this](absl::Span<const GpuSource> sources) {
             compiles += static_cast<int>(sources.size());
             std::this_thread::sleep_for(std::chrono::milliseconds(20));
             GpuKernelCache::Image image = "image";
             if (fails) image = absl::InternalError("no");
             return std::vector<GpuKernelCache::Image>(sources.size(), image);
           },
       .store = nullptr}};
};

TEST(GpuKernelCache, EachKernelIsCompiledOnce) {
  CountingCache counting;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      auto context = MakeContext();
      auto first = ParseKernel(Scaled(2.5).str(), context.get());
      auto second = ParseKernel(Scaled(3.5).str(), context.get());
      const std::vector<ir::exec::KernelOp> ops = {
          KernelIn(*first), KernelIn(*second), KernelIn(*first)};
      const auto kernels = counting.cache.Get(ops);
      right += kernels[0].ok() && kernels[1].ok() &&
               *kernels[0] == *kernels[2] && *kernels[0] != *kernels[1] &&
               (*kernels[0])->image == "image" && (*kernels[0])->slots == 6;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4);
  EXPECT_EQ(counting.compiles, 2);
}

TEST(GpuKernelCache, FailuresAreTriedAgain) {
  CountingCache counting;
  auto module = ParseKernel(Scaled(2.5).str());
  const std::vector<ir::exec::KernelOp> ops = {KernelIn(*module)};
  counting.fails = true;
  EXPECT_EQ(counting.cache.Get(ops)[0].status().message(), "no");
  counting.fails = false;
  EXPECT_TRUE(counting.cache.Get(ops)[0].ok());
  EXPECT_EQ(counting.compiles, 2);
}

// b = a[1:] + a[:-1], stored over a[1:]: in place, it would have to lag.
ir::Trace ShiftedUpdate(int64_t n) {
  ir::Trace trace;
  ir::TraceNode input;
  input.dtype = DType::kUInt8;
  input.shape = {8 * n};
  input.donated = true;
  ir::TraceNode sum;
  sum.op = ir::OpCode::kAdd;
  sum.shape = {n - 1};
  sum.operands = {{0, DType::kFloat64, 8, {8}}, {0, DType::kFloat64, 0, {8}}};
  ir::TraceNode update;
  update.op = ir::OpCode::kUpdate;
  update.shape = {n - 1};
  update.operands = {{0, DType::kUInt8, 0, {}}, {1, DType::kFloat64, 0, {8}}};
  update.write_offset = 8;
  update.write_strides = {8};
  trace.nodes = {input, sum, update};
  trace.outputs = {2};
  return trace;
}

TEST(GpuPlan, LaunchesHaveKernelsAndNothingLags) {
  auto plan = CompileTraceForGpu(ShiftedUpdate(100), {.arch = 0});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE((*plan)->sweeps.empty());
  EXPECT_TRUE((*plan)->groups.empty());
  ASSERT_FALSE((*plan)->launches.empty());
  for (const runtime::Launch& launch : (*plan)->launches) {
    EXPECT_TRUE(launch.lagged.empty());
    ASSERT_NE(launch.kernel, nullptr);
    ASSERT_NE(launch.gpu, nullptr);
    EXPECT_EQ(launch.gpu->rank, static_cast<int>(launch.sizes.size()));
    EXPECT_EQ(launch.gpu->slots,
              runtime::SlotCount(launch.gpu->rank, launch.operands.size(),
                                 launch.scalars.size()) +
                  1);
  }
  bool copies = false;
  for (const runtime::Step& step : (*plan)->steps)
    copies |= step.kind == runtime::Step::kCopy;
  EXPECT_TRUE(copies);
}

TEST(GpuPlan, ElementsThatAreNotAlignedAreLeftToTheProcessor) {
  ir::Trace trace = ShiftedUpdate(100);
  trace.nodes[1].operands[1].offset = 3;
  auto plan = CompileTraceForGpu(trace, {.arch = 0});
  ASSERT_TRUE(plan.ok()) << plan.status();
  for (const runtime::Launch& launch : (*plan)->launches)
    EXPECT_EQ(launch.gpu, nullptr);
}

}  // namespace
}  // namespace fuseau::codegen::gpu

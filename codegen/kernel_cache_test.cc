#include "codegen/kernel_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "codegen/cpu/kernel_test_util.h"
#include "runtime/stats.h"

namespace fuseau::codegen {
namespace {

using runtime::Counter;
using runtime::ReadCounter;

KernelText Text(const char* op) {
  return {.in = {"f64", "f64"},
          .out = {"f64"},
          .inner = {1, 1, 1},
          .body = absl::StrCat("%r = arith.", op,
                               " %a0, %a1 : f64\n"
                               "%s = math.sqrt %r : f64\n"
                               "fuseau.yield %s : f64")};
}

KernelCache::Options Options() {
  KernelCache::Options options;
  options.target = *MakeTarget("");
  return options;
}

double Apply(const runtime::Kernel& kernel, double a, double b) {
  double c = 0;
  Arguments({1}).Operand(&a, {8}).Operand(&b, {8}).Operand(&c, {8}).Run(kernel);
  return c;
}

TEST(KernelCacheTest, NamesDoNotMatterAndOpsDo) {
  auto one = ParseKernel(Text("addf").str());
  auto two = ParseKernel(Text("addf").str());
  auto other = ParseKernel(Text("mulf").str());
  KernelIn(*two).setSymName("another");
  const Target target = *MakeTarget("");
  const std::string key = KernelKey(KernelIn(*one), target, OptLevel::kO1);
  EXPECT_EQ(key, KernelKey(KernelIn(*two), target, OptLevel::kO1));
  EXPECT_NE(key, KernelKey(KernelIn(*other), target, OptLevel::kO1));
  EXPECT_NE(key, KernelKey(KernelIn(*one), target, OptLevel::kO0));
  EXPECT_NE(key,
            KernelKey(KernelIn(*one), *MakeTarget("x86-64-v2"), OptLevel::kO1));
  const std::string name = KernelName(KernelIn(*one), key);
  EXPECT_EQ(name.substr(0, 9), "add_sqrt_");
  EXPECT_EQ(name.size(), 15u);
}

TEST(KernelCacheTest, CompilesOnceForManyThreads) {
  KernelCache cache(Options());
  const int64_t before = ReadCounter(Counter::kKernelsCompiled);
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<const runtime::Kernel>> kernels(8);
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      auto context = MakeContext();
      auto module = ParseKernel(Text("addf").str(), context.get());
      kernels[i] = cache.Get(KernelIn(*module)).value();
    });
  for (std::thread& t : threads) t.join();
  for (const auto& kernel : kernels) EXPECT_EQ(kernel, kernels[0]);
  EXPECT_EQ(ReadCounter(Counter::kKernelsCompiled), before + 1);
  EXPECT_EQ(Apply(*kernels[0], 4, 5), 3);
}

TEST(KernelCacheTest, ReloadsFromDisk) {
  char dir[] = "/tmp/fuseau_kernel_cache_XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  auto module = ParseKernel(Text("mulf").str());
  {
    runtime::KernelStore store(dir, 1 << 20, /*read_only=*/false);
    KernelCache::Options options = Options();
    options.store = &store;
    KernelCache cache(options);
    EXPECT_EQ(Apply(**cache.Get(KernelIn(*module)), 8, 2), 4);
    const int64_t compiled = ReadCounter(Counter::kKernelsCompiled);
    KernelCache second(options);
    EXPECT_EQ(Apply(**second.Get(KernelIn(*module)), 8, 2), 4);
    EXPECT_EQ(ReadCounter(Counter::kKernelsCompiled), compiled);
  }
  std::filesystem::remove_all(dir);
}

TEST(KernelCacheTest, ForgetsTheLeastRecentlyUsed) {
  KernelCache::Options options = Options();
  options.memory_bytes = 50'000;  // two kernels
  KernelCache cache(options);
  auto add = ParseKernel(Text("addf").str());
  auto mul = ParseKernel(Text("mulf").str());
  auto sub = ParseKernel(Text("subf").str());
  auto kernel = cache.Get(KernelIn(*add)).value();
  ASSERT_TRUE(cache.Get(KernelIn(*mul)).ok());
  EXPECT_EQ(cache.Get(KernelIn(*add)).value(), kernel);
  ASSERT_TRUE(cache.Get(KernelIn(*sub)).ok());
  int64_t compiled = ReadCounter(Counter::kKernelsCompiled);
  EXPECT_EQ(cache.Get(KernelIn(*add)).value(), kernel);
  EXPECT_EQ(ReadCounter(Counter::kKernelsCompiled), compiled);
  ASSERT_TRUE(cache.Get(KernelIn(*mul)).ok());
  EXPECT_EQ(ReadCounter(Counter::kKernelsCompiled), compiled + 1);
  cache.Clear();
  EXPECT_EQ(Apply(*kernel, 4, 5), 3);
}

TEST(KernelCacheTest, ErrorsAreNotKept) {
  KernelCache cache(Options());
  KernelText text{.in = {"f64"},
                  .out = {"f64"},
                  .inner = {1, 1},
                  .body = "%r = math.exp %a0 : f64\nfuseau.yield %r : f64"};
  auto module = ParseKernel(text.str());
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(cache.Get(KernelIn(*module)).status().code(),
              absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace fuseau::codegen

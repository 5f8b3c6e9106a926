// The emulated device finds what a device would only sometimes show: errors
// planted in the prelude.

#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

// The prelude with a piece of text replaced.
std::string Mutant(const std::string& from, const std::string& to) {
  std::string text = Prelude();
  const size_t at = text.find(from);
  FUSEAU_CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

KernelText Maximum() {
  return {.in = {"si32"},
          .out = {"si32"},
          .inner = {1, 0},
          .body = "fuseau.yield %a0 : i32",
          .reduction = "inner",
          .combiners = {"max"},
          .reduced = 1};
}

TEST(GpuMutant, MissingBarrierGivesOtherResults) {
  const std::string prelude =
      Mutant("sums[group.thread] = sum;\n  __syncthreads();",
             "sums[group.thread] = sum;");
  const Twins twin = MakeTwins({Maximum()}, &prelude)[0];
  int wrong = 0;
  for (uint32_t order : kOrders) {
    for (int64_t n : {255, 1000, 4099})
      wrong += !Agree(twin, {n}, {.orders = {order}});
  }
  EXPECT_GT(wrong, 0);
}

TEST(GpuMutant, OneElementTooManyIsSeen) {
  const std::string prelude = Mutant("i < to && i < n", "i < to && i <= n");
  const KernelText text{.rank = 2,
                        .in = {"f64"},
                        .out = {"f64"},
                        .inner = {1, 1},
                        .body = "fuseau.yield %a0 : f64"};
  // Rows of odd length start at all alignments, with a gap behind each.
  EXPECT_FALSE(Agree(MakeTwins({text}, &prelude)[0], {5, 33}, {.pad = 2}));
  EXPECT_TRUE(Agree(MakeTwins({text})[0], {5, 33}, {.pad = 2}));
}

TEST(GpuMutant, ThreadsAtDifferentBarriersAbort) {
  const std::string prelude =
      Mutant("sums[group.thread] = sum;\n  __syncthreads();",
             "sums[group.thread] = sum;\n"
             "  if (group.thread < 3)\n    __syncthreads();\n"
             "  else\n    __syncthreads();");
  const Twins twin = MakeTwins({Maximum()}, &prelude)[0];
  EXPECT_DEATH((void)Agree(twin, {1000}),
               "wait at different barriers: .*fuseau.cuh:[0-9]+ and "
               ".*fuseau.cuh:[0-9]+");
}

}  // namespace
}  // namespace fuseau::codegen::gpu

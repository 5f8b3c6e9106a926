// Reductions on the emulated device against the processor's kernels, bit for
// bit.

#include <complex>

#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

const std::vector<int64_t> kSizes = {
    0,   1,   2,   3,   7,   8,    31,   32,   33,   64,   65,   127,
    128, 129, 255, 256, 257, 1000, 1023, 2048, 2049, 4099, 10007};

KernelText Join(std::string type, std::string combiner, int rank,
                std::string reduction, int64_t reduced, int inner = 1) {
  const std::string body_type = KernelText::Signless(type);
  return {.rank = rank,
          .in = {type},
          .out = {type},
          .inner = {inner, reduction == "outer" ? 1 : 0},
          .body = absl::StrCat("fuseau.yield %a0 : ", body_type),
          .reduction = reduction,
          .combiners = {combiner},
          .reduced = reduced};
}

// All kinds of joins side by side, of one kernel.
KernelText Mixed(int rank, std::string reduction, int64_t reduced) {
  const int out = reduction == "outer" ? 1 : 0;
  return {
      .rank = rank,
      .in = {"f64", "complex<f32>", "si16", "i1"},
      .out = {"f64", "f64", "complex<f32>", "si16", "f64", "i1", "si16"},
      .inner = {1, 1, 1, 1, out, out, out, out, out, out, out},
      .body =
          "%m = arith.mulf %a0, %a0 : f64\n fuseau.yield %a0, %m, %a1, "
          "%a2, %a0, %a3, %a2 : "
          "f64, f64, complex<f32>, i16, f64, i1, i16",
      .reduction = reduction,
      .combiners = {"sum", "max", "sum", "prod", "ordered_sum", "any", "min"},
      .reduced = reduced};
}

TEST(GpuReduction, FullSums) {
  std::vector<KernelText> texts;
  for (const char* type : {"f32", "f64", "complex<f32>", "complex<f64>"})
    for (int inner : {1, 2, -1})
      texts.push_back(Join(type, "sum", 1, "inner", 1, inner));
  for (const Twins& twin : MakeTwins(texts))
    for (int64_t n : kSizes) ASSERT_TRUE(Agree(twin, {n}));
}

// Rows that many blocks share.
TEST(GpuReduction, LongSums) {
  std::vector<KernelText> texts = {Join("f64", "sum", 1, "inner", 1),
                                   Join("complex<f32>", "sum", 1, "inner", 1),
                                   Join("si32", "sum", 1, "inner", 1),
                                   Join("f32", "max", 1, "inner", 1)};
  for (const Twins& twin : MakeTwins(texts))
    for (int64_t n : {16384, 20001, 131072, 262151})
      ASSERT_TRUE(Agree(twin, {n}, {.orders = {0, 1, 3}}));
  const Twins rows = MakeTwins({Join("f64", "sum", 2, "inner", 2)})[0];
  ASSERT_GT(ShapeOf(rows.source.rule, std::vector<int64_t>{3, 33333}).grid.y,
            1);
  ASSERT_TRUE(Agree(rows, {3, 33333}, {.pad = 1}));
}

TEST(GpuReduction, OtherJoins) {
  std::vector<KernelText> texts;
  for (const char* type : {"f64", "si8", "ui32"})
    for (const char* combiner : {"prod", "max", "min"})
      texts.push_back(Join(type, combiner, 1, "inner", 1));
  texts.push_back(Join("i1", "any", 1, "inner", 1));
  texts.push_back(Join("i1", "all", 1, "inner", 1));
  texts.push_back(Join("f32", "ordered_sum", 1, "inner", 1));
  for (const Twins& twin : MakeTwins(texts))
    for (int64_t n : {0, 1, 7, 8, 33, 128, 129, 257, 2500})
      ASSERT_TRUE(Agree(twin, {n}));
}

TEST(GpuReduction, Rows) {
  std::vector<KernelText> texts = {Mixed(2, "inner", 2), Mixed(3, "inner", 4),
                                   Join("f64", "sum", 2, "inner", 2)};
  const std::vector<Twins> twins = MakeTwins(texts);
  for (int64_t n : {1, 3, 8, 30, 129, 300, 2100}) {
    for (int64_t rows : {1, 3, 37}) {
      ASSERT_TRUE(Agree(twins[0], {rows, n}, {.pad = 1}));
      ASSERT_TRUE(Agree(twins[2], {rows, n}));
    }
    ASSERT_TRUE(Agree(twins[1], {3, 2, n}));
  }
}

// Rows joined with what the result holds: the outer dimension, too, is joined.
TEST(GpuReduction, RowsOnTop) {
  const std::vector<Twins> twins = MakeTwins({Mixed(3, "inner_accumulate", 5),
                                              Mixed(3, "inner_accumulate", 6),
                                              Mixed(2, "inner_accumulate", 3)});
  for (int64_t n : {1, 5, 129, 700}) {
    ASSERT_TRUE(Agree(twins[0], {4, 3, n}));
    ASSERT_TRUE(Agree(twins[1], {4, 3, n}, {.pad = 1}));
    ASSERT_TRUE(Agree(twins[2], {4, n}));
  }
}

TEST(GpuReduction, Columns) {
  const std::vector<Twins> twins =
      MakeTwins({Mixed(2, "outer", 1), Mixed(3, "outer", 3),
                 Mixed(3, "outer", 2), Mixed(3, "outer", 1)});
  for (int64_t n : {1, 3, 31, 257}) {
    ASSERT_TRUE(Agree(twins[0], {9, n}, {.pad = 1}));
    ASSERT_TRUE(Agree(twins[0], {0, n}));
    for (size_t i = 1; i < twins.size(); ++i)
      ASSERT_TRUE(Agree(twins[i], {5, 3, n}));
  }
}

TEST(GpuReduction, NanWinsAndSumsOfMinusZerosAreZero) {
  const std::vector<Twins> twins = MakeTwins(
      {Join("f64", "max", 1, "inner", 1), Join("f64", "min", 1, "inner", 1),
       Join("f64", "sum", 1, "inner", 1)});
  std::vector<double> x(300, -0.0);
  auto run = [&](const Twins& twin) {
    double result = 5;
    RunEmulated(twin, {300},
                {300, reinterpret_cast<int64_t>(x.data()), 8,
                 reinterpret_cast<int64_t>(&result), 0},
                0);
    return result;
  };
  EXPECT_TRUE(SameBits(run(twins[2]), 0.0));
  x[7] = 0.0;
  EXPECT_TRUE(SameBits(run(twins[0]), 0.0));
  EXPECT_TRUE(SameBits(run(twins[1]), -0.0));
  x[299] = NAN;
  x[3] = INFINITY;
  EXPECT_TRUE(std::isnan(run(twins[0])));
  EXPECT_TRUE(std::isnan(run(twins[1])));
}

TEST(GpuReduction, JoinedDimensionsMustBeKnown) {
  auto module = ParseKernel(Join("f64", "sum", 2, "outer", 0).str());
  EXPECT_EQ(EmitCuda(KernelIn(*module)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace fuseau::codegen::gpu

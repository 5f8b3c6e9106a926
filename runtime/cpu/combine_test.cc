#include "runtime/cpu/combine.h"

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

template <typename T>
T Joined(Combiner combiner, DType dtype, T a, T b) {
  Combine(combiner, dtype, reinterpret_cast<char*>(&a),
          reinterpret_cast<const char*>(&b));
  return a;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(CombineTest, Floats) {
  EXPECT_EQ(Joined(Combiner::kSum, DType::kFloat64, 0.5, 0.25), 0.75);
  EXPECT_EQ(Joined(Combiner::kProd, DType::kFloat32, 0.5f, 3.0f), 1.5f);
  EXPECT_EQ(Joined(Combiner::kMax, DType::kFloat64, 1.0, 2.0), 2.0);
  EXPECT_EQ(Joined(Combiner::kMin, DType::kFloat64, 1.0, 2.0), 1.0);
  for (Combiner c : {Combiner::kMax, Combiner::kMin}) {
    EXPECT_TRUE(std::isnan(Joined(c, DType::kFloat64, kNan, 2.0)));
    EXPECT_TRUE(std::isnan(Joined(c, DType::kFloat64, 2.0, kNan)));
  }
  EXPECT_FALSE(
      std::signbit(Joined(Combiner::kMax, DType::kFloat64, -0.0, 0.0)));
  EXPECT_FALSE(
      std::signbit(Joined(Combiner::kMax, DType::kFloat64, 0.0, -0.0)));
  EXPECT_TRUE(std::signbit(Joined(Combiner::kMin, DType::kFloat64, 0.0, -0.0)));
  EXPECT_TRUE(std::signbit(Joined(Combiner::kMin, DType::kFloat64, -0.0, 0.0)));
}

TEST(CombineTest, IntegersWrapAround) {
  EXPECT_EQ(Joined<int8_t>(Combiner::kSum, DType::kInt8, 127, 1), -128);
  EXPECT_EQ(Joined<uint16_t>(Combiner::kProd, DType::kUInt16, 65535, 65535), 1);
  EXPECT_EQ(Joined<int64_t>(Combiner::kSum, DType::kInt64,
                            std::numeric_limits<int64_t>::max(), 1),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(Joined<uint64_t>(Combiner::kMax, DType::kUInt64, ~uint64_t{0}, 1),
            ~uint64_t{0});
  EXPECT_EQ(Joined<int64_t>(Combiner::kMin, DType::kInt64, -1, 1), -1);
}

TEST(CombineTest, Booleans) {
  EXPECT_EQ(Joined(Combiner::kAny, DType::kBool, false, true), true);
  EXPECT_EQ(Joined(Combiner::kAll, DType::kBool, false, true), false);
  EXPECT_EQ(Joined(Combiner::kSum, DType::kBool, true, true), true);
  EXPECT_EQ(Joined(Combiner::kProd, DType::kBool, true, false), false);
}

TEST(CombineTest, ComplexNumbersCompareByRealThenImaginaryPart) {
  using C = std::complex<double>;
  EXPECT_EQ(Joined(Combiner::kProd, DType::kComplex128, C(1, 2), C(3, -4)),
            C(11, 2));
  EXPECT_EQ(Joined(Combiner::kMax, DType::kComplex128, C(1, 9), C(2, -9)),
            C(2, -9));
  EXPECT_EQ(Joined(Combiner::kMin, DType::kComplex128, C(1, 9), C(1, -9)),
            C(1, -9));
  EXPECT_TRUE(std::isnan(
      Joined(Combiner::kMax, DType::kComplex128, C(1, 9), C(2, kNan)).imag()));
}

TEST(CombineTest, TreeSplitsLikeNumPy) {
  EXPECT_TRUE(IsTreeLeaf(128, DType::kFloat64));
  EXPECT_FALSE(IsTreeLeaf(129, DType::kFloat64));
  EXPECT_TRUE(IsTreeLeaf(64, DType::kComplex128));
  EXPECT_FALSE(IsTreeLeaf(65, DType::kComplex64));
  EXPECT_EQ(TreeSplit(1000, DType::kFloat64), 496);
  EXPECT_EQ(TreeSplit(129, DType::kFloat32), 64);
  EXPECT_EQ(TreeSplit(1000, DType::kComplex128), 500);
  EXPECT_EQ(TreeSplit(1003, DType::kComplex128), 500);
}

}  // namespace
}  // namespace fuseau::runtime

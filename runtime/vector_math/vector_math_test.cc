#include "runtime/vector_math/vector_math.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

using vector_math::NamedLoop;

std::vector<double> Apply(const InnerLoop& loop, const std::vector<double>& x) {
  std::vector<double> y(x.size());
  char* args[] = {reinterpret_cast<char*>(const_cast<double*>(x.data())),
                  reinterpret_cast<char*>(y.data())};
  const int64_t count = static_cast<int64_t>(x.size());
  const int64_t steps[] = {8, 8};
  loop.fn(args, &count, steps, loop.data);
  return y;
}

// Error of `got` in units in the last place of the exact result.
double Error(double got, long double exact) {
  if (std::isnan(got) && std::isnan(exact)) return 0;
  const double rounded = std::abs(static_cast<double>(exact));
  const double unit =
      std::nextafter(rounded, std::numeric_limits<double>::infinity()) -
      rounded;
  return static_cast<double>(std::abs(got - exact) / unit);
}

long double Exact(const std::string& name, double x) {
  return name == "sin.d->d" ? std::sin(static_cast<long double>(x))
                            : std::cos(static_cast<long double>(x));
}

std::vector<double> Arguments(double scale, int count) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(-scale, scale);
  std::vector<double> x(count);
  for (double& e : x) e = uniform(random);
  return x;
}

class VectorMathTest : public testing::TestWithParam<NamedLoop> {};

TEST_P(VectorMathTest, StaysWithinItsBound) {
  for (double scale : {1e-5, 0.7, 3.0, 100.0, 1e5, 1e6, 1e10, 1e300}) {
    const std::vector<double> x = Arguments(scale, 20000);
    const std::vector<double> y = Apply(GetParam().loop, x);
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_LE(Error(y[i], Exact(GetParam().name, x[i])), 0.57)
          << "x = " << x[i];
    }
  }
}

TEST_P(VectorMathTest, IsRightNextToMultiplesOfHalfPi) {
  std::vector<double> x;
  for (int k = -5000; k < 5000; ++k) {
    const double at = k * 1.5707963267948966;
    x.insert(x.end(), {at, std::nextafter(at, 0.0), std::nextafter(at, 1e9)});
  }
  const std::vector<double> y = Apply(GetParam().loop, x);
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::string(GetParam().name) == "sin.d->d"
                             ? std::sin(x[i])
                             : std::cos(x[i]);
    ASSERT_LE(Error(y[i], exact), 1.0) << "x = " << x[i];
  }
}

TEST_P(VectorMathTest, SpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  const bool sine = std::string(GetParam().name) == "sin.d->d";
  const std::vector<double> y = Apply(
      GetParam().loop, {0.0, -0.0, inf, -inf, std::nan(""), 5e-324, -1e-310});
  EXPECT_EQ(y[0], sine ? 0.0 : 1.0);
  EXPECT_EQ(std::signbit(y[1]), sine);
  for (int i : {2, 3, 4}) EXPECT_TRUE(std::isnan(y[i])) << i;
  EXPECT_EQ(y[5], sine ? 5e-324 : 1.0);
  EXPECT_EQ(y[6], sine ? -1e-310 : 1.0);
}

TEST_P(VectorMathTest, RaisesTheFlagsOfItsElementsOnly) {
  std::feclearexcept(FE_ALL_EXCEPT);
  Apply(GetParam().loop, {0.0, 1.0, std::nan(""), 1e6, 1e-320, 3e5});
  EXPECT_FALSE(std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW |
                                 FE_UNDERFLOW));
  Apply(GetParam().loop, {1.0, std::numeric_limits<double>::infinity()});
  EXPECT_TRUE(std::fetestexcept(FE_INVALID));
}

TEST_P(VectorMathTest, DoesNotDependOnStepsPositionOrLength) {
  const std::vector<double> x = Arguments(50, 61);
  const std::vector<double> want = Apply(GetParam().loop, x);
  for (int64_t step : {8, 16, 24, -8}) {
    for (int64_t count = 0; count <= 61; ++count) {
      std::vector<double> in(200, 7.0), out(200, -2.0);
      const int64_t start = step < 0 ? 8 * count : 0;
      char* args[] = {reinterpret_cast<char*>(in.data()) + start,
                      reinterpret_cast<char*>(out.data()) + start};
      for (int64_t i = 0; i < count; ++i) {
        std::memcpy(args[0] + i * step, &x[i], 8);
      }
      const int64_t steps[] = {step, step};
      GetParam().loop.fn(args, &count, steps, nullptr);
      for (int64_t i = 0; i < count; ++i) {
        double got;
        std::memcpy(&got, args[1] + i * step, 8);
        ASSERT_EQ(got, want[i]) << step << " " << count << " " << i;
      }
      EXPECT_EQ(std::count(out.begin(), out.end(), -2.0), 200 - count);
    }
  }
}

std::string TestName(const testing::TestParamInfo<NamedLoop>& info) {
  return std::string(info.param.name, 3);
}

std::vector<NamedLoop> Here() {
  const auto loops = VectorMath();
  return {loops.begin(), loops.end()};
}

INSTANTIATE_TEST_SUITE_P(Loops, VectorMathTest, testing::ValuesIn(Here()),
                         TestName);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VectorMathTest);

// A processor with AVX-512 can run both, and both must give the same bits.
TEST(VectorMath, InstructionSetsAgree) {
#ifdef __x86_64__
  if (VectorMath().data() != vector_math::Avx512Loops().data()) {
    GTEST_SKIP() << "no AVX-512 here";
  }
  for (size_t i = 0; i < vector_math::Avx512Loops().size(); ++i) {
    for (double scale : {1e-300, 1e-5, 1.0, 100.0, 1e6, 1e300}) {
      const std::vector<double> x = Arguments(scale, 5000);
      EXPECT_EQ(Apply(vector_math::Avx512Loops()[i].loop, x),
                Apply(vector_math::Avx2Loops()[i].loop, x))
          << vector_math::Avx512Loops()[i].name;
    }
  }
#endif
}

}  // namespace
}  // namespace fuseau::runtime

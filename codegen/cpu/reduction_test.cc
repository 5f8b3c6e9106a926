// Reductions against slow, obvious code; sums bit for bit in NumPy's order.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "codegen/cpu/kernel_test_util.h"

namespace fuseau::codegen {
namespace {

template <typename T>
T PairwiseSum(const std::vector<T>& x, int64_t start, int64_t n) {
  if (n < 8) {
    T sum = T(-0.0);
    for (int64_t i = 0; i < n; ++i) sum += x[start + i];
    return sum;
  }
  if (n <= 128) {
    T r[8];
    for (int j = 0; j < 8; ++j) r[j] = x[start + j];
    int64_t i = 8;
    for (; i < n - n % 8; i += 8)
      for (int j = 0; j < 8; ++j) r[j] += x[start + i + j];
    T sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) sum += x[start + i];
    return sum;
  }
  int64_t half = n / 2;
  half -= half % 8;
  return PairwiseSum(x, start, half) + PairwiseSum(x, start + half, n - half);
}

// `n` counts floats, as in NumPy.
template <typename F>
std::complex<F> ComplexSum(const std::vector<std::complex<F>>& x, int64_t start,
                           int64_t n) {
  using C = std::complex<F>;
  if (n < 8) {
    C sum(-0.0, -0.0);
    for (int64_t i = 0; i < n; i += 2) sum += x[start + i / 2];
    return sum;
  }
  if (n <= 128) {
    C r[4];
    for (int j = 0; j < 4; ++j) r[j] = x[start + j];
    int64_t i = 8;
    for (; i < n - n % 8; i += 8)
      for (int j = 0; j < 4; ++j) r[j] += x[start + i / 2 + j];
    C sum = (r[0] + r[1]) + (r[2] + r[3]);
    for (; i < n; i += 2) sum += x[start + i / 2];
    return sum;
  }
  int64_t half = n / 2;
  half -= half % 8;
  return ComplexSum(x, start, half) + ComplexSum(x, start + half / 2, n - half);
}

template <typename T>
T ExpectedSum(const std::vector<T>& x) {
  const int64_t n = x.size();
  if constexpr (std::is_floating_point_v<T>)
    return T(0) + PairwiseSum(x, 0, n);
  else
    return T(0) + ComplexSum(x, 0, 2 * n);
}

template <typename T>
T RandomFloat(std::mt19937_64& random) {
  std::normal_distribution<double> normal(0.1, 1);
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(normal(random));
  else
    return T(normal(random), normal(random));
}

std::vector<int64_t> Sizes() {
  std::vector<int64_t> sizes = {200, 255, 256, 257, 264, 1000, 4097, 10007};
  for (int64_t n = 1; n <= 140; ++n) sizes.push_back(n);
  return sizes;
}

template <typename T>
class FloatReduction : public testing::Test {};
using FloatTypes =
    testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(FloatReduction, FloatTypes);

TYPED_TEST(FloatReduction, SumIsNumPys) {
  using T = TypeParam;
  for (const Target& target : TestTargets()) {
    for (int inner : {1, 2, -1}) {
      KernelText text{.in = {TypeName<T>()},
                      .out = {TypeName<T>()},
                      .inner = {inner, 0},
                      .body = "fuseau.yield %a0 : " + TypeName<T>(),
                      .reduction = "inner",
                      .combiners = {"sum"}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      std::mt19937_64 random(7);
      for (int64_t n : Sizes()) {
        TestArray<T> x(n, inner);
        std::vector<T> values;
        for (int64_t i = 0; i < n; ++i) {
          values.push_back(RandomFloat<T>(random));
          x.Set(i, values.back());
        }
        T sum{};
        Arguments arguments({n});
        arguments.Array(x).Operand(&sum, {0}).Run(**kernel);
        ASSERT_TRUE(SameBits(sum, ExpectedSum(values)))
            << target.cpu << " " << inner << " " << n;
        if (n < 20) continue;
        // A part of the range is summed by itself.
        arguments.Run(**kernel, 9, n - 2);
        values = std::vector<T>(values.begin() + 9, values.end() - 2);
        ASSERT_TRUE(SameBits(sum, ExpectedSum(values))) << n;
      }
    }
  }
}

TYPED_TEST(FloatReduction, ProductIsInOrder) {
  using T = TypeParam;
  for (const Target& target : TestTargets()) {
    KernelText text{.in = {TypeName<T>()},
                    .out = {TypeName<T>()},
                    .inner = {1, 0},
                    .body = "fuseau.yield %a0 : " + TypeName<T>(),
                    .reduction = "inner",
                    .combiners = {"prod"}};
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    std::mt19937_64 random(7);
    for (int64_t n : {0, 1, 5, 31, 64, 77}) {
      TestArray<T> x(n, 1);
      T expected(1);
      for (int64_t i = 0; i < n; ++i) {
        const T v = RandomFloat<T>(random);
        x.Set(i, v);
        if constexpr (std::is_floating_point_v<T>)
          expected *= v;
        else
          expected = T(expected.real() * v.real() - expected.imag() * v.imag(),
                       expected.real() * v.imag() + expected.imag() * v.real());
      }
      T product{};
      Arguments({n}).Array(x).Operand(&product, {0}).Run(**kernel);
      ASSERT_TRUE(SameBits(product, expected)) << target.cpu << " " << n;
    }
  }
}

TEST(Reduction, SumOfNothingAndOfMinusZeros) {
  KernelText text{.in = {"f64"},
                  .out = {"f64"},
                  .inner = {1, 0},
                  .body = "fuseau.yield %a0 : f64",
                  .reduction = "inner",
                  .combiners = {"sum"}};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const std::vector<double> x(20, -0.0);
  for (int64_t n : {0, 1, 20}) {
    double sum = 5;
    Arguments({n}).Operand(x.data(), {8}).Operand(&sum, {0}).Run(**kernel);
    EXPECT_TRUE(SameBits(sum, 0.0)) << n;
  }
}

// Rows of a matrix, several outputs of all kinds, results joined to old ones.
TEST(Reduction, RowsWithSeveralOutputs) {
  for (const Target& target : TestTargets()) {
    for (bool accumulate : {false, true}) {
      KernelText text{
          .rank = 2,
          .in = {"f64", "complex<f64>", "si32"},
          .out = {"f64", "f64", "complex<f64>", "si32", "f64", "f64"},
          .inner = {1, 1, 1, 0, 0, 0, 0, 0, 0},
          .body =
              "%m = arith.mulf %a0, %a0 : f64\n fuseau.yield %a0, %m, %a1, "
              "%a2, %a0, %a0 : f64, f64, complex<f64>, i32, f64, f64",
          .reduction = accumulate ? "inner_accumulate" : "inner",
          .combiners = {"sum", "max", "sum", "prod", "prod", "ordered_sum"}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      std::mt19937_64 random(7);
      for (int64_t n : {1, 3, 8, 30, 129, 300}) {
        constexpr int64_t kRows = 3;
        std::vector<double> x(kRows * n);
        std::vector<std::complex<double>> z(kRows * n);
        std::vector<int32_t> k(kRows * n);
        for (int64_t i = 0; i < kRows * n; ++i) {
          x[i] = RandomFloat<double>(random);
          z[i] = RandomFloat<std::complex<double>>(random);
          k[i] = 2 * (random() % 1000) + 1;
        }
        double sum[kRows], max[kRows], prod[kRows], ordered[kRows];
        std::complex<double> zsum[kRows];
        int32_t iprod[kRows];
        for (int r = 0; r < kRows; ++r) {
          sum[r] = 10, max[r] = 1, zsum[r] = {1, 2}, iprod[r] = 3;
          prod[r] = 1.5, ordered[r] = 0.7;
        }
        Arguments({kRows, n})
            .Operand(x.data(), {8 * n, 8})
            .Operand(z.data(), {16 * n, 16})
            .Operand(k.data(), {4 * n, 4})
            .Operand(sum, {8, 0})
            .Operand(max, {8, 0})
            .Operand(zsum, {16, 0})
            .Operand(iprod, {4, 0})
            .Operand(prod, {8, 0})
            .Operand(ordered, {8, 0})
            .Run(**kernel);
        for (int64_t r = 0; r < kRows; ++r) {
          const std::vector<double> row(x.begin() + r * n,
                                        x.begin() + (r + 1) * n);
          double want = ExpectedSum(row);
          if (accumulate) want = 10 + want;
          EXPECT_TRUE(SameBits(sum[r], want)) << n;
          double best = accumulate ? 1 : -INFINITY;
          double in_order = accumulate ? 1.5 : 1;
          double one_by_one = accumulate ? 0.7 : 0;
          uint32_t product = accumulate ? 3 : 1;
          for (int64_t i = 0; i < n; ++i) {
            best = std::max(best, row[i] * row[i]);
            in_order *= row[i];
            one_by_one += row[i];
            product *= k[r * n + i];
          }
          EXPECT_EQ(max[r], best);
          EXPECT_TRUE(SameBits(prod[r], in_order));
          EXPECT_TRUE(SameBits(ordered[r], one_by_one));
          EXPECT_EQ(iprod[r], int32_t(product));
          auto zwant = ExpectedSum(std::vector<std::complex<double>>(
              z.begin() + r * n, z.begin() + (r + 1) * n));
          if (accumulate) zwant = std::complex<double>(1, 2) + zwant;
          EXPECT_TRUE(SameBits(zsum[r], zwant)) << n;
        }
      }
    }
  }
}

template <typename T>
void TestFree(const char* combiner, T (*join)(T, T), T identity) {
  for (const Target& target : TestTargets()) {
    for (int inner : {1, 2}) {
      KernelText text{.in = {TypeName<T>()},
                      .out = {TypeName<T>()},
                      .inner = {inner, 0},
                      .body = "fuseau.yield %a0 : " + BodyTypeName<T>(),
                      .reduction = "inner",
                      .combiners = {combiner}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      std::mt19937_64 random(7);
      for (int64_t n : Sizes()) {
        TestArray<T> x(n, inner);
        T expected = identity;
        for (int64_t i = 0; i < n; ++i) {
          // For bools: all equal but for one.
          T v = static_cast<T>(random());
          if (std::is_same_v<T, bool>) v = (i == n - 1) ^ (identity);
          x.Set(i, v);
          expected = join(expected, v);
        }
        T result{};
        Arguments({n}).Array(x).Operand(&result, {0}).Run(**kernel);
        ASSERT_EQ(+result, +expected) << target.cpu << " " << combiner << n;
      }
    }
  }
}

TEST(Reduction, Integers) {
  TestFree<int32_t>(
      "sum",
      [](int32_t a, int32_t b) { return int32_t(uint32_t(a) + uint32_t(b)); },
      0);
  TestFree<int64_t>(
      "prod",
      [](int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); },
      1);
  TestFree<int8_t>(
      "max", [](int8_t a, int8_t b) { return std::max(a, b); }, INT8_MIN);
  TestFree<uint16_t>(
      "min", [](uint16_t a, uint16_t b) { return std::min(a, b); }, UINT16_MAX);
  TestFree<uint64_t>(
      "max", [](uint64_t a, uint64_t b) { return std::max(a, b); }, 0);
  TestFree<bool>("any", [](bool a, bool b) { return a || b; }, false);
  TestFree<bool>("all", [](bool a, bool b) { return a && b; }, true);
}

TEST(Reduction, MaximumKeepsNaN) {
  for (const Target& target : TestTargets()) {
    for (const char* combiner : {"max", "min"}) {
      KernelText text{.in = {"f32"},
                      .out = {"f32"},
                      .inner = {1, 0},
                      .body = "fuseau.yield %a0 : f32",
                      .reduction = "inner",
                      .combiners = {combiner}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      for (int64_t n : {1, 2, 5, 16, 17, 33, 65, 129, 200}) {
        for (int64_t place = -1; place < n; ++place) {
          std::vector<float> x(n);
          for (int64_t i = 0; i < n; ++i) x[i] = float((i * 37) % 101) - 50;
          const float best = combiner[1] == 'a'
                                 ? *std::max_element(x.begin(), x.end())
                                 : *std::min_element(x.begin(), x.end());
          if (place >= 0) x[place] = NAN;
          float result = 0;
          Arguments({n})
              .Operand(x.data(), {4})
              .Operand(&result, {0})
              .Run(**kernel);
          if (place < 0)
            ASSERT_EQ(result, best) << n;
          else
            ASSERT_TRUE(std::isnan(result)) << n << " " << place;
        }
      }
    }
  }
}

// Sums along the first dimension: rows are added in order.
TEST(Reduction, OuterKeepsOrder) {
  for (const Target& target : TestTargets()) {
    for (int inner : {1, 2}) {
      KernelText text{.rank = 2,
                      .in = {"f64", "f64"},
                      .out = {"f64", "f64"},
                      .inner = {inner, 0, 1, 1},
                      .body = R"(
          %m = arith.mulf %a0, %a1 : f64
          fuseau.yield %m, %a0 : f64, f64)",
                      .reduction = "outer",
                      .combiners = {"sum", "max"}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      std::mt19937_64 random(7);
      for (int64_t rows : {1, 2, 3, 4, 5, 9}) {
        for (int64_t n : {1, 7, 16, 45}) {
          std::vector<double> x(rows * n * 2), w(rows), sum(n, 0.25),
              want(n, 0.25), max(n, -1), best(n, -1);
          for (double& v : x) v = RandomFloat<double>(random);
          for (double& v : w) v = RandomFloat<double>(random);
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t i = 0; i < n; ++i) {
              want[i] += x[(r * n + i) * inner] * w[r];
              best[i] = std::max(best[i], x[(r * n + i) * inner]);
            }
          Arguments({rows, n})
              .Operand(x.data(), {8 * n * inner, 8 * inner})
              .Operand(w.data(), {8, 0})
              .Operand(sum.data(), {0, 8})
              .Operand(max.data(), {0, 8})
              .Run(**kernel);
          ASSERT_EQ(sum, want) << target.cpu << rows << " " << n;
          ASSERT_EQ(max, best);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fuseau::codegen

// Kernels that compute several rows a turn give what one row a turn gives.

#include <gtest/gtest.h>

#include <random>

#include "codegen/cpu/kernel_test_util.h"

namespace fuseau::codegen {
namespace {

struct Shape {
  int64_t planes, rows, columns;
};

std::vector<double> RandomNumbers(int64_t n) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0.1, 1);
  std::vector<double> result(n);
  for (double& x : result) x = normal(random);
  return result;
}

std::unique_ptr<runtime::Kernel> Compile(KernelText text, int rows,
                                         const Target& target) {
  text.rows = rows;
  auto kernel = CompileText(text.str(), target);
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  return *std::move(kernel);
}

// Sums over the middle dimension of w[plane][row] * x[plane][row][column].
TEST(RowGroups, SumInTheOrderOfTheRows) {
  const KernelText text{.rank = 3,
                        .in = {"f64", "f64"},
                        .out = {"f64", "f64"},
                        .inner = {0, 1, 1, 1},
                        .body =
                            "%0 = arith.mulf %a0, %a1 : f64\n"
                            "fuseau.yield %0, %a1 : f64, f64",
                        .reduction = "outer",
                        .combiners = {"sum", "max"}};
  for (const Target& target : TestTargets()) {
    for (int rows : {2, 4, 8}) {
      auto kernel = Compile(text, rows, target);
      for (const Shape& s : {Shape{1, 1, 1}, Shape{2, 3, 5}, Shape{3, 8, 17},
                             Shape{2, 21, 130}, Shape{1, 9, 4100}}) {
        const int64_t r = s.rows, c = s.columns, n = s.planes * r * c;
        const std::vector<double> x = RandomNumbers(n);
        const std::vector<double> w = RandomNumbers(s.planes * r);
        std::vector<double> sum(s.planes * c, 0), max(sum.size(), -1e9);
        std::vector<double> want_sum = sum, want_max = max;
        for (int64_t i = 0; i < n; ++i) {
          const int64_t out = i / (r * c) * c + i % c;
          want_sum[out] += w[i / c] * x[i];
          want_max[out] = std::max(want_max[out], x[i]);
        }
        Arguments({s.planes, r, c})
            .Operand(w.data(), {8 * r, 8, 0})
            .Operand(x.data(), {8 * r * c, 8 * c, 8})
            .Operand(sum.data(), {8 * c, 0, 8})
            .Operand(max.data(), {8 * c, 0, 8})
            .Run(*kernel);
        EXPECT_EQ(sum, want_sum) << target.cpu << " " << rows << " " << c;
        EXPECT_EQ(max, want_max);
      }
    }
  }
}

TEST(RowGroups, TransposedOperand) {
  const KernelText text{.rank = 2,
                        .in = {"f64", "f64"},
                        .out = {"f64"},
                        .inner = {1, 2, 1},
                        .body =
                            "%0 = arith.addf %a0, %a1 : f64\n"
                            "fuseau.yield %0 : f64"};
  for (const Target& target : TestTargets()) {
    auto kernel = Compile(text, 8, target);
    for (const Shape& s :
         {Shape{1, 1, 1}, Shape{1, 7, 9}, Shape{1, 8, 40}, Shape{1, 35, 67}}) {
      const int64_t r = s.rows, c = s.columns;
      const std::vector<double> a = RandomNumbers(r * c);
      std::vector<double> sum(r * c), want(r * c);
      for (int64_t i = 0; i < r * c; ++i) want[i] = a[i] + a[i % c * r + i / c];
      // Row ranges as the executor cuts them.
      Arguments arguments({r, c});
      arguments.Operand(a.data(), {8 * c, 8})
          .Operand(a.data(), {8, 8 * r})
          .Operand(sum.data(), {8 * c, 8});
      arguments.Run(*kernel, 0, r / 3);
      arguments.Run(*kernel, r / 3, r);
      EXPECT_EQ(sum, want) << target.cpu << " " << r << " " << c;
    }
  }
}

// Vectors run along the last but one dimension.
TEST(RowGroups, TurnedRows) {
  KernelText text{.in = {"f64", "f64", "f64"},
                  .out = {"f64"},
                  .inner = {2, 0, 1, 2},
                  .body =
                      "%0 = arith.subf %a0, %a1 : f64\n"
                      "%1 = arith.mulf %0, %a2 : f64\n"
                      "fuseau.yield %1 : f64",
                  .turned = true};
  for (const Target& target : TestTargets()) {
    for (int rank : {2, 3}) {
      text.rank = rank;
      for (int rows : {1, 2, 3}) {
        auto kernel = Compile(text, rows, target);
        for (int64_t n : {1, 9, 40, 1300}) {
          const int64_t planes = rank == 3 ? 4 : 1, c = 3;
          const std::vector<double> x = RandomNumbers(planes * n * c),
                                    y = RandomNumbers(c), w = RandomNumbers(n);
          std::vector<double> out(x.size()), want(x.size());
          for (int64_t i = 0; i < planes * n * c; ++i)
            want[i] = (x[i] - y[i % c]) * w[i / c % n];
          const auto strides = [&](std::vector<int64_t> of) {
            if (rank == 2) of.erase(of.begin());
            return of;
          };
          Arguments arguments(strides({planes, n, c}));
          arguments.Operand(x.data(), strides({8 * n * c, 8 * c, 8}))
              .Operand(y.data(), strides({0, 0, 8}))
              .Operand(w.data(), strides({0, 8, 0}))
              .Operand(out.data(), strides({8 * n * c, 8 * c, 8}));
          const int64_t all = rank == 3 ? planes : n;
          arguments.Run(*kernel, 0, all / 3);
          arguments.Run(*kernel, all / 3, all);
          EXPECT_EQ(out, want) << target.cpu << rank << " " << rows << " " << n;
        }
      }
    }
  }
}

TEST(RowGroups, RefusesCallsAndRowsOfOneDimension) {
  KernelText text{.in = {"f64"},
                  .out = {"f64"},
                  .inner = {1, 1},
                  .body = "fuseau.yield %a0 : f64",
                  .rows = 2};
  EXPECT_FALSE(CompileText(text.str(), TestTargets()[0]).ok());
  text.rank = 2;
  text.body =
      "%0 = fuseau.call \"exp.d->d\"(%a0) : (f64) -> f64\n"
      "fuseau.yield %0 : f64";
  EXPECT_FALSE(CompileText(text.str(), TestTargets()[0]).ok());
}

}  // namespace
}  // namespace fuseau::codegen

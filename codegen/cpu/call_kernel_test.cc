// Kernels that call NumPy's inner loops, with loops of our own in their place.

#include <gtest/gtest.h>

#include <cmath>

#include "codegen/cpu/kernel_test_util.h"
#include "runtime/inner_loops.h"

namespace fuseau::codegen {
namespace {

struct Calls {
  int count = 0;
  int64_t longest = 0;
  std::vector<int64_t> steps;
};
Calls& Log() {
  static Calls calls;
  return calls;
}

// Elements are read before anything is written, to catch shared memory.
template <typename T, typename R, int arity, typename F>
void ApplyLoop(char** args, const int64_t* n, const int64_t* steps, F f) {
  ++Log().count;
  Log().longest = std::max(Log().longest, *n);
  Log().steps.assign(steps, steps + arity + 1);
  std::vector<R> results;
  for (int64_t i = 0; i < *n; ++i) {
    T x[2] = {};
    for (int k = 0; k < arity; ++k)
      memcpy(&x[k], args[k] + i * steps[k], sizeof(T));
    results.push_back(f(x[0], x[1]));
  }
  for (int64_t i = 0; i < *n; ++i) {
    const R r = results[i];
    memcpy(args[arity] + i * steps[arity], &r, sizeof(R));
  }
}

void Exp(char** a, const int64_t* n, const int64_t* s, void*) {
  ApplyLoop<double, double, 1>(a, n, s,
                               [](double x, double) { return std::exp(x); });
}
void Power(char** a, const int64_t* n, const int64_t* s, void*) {
  ApplyLoop<double, double, 2>(
      a, n, s, [](double x, double y) { return std::pow(x, y); });
}
void Scale(char** a, const int64_t* n, const int64_t* s, void* data) {
  const double factor = *static_cast<double*>(data);
  ApplyLoop<double, double, 1>(a, n, s,
                               [=](double x, double) { return factor * x; });
}
void Absolute(char** a, const int64_t* n, const int64_t* s, void*) {
  using C = std::complex<double>;
  ApplyLoop<C, double, 1>(a, n, s, [](C x, C) { return std::abs(x); });
}
void LogicalNot(char** a, const int64_t* n, const int64_t* s, void*) {
  ApplyLoop<uint8_t, uint8_t, 1>(
      a, n, s, [](uint8_t x, uint8_t) { return uint8_t(x ? 0 : 1); });
}

class CallKernel : public testing::Test {
 protected:
  void SetUp() override {
    static double factor = 3;
    runtime::RegisterInnerLoop("exp.d->d", {Exp, nullptr});
    runtime::RegisterInnerLoop("power.dd->d", {Power, nullptr});
    runtime::RegisterInnerLoop("scale.d->d", {Scale, &factor});
    runtime::RegisterInnerLoop("absolute.D->d", {Absolute, nullptr});
    runtime::RegisterInnerLoop("logical_not.?->?", {LogicalNot, nullptr});
    Log() = {};
  }
};

const int64_t kSizes[] = {1, 5, 8, 100, 511, 512, 513, 1300};

TEST_F(CallKernel, TwoLevels) {
  for (const Target& target : TestTargets()) {
    for (int inner : {1, 2, -1}) {
      KernelText text{.in = {"f64", "f64"},
                      .scalars = {"f64"},
                      .out = {"f64", "f64"},
                      .inner = {inner, 1, inner, 1},
                      .body = R"(
          %s = arith.mulf %a0, %a2 : f64
          %e = fuseau.call "exp.d->d"(%s) : (f64) -> f64
          %f = arith.addf %e, %a1 : f64
          %p = fuseau.call "power.dd->d"(%f, %a2) : (f64, f64) -> f64
          %t = fuseau.call "scale.d->d"(%a1) : (f64) -> f64
          %g = arith.subf %p, %s : f64
          %h = arith.addf %g, %t : f64
          fuseau.yield %h, %e : f64, f64)"};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      for (int64_t n : kSizes) {
        TestArray<double> a(n, inner), b(n, 1), c(n, inner), d(n, 1);
        for (int64_t i = 0; i < n; ++i) {
          a.Set(i, 0.001 * i);
          b.Set(i, 1.5 + i);
        }
        // The second output takes the place of the second input.
        std::vector<double> first, second;
        for (int64_t i = 0; i < n; ++i) {
          const double s = a.Get(i) * 0.7;
          const double e = std::exp(s);
          second.push_back(e);
          first.push_back((std::pow(e + b.Get(i), 0.7) - s) + 3 * b.Get(i));
        }
        Arguments({n}).Array(a).Array(b).Array(c).Array(b).Scalar(0.7).Run(
            **kernel);
        for (int64_t i = 0; i < n; ++i) {
          ASSERT_EQ(c.Get(i), first[i]) << target.cpu << " " << n << " " << i;
          ASSERT_EQ(b.Get(i), second[i]);
        }
        ASSERT_TRUE(c.GapsUntouched());
      }
      EXPECT_LE(Log().longest, 512);
    }
  }
}

TEST_F(CallKernel, DirectOperandsAndSteps) {
  KernelText text{
      .in = {"f64", "f64"}, .out = {"f64"}, .inner = {1, 0, 1}, .body = R"(
      %p = fuseau.call "power.dd->d"(%a0, %a1) : (f64, f64) -> f64
      fuseau.yield %p : f64)"};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  for (int64_t n : kSizes) {
    TestArray<double> a(n, 1), b(n, 0), c(n, 1);
    for (int64_t i = 0; i < n; ++i) a.Set(i, 0.5 + i);
    b.Set(0, 1.25);
    Arguments({n}).Array(a).Array(b).Array(c).Run(**kernel);
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(c.Get(i), std::pow(a.Get(i), 1.25));
    // In place.
    Arguments({n}).Array(a).Array(b).Array(a).Run(**kernel);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(a.Get(i), c.Get(i));
  }
  EXPECT_EQ(Log().steps, (std::vector<int64_t>{8, 0, 8}));
}

TEST_F(CallKernel, ComplexAndBool) {
  for (const Target& target : TestTargets()) {
    KernelText text{.in = {"complex<f64>", "f64"},
                    .out = {"f64", "i1"},
                    .inner = {2, 1, 1, 1},
                    .body = R"(
        %n = complex.neg %a0 : complex<f64>
        %m = fuseau.call "absolute.D->d"(%n) : (complex<f64>) -> f64
        %l = arith.cmpf olt, %m, %a1 : f64
        %b = fuseau.call "logical_not.?->?"(%l) : (i1) -> i1
        fuseau.yield %m, %b : f64, i1)"};
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t n : kSizes) {
      TestArray<std::complex<double>> a(n, 2);
      TestArray<double> b(n, 1), m(n, 1);
      TestArray<bool> r(n, 1);
      for (int64_t i = 0; i < n; ++i) {
        a.Set(i, {0.1 * i, 3.0 - i});
        b.Set(i, 50);
      }
      Arguments({n}).Array(a).Array(b).Array(m).Array(r).Run(**kernel);
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(m.Get(i), std::abs(a.Get(i)));
        ASSERT_EQ(r.Get(i), !(m.Get(i) < 50));
      }
    }
  }
}

double Pairwise(const std::vector<double>& x, int64_t start, int64_t n) {
  if (n <= 128) {
    double r[8] = {-0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0};
    int64_t i = 0;
    for (; i < n - n % 8; ++i) r[i % 8] += x[start + i];
    double sum =
        ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) sum += x[start + i];
    return sum;
  }
  int64_t half = n / 2;
  half -= half % 8;
  return Pairwise(x, start, half) + Pairwise(x, start + half, n - half);
}

TEST_F(CallKernel, Reductions) {
  for (const Target& target : TestTargets()) {
    for (const char* combiner : {"sum", "max"}) {
      KernelText text{.in = {"f64", "f64"},
                      .out = {"f64"},
                      .inner = {1, 2, 0},
                      .body = R"(
          %d = arith.subf %a0, %a1 : f64
          %e = fuseau.call "exp.d->d"(%d) : (f64) -> f64
          %g = arith.mulf %e, %a0 : f64
          fuseau.yield %g : f64)",
                      .reduction = "inner",
                      .combiners = {combiner}};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      for (int64_t n : kSizes) {
        TestArray<double> a(n, 1), b(n, 2);
        std::vector<double> values;
        for (int64_t i = 0; i < n; ++i) {
          a.Set(i, std::sin(i));
          b.Set(i, std::cos(3 * i));
          values.push_back(std::exp(a.Get(i) - b.Get(i)) * a.Get(i));
        }
        double result = 0;
        Arguments({n}).Array(a).Array(b).Operand(&result, {0}).Run(**kernel);
        const double want =
            combiner[0] == 's'
                ? Pairwise(values, 0, n)
                : *std::max_element(values.begin(), values.end());
        ASSERT_EQ(result, want) << target.cpu << " " << combiner << " " << n;
      }
    }
  }
}

TEST_F(CallKernel, Rows) {
  KernelText text{
      .rank = 2, .in = {"f64"}, .out = {"f64"}, .inner = {1, 1}, .body = R"(
      %e = fuseau.call "exp.d->d"(%a0) : (f64) -> f64
      fuseau.yield %e : f64)"};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  std::vector<double> a(3 * 700), c(3 * 700);
  for (size_t i = 0; i < a.size(); ++i) a[i] = 0.001 * i;
  Arguments({3, 700})
      .Operand(a.data(), {5600, 8})
      .Operand(c.data(), {5600, 8})
      .Run(**kernel);
  for (size_t i = 0; i < a.size(); ++i) ASSERT_EQ(c[i], std::exp(a[i]));
}

TEST_F(CallKernel, MissingLoop) {
  KernelText text{.in = {"f64"}, .out = {"f64"}, .inner = {1, 1}, .body = R"(
      %e = fuseau.call "no_such.d->d"(%a0) : (f64) -> f64
      fuseau.yield %e : f64)"};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  ASSERT_FALSE(kernel.ok());
  EXPECT_NE(kernel.status().message().find("no_such.d->d"), std::string::npos)
      << kernel.status();
  // The failure leaves nothing behind.
  runtime::RegisterInnerLoop("no_such.d->d", {Exp, nullptr});
  EXPECT_TRUE(CompileText(text.str(), *MakeTarget("")).ok());
}

}  // namespace
}  // namespace fuseau::codegen

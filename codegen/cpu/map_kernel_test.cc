// Kernels without reductions: element types, strides, ranks, aliasing.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "codegen/cpu/kernel_test_util.h"
#include "runtime/base/float_flags.h"

namespace fuseau::codegen {
namespace {

template <typename T>
T RandomValue(std::mt19937_64& random) {
  if constexpr (std::is_same_v<T, bool>) {
    return random() & 1;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(random());
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(std::normal_distribution<double>(0, 100)(random));
  } else {
    using Part = typename T::value_type;
    return {RandomValue<Part>(random), RandomValue<Part>(random)};
  }
}

template <typename T>
T Add(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) +
                          static_cast<std::make_unsigned_t<T>>(b));
  } else {
    return a + b;
  }
}

template <typename T>
std::string AddBody() {
  std::string op = "arith.addi";
  if (std::is_same_v<T, bool>) op = "arith.ori";
  if (std::is_floating_point_v<T>) op = "arith.addf";
  if (!std::is_arithmetic_v<T>) op = "complex.add";
  const std::string type = BodyTypeName<T>();
  return absl::StrCat("%c = ", op, " %a0, %a1 : ", type,
                      "\nfuseau.yield %c : ", type);
}

template <typename T>
void TestClasses(const Target& target, OptLevel level, int a_inner, int b_inner,
                 int c_inner) {
  SCOPED_TRACE(absl::StrCat(TypeName<T>(), " ", target.cpu, " classes ",
                            a_inner, " ", b_inner, " ", c_inner));
  KernelText text{.in = {TypeName<T>(), TypeName<T>()},
                  .out = {TypeName<T>()},
                  .inner = {a_inner, b_inner, c_inner},
                  .body = AddBody<T>()};
  auto kernel = CompileText(text.str(), target, level);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  std::mt19937_64 random(1);
  std::vector<int64_t> sizes = {40, 63, 64, 65, 100, 127, 128, 129, 130, 1000};
  for (int64_t n = 0; n < 36; ++n) sizes.push_back(n);
  for (int64_t n : sizes) {
    TestArray<T> a(n, a_inner), b(n, b_inner), c(n, c_inner);
    for (int64_t i = 0; i < (a_inner ? n : 1); ++i)
      a.Set(i, RandomValue<T>(random));
    for (int64_t i = 0; i < (b_inner ? n : 1); ++i)
      b.Set(i, RandomValue<T>(random));
    Arguments({n}).Array(a).Array(b).Array(c).Run(**kernel);
    for (int64_t i = 0; i < n; ++i)
      ASSERT_TRUE(SameBits(c.Get(i), Add<T>(a.Get(i), b.Get(i))))
          << "n " << n << " i " << i;
    ASSERT_TRUE(c.GapsUntouched()) << "n " << n;
  }
}

template <typename T>
class MapKernelTest : public testing::Test {};
using AllTypes =
    testing::Types<bool, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t,
                   int64_t, uint64_t, float, double, std::complex<float>,
                   std::complex<double>>;
TYPED_TEST_SUITE(MapKernelTest, AllTypes);

TYPED_TEST(MapKernelTest, StrideClasses) {
  for (const Target& target : TestTargets()) {
    int count = 0;
    for (auto [a, b, c] : std::vector<std::array<int, 3>>{{1, 1, 1},
                                                          {0, 1, 1},
                                                          {1, -1, 1},
                                                          {2, 1, 1},
                                                          {1, 2, -1},
                                                          {-1, 0, 2},
                                                          {2, 2, 2},
                                                          {0, 0, 1}}) {
      TestClasses<TypeParam>(
          target, ++count % 3 ? OptLevel::kO1 : OptLevel::kO0, a, b, c);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(MapKernelTest, InPlace) {
  using T = TypeParam;
  for (const Target& target : TestTargets()) {
    for (int inner : {1, -1, 2}) {
      KernelText text{.in = {TypeName<T>(), TypeName<T>()},
                      .out = {TypeName<T>()},
                      .inner = {inner, 1, inner},
                      .body = AddBody<T>()};
      auto kernel = CompileText(text.str(), target);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      std::mt19937_64 random(1);
      for (int64_t n : {1, 7, 17, 100, 301}) {
        TestArray<T> a(n, inner), b(n, 1);
        std::vector<T> expected;
        for (int64_t i = 0; i < n; ++i) {
          a.Set(i, RandomValue<T>(random));
          b.Set(i, RandomValue<T>(random));
          expected.push_back(Add<T>(a.Get(i), b.Get(i)));
        }
        Arguments({n}).Array(a).Array(b).Array(a).Run(**kernel);
        for (int64_t i = 0; i < n; ++i)
          ASSERT_TRUE(SameBits(a.Get(i), T(expected[i]))) << n << " " << i;
      }
    }
  }
}

// Any rank, any strides, and a kernel called on pieces of dimension 0.
TEST(MapKernel, Ranks) {
  for (const Target& target : TestTargets()) {
    for (int rank = 0; rank <= 4; ++rank) {
      for (int inner : {1, 2, -1}) {
        KernelText text{.rank = rank,
                        .in = {"f64", "si32"},
                        .scalars = {"f32"},
                        .out = {"f64"},
                        .inner = {inner, 1, 1},
                        .body = R"(
            %x = arith.sitofp %a1 : i32 to f64
            %s = arith.extf %a2 : f32 to f64
            %y = arith.mulf %a0, %x : f64
            %z = arith.subf %y, %s : f64
            fuseau.yield %z : f64)"};
        auto kernel = CompileText(text.str(), target);
        ASSERT_TRUE(kernel.ok()) << kernel.status();
        const std::vector<int64_t> all = {3, 2, 5, 21};
        std::vector<int64_t> sizes(all.end() - rank, all.end());
        int64_t count = 1;
        for (int64_t s : sizes) count *= s;
        std::vector<int64_t> dense(rank), wide(rank), ints(rank);
        int64_t step = 1;
        for (int d = rank - 1; d >= 0; --d) {
          dense[d] = 8 * step;
          ints[d] = 4 * step;
          wide[d] = 8 * step * (d + 1 == rank ? 1 : 2);
          if (inner == 2) wide[d] *= 2;
          step *= sizes[d];
        }
        std::vector<double> a(4 * count + 8), c(count), expected(count);
        std::vector<int32_t> b(count);
        for (size_t i = 0; i < a.size(); ++i) a[i] = 0.37 * i;
        for (int64_t i = 0; i < count; ++i) b[i] = i * i - 50;
        double* start = a.data();
        if (inner == -1 && rank > 0) {
          start += sizes[rank - 1] - 1;
          wide[rank - 1] = -8;
        }
        for (int64_t i = 0; i < count; ++i) {
          int64_t rest = i, offset = 0;
          for (int d = rank - 1; d >= 0; --d) {
            offset += rest % sizes[d] * wide[d];
            rest /= sizes[d];
          }
          expected[i] = start[offset / 8] * b[i] - double{2.5f};
        }
        Arguments arguments(sizes);
        arguments.Operand(start, wide)
            .Operand(b.data(), ints)
            .Operand(c.data(), dense)
            .Scalar(2.5f);
        if (rank == 0 || sizes[0] == 1) {
          arguments.Run(**kernel);
        } else {
          arguments.Run(**kernel, 1, sizes[0]);
          arguments.Run(**kernel, 0, 1);
        }
        EXPECT_EQ(c, expected) << target.cpu << " " << rank << " " << inner;
      }
    }
  }
}

TEST(MapKernel, EmptyInnerDimension) {
  KernelText text{.rank = 2,
                  .in = {"f64"},
                  .out = {"f64"},
                  .inner = {0, 1},
                  .body = "fuseau.yield %a0 : f64"};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  Arguments({3, 0})
      .Operand(nullptr, {0, 0})
      .Operand(nullptr, {0, 8})
      .Run(**kernel);
}

TEST(MapKernel, Iotas) {
  for (const Target& target : TestTargets()) {
    KernelText text{.rank = 2,
                    .in = {"si64", "f64", "si32", "si64"},
                    .out = {"f64"},
                    .inner = {2, 1, 1, 0, 1},
                    .body = R"(
        %x = arith.sitofp %a0 : i64 to f64
        %y = arith.addf %x, %a1 : f64
        %i = arith.sitofp %a2 : i32 to f64
        %z = arith.mulf %y, %i : f64
        %j = arith.sitofp %a3 : i64 to f64
        %r = arith.subf %z, %j : f64
        fuseau.yield %r : f64)",
                    .iotas = 0b1101};
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t n : {1, 5, 8, 33}) {
      std::vector<double> a(3 * n, 0.5), c(3 * n), expected(3 * n);
      for (int64_t i = 0; i < 3; ++i)
        for (int64_t j = 0; j < n; ++j)
          expected[i * n + j] =
              (double(7 + 100 * i - 3 * j) + 0.5) * double(j) - double(4 * i);
      Arguments({3, n})
          .Iota(7, {100, -3})
          .Operand(a.data(), {8 * n, 8})
          .Iota(0, {0, 1})
          .Iota(0, {4, 0})
          .Operand(c.data(), {8 * n, 8})
          .Run(**kernel);
      EXPECT_EQ(c, expected) << target.cpu << " " << n;
    }
  }
}

// Narrow and wide types in one body, several outputs, scalars of all kinds.
TEST(MapKernel, MixedTypes) {
  for (const Target& target : TestTargets()) {
    KernelText text{.in = {"i1", "ui8", "f64"},
                    .scalars = {"i1", "complex<f32>", "si16"},
                    .out = {"f32", "i1", "complex<f32>"},
                    .inner = {1, 1, 1, 1, 1, 1},
                    .body = R"(
        %u = arith.uitofp %a1 : i8 to f64
        %s = arith.select %a0, %u, %a2 : f64
        %f = arith.truncf %s : f64 to f32
        %p = arith.xori %a0, %a3 : i1
        %i = arith.sitofp %a5 : i16 to f32
        %z = complex.create %f, %i : complex<f32>
        %w = complex.add %z, %a4 : complex<f32>
        fuseau.yield %f, %p, %w : f32, i1, complex<f32>)"};
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t n : {0, 1, 3, 8, 31, 100}) {
      TestArray<bool> a(n, 1), p(n, 1);
      TestArray<uint8_t> b(n, 1);
      TestArray<double> d(n, 1);
      TestArray<float> f(n, 1);
      TestArray<std::complex<float>> w(n, 1);
      for (int64_t i = 0; i < n; ++i) {
        a.Set(i, i % 3 == 0);
        b.Set(i, 7 * i);
        d.Set(i, 0.1 * i);
      }
      Arguments({n})
          .Array(a)
          .Array(b)
          .Array(d)
          .Array(f)
          .Array(p)
          .Array(w)
          .Scalar(true)
          .Scalar(std::complex<float>(1.5f, -2))
          .Scalar(int16_t{-300})
          .Run(**kernel);
      for (int64_t i = 0; i < n; ++i) {
        const float x = a.Get(i) ? float(b.Get(i)) : float(d.Get(i));
        ASSERT_EQ(f.Get(i), x);
        ASSERT_EQ(p.Get(i), !a.Get(i));
        ASSERT_EQ(w.Get(i), std::complex<float>(x + 1.5f, -302));
      }
    }
  }
}

// Comparing a quiet NaN is no error, nor is taking the larger of it and
// another.
TEST(MapKernel, ComparisonsOfNanRaiseNoFlag) {
  KernelText text{
      .in = {"f64", "f64"}, .out = {"f64"}, .inner = {1, 1, 1}, .body = R"(
      %l = arith.cmpf olt, %a0, %a1 : f64
      %g = arith.cmpf oge, %a0, %a1 : f64
      %u = arith.cmpf ule, %a0, %a1 : f64
      %m = arith.select %l, %a0, %a1 : f64
      %n = arith.select %g, %a1, %m : f64
      %q = arith.select %u, %n, %a0 : f64
      fuseau.yield %q : f64)"};
  for (const Target& target : TestTargets()) {
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    TestArray<double> a(37, 1), b(37, 1), c(37, 1);
    for (int i = 0; i < 37; ++i) {
      a.Set(i, i % 3 == 0 ? std::nan("") : i);
      b.Set(i, i % 5 == 0 ? std::nan("") : 7);
    }
    ClearFloatFlags();
    Arguments({37}).Array(a).Array(b).Array(c).Run(**kernel);
    EXPECT_EQ(TestFloatFlags(), 0) << target.cpu;
    EXPECT_EQ(c.Get(2), 2);
  }
}

// Lanes beyond the end must not raise floating-point exceptions.
TEST(MapKernel, NoSpuriousExceptions) {
  KernelText text{
      .in = {"f64", "f64"}, .out = {"f64"}, .inner = {1, 1, 1}, .body = R"(
      %q = arith.divf %a0, %a1 : f64
      fuseau.yield %q : f64)"};
  for (const Target& target : TestTargets()) {
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    TestArray<double> a(5, 1), b(5, 1), c(5, 1);
    for (int i = 0; i < 5; ++i) {
      a.Set(i, 3);
      b.Set(i, 2);
    }
    unsigned state;
    asm volatile("stmxcsr %0" : "=m"(state));
    state &= ~0x3fu;
    asm volatile("ldmxcsr %0" : : "m"(state));
    Arguments({5}).Array(a).Array(b).Array(c).Run(**kernel);
    asm volatile("stmxcsr %0" : "=m"(state));
    EXPECT_EQ(state & 0x3f, 0u) << target.cpu;
    EXPECT_EQ(c.Get(4), 1.5);
  }
}

TEST(MapKernel, UnsupportedOp) {
  KernelText text{.in = {"f64"}, .out = {"f64"}, .inner = {1, 1}, .body = R"(
      %q = math.exp %a0 : f64
      fuseau.yield %q : f64)"};
  auto kernel = CompileText(text.str(), *MakeTarget(""));
  EXPECT_EQ(kernel.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(kernel.status().message().find("math.exp"), std::string::npos);
}

}  // namespace
}  // namespace fuseau::codegen

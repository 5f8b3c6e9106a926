// Scalar ops and casts, in vectors and single elements, against C++.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "absl/strings/str_format.h"
#include "codegen/cpu/kernel_test_util.h"

namespace fuseau::codegen {
namespace {

// Applies a body with operands of type T and a result of type R to all given
// operands, on every target, at lengths that use vectors and single elements.
template <typename T, typename R>
void TestOp(const std::string& expression, const std::vector<std::vector<T>>& x,
            const std::function<R(const std::vector<T>&)>& expected) {
  const size_t arity = x[0].size();
  KernelText text{.in = std::vector<std::string>(arity, TypeName<T>()),
                  .out = {TypeName<R>()},
                  .inner = std::vector<int>(arity + 1, 1),
                  .body = absl::StrCat("%r = ", expression, "\nfuseau.yield %r",
                                       " : ", BodyTypeName<R>())};
  for (const Target& target : TestTargets()) {
    for (OptLevel level : {OptLevel::kO0, OptLevel::kO1}) {
      SCOPED_TRACE(absl::StrCat(expression, " ", target.cpu));
      auto kernel = CompileText(text.str(), target, level);
      ASSERT_TRUE(kernel.ok()) << kernel.status();
      // 131 copies of each row of operands: full vectors and a rest.
      for (const std::vector<T>& row : x) {
        constexpr int64_t kN = 131;
        std::vector<std::unique_ptr<TestArray<T>>> in;
        Arguments arguments({kN});
        for (T value : row) {
          in.push_back(std::make_unique<TestArray<T>>(kN, 1));
          for (int64_t i = 0; i < kN; ++i) in.back()->Set(i, value);
          arguments.Array(*in.back());
        }
        TestArray<R> out(kN, 1);
        arguments.Array(out).Run(**kernel);
        const R want = expected(row);
        for (int64_t i = 0; i < kN; ++i) {
          const R got = out.Get(i);
          bool same = SameBits(got, want);
          if constexpr (std::is_floating_point_v<R>)
            same |= std::isnan(got) && std::isnan(want);
          ASSERT_TRUE(same) << "at " << i << " of " << +row[0] << ", "
                            << +row.back() << ": " << +got << " not " << +want;
        }
      }
    }
  }
}

template <typename T>
std::vector<std::vector<T>> Pairs(const std::vector<T>& values) {
  std::vector<std::vector<T>> result;
  for (T a : values)
    for (T b : values) result.push_back({a, b});
  return result;
}
template <typename T>
std::vector<std::vector<T>> Singles(const std::vector<T>& values) {
  std::vector<std::vector<T>> result;
  for (T a : values) result.push_back({a});
  return result;
}

const std::vector<double>& Floats() {
  static const std::vector<double> values = {
      0.0,
      -0.0,
      0.5,
      -0.5,
      1.5,
      2.5,
      -2.5,
      3.0,
      1e300,
      -7.25,
      std::numeric_limits<double>::infinity(),
      -std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN()};
  return values;
}

TEST(ScalarBody, FloatOps) {
  using Row = std::vector<double>;
  auto binary = [](const char* op, auto f) {
    TestOp<double, double>(absl::StrCat(op, " %a0, %a1 : f64"), Pairs(Floats()),
                           [f](const Row& x) { return f(x[0], x[1]); });
  };
  binary("arith.addf", [](double a, double b) { return a + b; });
  binary("arith.divf", [](double a, double b) { return a / b; });
  binary("math.copysign",
         [](double a, double b) { return std::copysign(a, b); });
  auto maximum = [](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::nan("");
    if (a == b) return std::signbit(a) ? b : a;
    return a > b ? a : b;
  };
  binary("arith.maximumf", maximum);
  binary("arith.minimumf",
         [&](double a, double b) { return -maximum(-a, -b); });
  auto unary = [](const char* op, auto f) {
    TestOp<double, double>(absl::StrCat(op, " %a0 : f64"), Singles(Floats()),
                           [f](const Row& x) { return f(x[0]); });
  };
  unary("math.sqrt", [](double a) { return std::sqrt(a); });
  unary("math.absf", [](double a) { return std::fabs(a); });
  unary("math.floor", [](double a) { return std::floor(a); });
  unary("math.ceil", [](double a) { return std::ceil(a); });
  unary("math.trunc", [](double a) { return std::trunc(a); });
  unary("math.roundeven", [](double a) { return std::rint(a); });
  unary("arith.negf", [](double a) { return -a; });
  TestOp<double, double>(
      "math.fma %a0, %a1, %a0 : f64", Pairs(Floats()),
      [](const Row& x) { return std::fma(x[0], x[1], x[0]); });
  auto compare = [](const char* predicate, auto f) {
    TestOp<double, bool>(
        absl::StrCat("arith.cmpf ", predicate, ", %a0, %a1 : f64"),
        Pairs(Floats()), [f](const Row& x) { return f(x[0], x[1]); });
  };
  compare("olt", [](double a, double b) { return a < b; });
  compare("oge", [](double a, double b) { return a >= b; });
  compare("une", [](double a, double b) { return a != b; });
  compare("uno",
          [](double a, double b) { return std::isnan(a) || std::isnan(b); });
}

template <typename T>
void TestIntOps() {
  using U = std::make_unsigned_t<T>;
  using Row = std::vector<T>;
  constexpr int kBits = 8 * sizeof(T);
  const T least = std::numeric_limits<T>::min();
  const T most = std::numeric_limits<T>::max();
  const std::vector<T> values = {0, 1, 2, 7, T(-1), T(-7), 100, least, most};
  auto binary = [&](const char* op, auto f) {
    TestOp<T, T>(absl::StrCat("arith.", op, " %a0, %a1 : i", kBits),
                 Pairs(values),
                 [f](const Row& x) { return static_cast<T>(f(x[0], x[1])); });
  };
  binary("muli", [](U a, U b) { return uint64_t{a} * b; });
  binary("subi", [](U a, U b) { return uint64_t{a} - b; });
  binary("xori", [](T a, T b) { return a ^ b; });
  binary("minui", [](U a, U b) { return std::min(a, b); });
  binary("maxsi", [](T a, T b) {
    using S = std::make_signed_t<T>;
    return std::max<S>(a, b);
  });
  binary("divsi", [=](T a, T b) {
    using S = std::make_signed_t<T>;
    if (b == 0) return S{0};
    if (S(b) == -1) return S(0 - U(a));
    return S(S(a) / S(b));
  });
  binary("remsi", [=](T a, T b) {
    using S = std::make_signed_t<T>;
    if (b == 0 || S(b) == -1) return S{0};
    return S(S(a) % S(b));
  });
  binary("divui", [](U a, U b) { return b == 0 ? U{0} : U(a / b); });
  binary("shli",
         [](U a, U b) { return b >= kBits ? U{0} : U(uint64_t{a} << b); });
  binary("shrui", [](U a, U b) { return b >= kBits ? U{0} : U(a >> b); });
  binary("shrsi", [](T a, U b) {
    using S = std::make_signed_t<T>;
    return S(S(a) >> (b >= kBits ? kBits - 1 : b));
  });
  TestOp<T, T>(absl::StrCat("math.absi %a0 : i", kBits), Singles(values),
               [](const Row& x) {
                 using S = std::make_signed_t<T>;
                 return T(S(x[0]) < 0 ? 0 - U(x[0]) : U(x[0]));
               });
  TestOp<T, T>(absl::StrCat("math.ctpop %a0 : i", kBits), Singles(values),
               [](const Row& x) { return T(__builtin_popcountll(U(x[0]))); });
  TestOp<T, bool>(absl::StrCat("arith.cmpi ult, %a0, %a1 : i", kBits),
                  Pairs(values),
                  [](const Row& x) { return U(x[0]) < U(x[1]); });
}

TEST(ScalarBody, IntOps8) { TestIntOps<int8_t>(); }
TEST(ScalarBody, IntOps16) { TestIntOps<uint16_t>(); }
TEST(ScalarBody, IntOps32) { TestIntOps<int32_t>(); }
TEST(ScalarBody, IntOps64) { TestIntOps<int64_t>(); }

// The rule that NumPy's loops over contiguous arrays follow.
template <typename D>
D ConvertAsNumPy(double x) {
  auto to32 = [](double v) {
    v = std::trunc(v);
    return v >= -2147483648.0 && v <= 2147483647.0 ? int32_t(v) : INT32_MIN;
  };
  auto to64 = [](double v) {
    return v >= -0x1p63 && v < 0x1p63 ? int64_t(v) : INT64_MIN;
  };
  if constexpr (std::is_same_v<D, int64_t>) return to64(x);
  if constexpr (std::is_same_v<D, uint64_t>)
    return x >= 0x1p63 ? uint64_t(to64(x - 0x1p63)) ^ (uint64_t{1} << 63)
                       : uint64_t(to64(x));
  if constexpr (std::is_same_v<D, uint32_t>)
    return x >= 0x1p31 ? uint32_t(to32(x - 0x1p31)) ^ (uint32_t{1} << 31)
                       : uint32_t(to32(x));
  return static_cast<D>(to32(x));
}

template <typename S, typename D>
void TestFloatToInt() {
  std::vector<S> values;
  for (double v :
       {0.5,     -0.5,     1.0,          -1.0,         127.0,  128.0,
        255.0,   256.0,    300.0,        -129.0,       -300.0, 32768.0,
        70000.0, -40000.0, 2147483647.0, 2147483648.0, 3e9,    4294967296.0,
        5e9,     -3e9,     -5e9,         1e10,         -1e10,  9.3e18,
        -9.3e18, 1.8e19,   1e20,         -1e20,        1e30})
    values.push_back(static_cast<S>(v));
  values.push_back(std::numeric_limits<S>::quiet_NaN());
  values.push_back(std::numeric_limits<S>::infinity());
  values.push_back(-std::numeric_limits<S>::infinity());
  const char* op = std::is_signed_v<D> ? "fptosi" : "fptoui";
  TestOp<S, D>(absl::StrCat("arith.", op, " %a0 : ", TypeName<S>(), " to ",
                            BodyTypeName<D>()),
               Singles(values),
               [](const std::vector<S>& x) { return ConvertAsNumPy<D>(x[0]); });
  // Constants are converted by the emitter, with the same results.
  for (S v : values) {
    if (std::isnan(v) || std::isinf(v)) continue;
    KernelText text{
        .in = {TypeName<D>()},
        .out = {TypeName<D>()},
        .inner = {1, 1},
        .body = absl::StrCat(
            "%c = arith.constant ", absl::StrFormat("%.17e", double{v}), " : ",
            TypeName<S>(), "\n%r = arith.", op, " %c : ", TypeName<S>(), " to ",
            BodyTypeName<D>(), "\n%s = arith.ori %r, %a0 : ", BodyTypeName<D>(),
            "\nfuseau.yield %s : ", BodyTypeName<D>())};
    auto kernel = CompileText(text.str(), *MakeTarget(""), OptLevel::kO0);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    TestArray<D> in(9, 1), out(9, 1);
    for (int i = 0; i < 9; ++i) in.Set(i, 0);
    Arguments({9}).Array(in).Array(out).Run(**kernel);
    ASSERT_EQ(+out.Get(0), +ConvertAsNumPy<D>(v)) << v;
    ASSERT_EQ(+out.Get(8), +ConvertAsNumPy<D>(v)) << v;
  }
}

template <typename D>
class CastTest : public testing::Test {};
using Integers = testing::Types<int8_t, uint8_t, int16_t, uint16_t, int32_t,
                                uint32_t, int64_t, uint64_t>;
TYPED_TEST_SUITE(CastTest, Integers);

TYPED_TEST(CastTest, FromFloat) {
  TestFloatToInt<float, TypeParam>();
  TestFloatToInt<double, TypeParam>();
}

TYPED_TEST(CastTest, ToFloat) {
  using T = TypeParam;
  std::vector<T> values = {0,
                           1,
                           100,
                           std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max(),
                           T(std::numeric_limits<T>::max() - 1)};
  std::mt19937_64 random(3);
  for (int i = 0; i < 20; ++i) values.push_back(T(random()));
  for (int i = 0; i < 8; ++i) values.push_back(T(random() >> (8 * i)));
  // Ties and near ties of rounding to float.
  values.push_back(T(0x1000001)), values.push_back(T(0x8000008000000001ull));
  values.push_back(T(0x8000008000000000ull));
  const char* op = std::is_signed_v<T> ? "sitofp" : "uitofp";
  TestOp<T, double>(
      absl::StrCat("arith.", op, " %a0 : ", BodyTypeName<T>(), " to f64"),
      Singles(values), [](const std::vector<T>& x) { return double(x[0]); });
  TestOp<T, float>(
      absl::StrCat("arith.", op, " %a0 : ", BodyTypeName<T>(), " to f32"),
      Singles(values), [](const std::vector<T>& x) { return float(x[0]); });
}

TEST(ScalarBody, BoolCasts) {
  TestOp<bool, double>(
      "arith.uitofp %a0 : i1 to f64", {{false}, {true}},
      [](const std::vector<bool>& x) -> double { return x[0]; });
  TestOp<bool, uint8_t>(
      "arith.extui %a0 : i1 to i8", {{false}, {true}},
      [](const std::vector<bool>& x) -> uint8_t { return x[0]; });
}

}  // namespace
}  // namespace fuseau::codegen

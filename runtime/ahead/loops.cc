#include "runtime/ahead/loops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <numbers>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/dtype.h"
#include "runtime/vector_math/vector_math.h"

namespace fuseau::runtime {
namespace {

template <typename T>
constexpr DType kTypeOf = DType::kBool;
template <>
constexpr DType kTypeOf<int8_t> = DType::kInt8;
template <>
constexpr DType kTypeOf<uint8_t> = DType::kUInt8;
template <>
constexpr DType kTypeOf<int16_t> = DType::kInt16;
template <>
constexpr DType kTypeOf<uint16_t> = DType::kUInt16;
template <>
constexpr DType kTypeOf<int32_t> = DType::kInt32;
template <>
constexpr DType kTypeOf<uint32_t> = DType::kUInt32;
template <>
constexpr DType kTypeOf<int64_t> = DType::kInt64;
template <>
constexpr DType kTypeOf<uint64_t> = DType::kUInt64;
template <>
constexpr DType kTypeOf<float> = DType::kFloat32;
template <>
constexpr DType kTypeOf<double> = DType::kFloat64;
template <>
constexpr DType kTypeOf<std::complex<float>> = DType::kComplex64;
template <>
constexpr DType kTypeOf<std::complex<double>> = DType::kComplex128;

template <typename T>
constexpr bool kIsComplex = IsComplex(kTypeOf<T>);

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
template <typename T>
void Store(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

// A loop that applies `F`, a lambda without state, to each element.
template <typename F, typename Out, typename A>
void MapOne(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    Store<Out>(args[1] + i * steps[1], F()(Load<A>(args[0] + i * steps[0])));
  }
}
template <typename F, typename Out, typename A, typename B>
void MapTwo(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    Store<Out>(args[2] + i * steps[2], F()(Load<A>(args[0] + i * steps[0]),
                                           Load<B>(args[1] + i * steps[1])));
  }
}

using Table = std::map<std::string, InnerLoop, std::less<>>;

template <typename... In>
std::string Name(const char* ufunc, char out) {
  std::string name = std::string(ufunc) + '.';
  ((name += TypeCode(kTypeOf<In>)), ...);
  return name + "->" + out;
}

// A function would have been made from nothing, a null pointer.
template <typename F>
concept Lambda = std::is_empty_v<F>;

template <typename Out, typename A, Lambda F>
void One(Table& table, const char* ufunc, F) {
  table[Name<A>(ufunc, TypeCode(kTypeOf<Out>))] = {MapOne<F, Out, A>};
}
template <typename Out, typename A, typename B, Lambda F>
void Two(Table& table, const char* ufunc, F) {
  table[Name<A, B>(ufunc, TypeCode(kTypeOf<Out>))] = {MapTwo<F, Out, A, B>};
}

// The remainder with the sign of the divisor, as Python has it.
template <typename T>
T FloatRemainder(T a, T b) {
  const T rest = std::fmod(a, b);
  if (b == 0) return rest;
  if (rest == 0) return std::copysign(T{0}, b);
  return (b < 0) == (rest < 0) ? rest : rest + b;
}

template <typename T>
T FloatFloorDivide(T a, T b) {
  if (b == 0) return a / b;
  const T rest = std::fmod(a, b);
  T quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(T{0}, a / b);
  const T whole = std::floor(quotient);
  return quotient - whole > T(0.5) ? whole + 1 : whole;
}

template <typename T>
void AddFloats(Table& table) {
  const auto one = [&](const char* name, auto f) { One<T, T>(table, name, f); };
  const auto two = [&](const char* name, auto f) {
    Two<T, T, T>(table, name, f);
  };
  one("exp", [](T x) { return std::exp(x); });
  one("exp2", [](T x) { return std::exp2(x); });
  one("expm1", [](T x) { return std::expm1(x); });
  one("log", [](T x) { return std::log(x); });
  one("log2", [](T x) { return std::log2(x); });
  one("log10", [](T x) { return std::log10(x); });
  one("log1p", [](T x) { return std::log1p(x); });
  one("sin", [](T x) { return std::sin(x); });
  one("cos", [](T x) { return std::cos(x); });
  one("tan", [](T x) { return std::tan(x); });
  one("arcsin", [](T x) { return std::asin(x); });
  one("arccos", [](T x) { return std::acos(x); });
  one("arctan", [](T x) { return std::atan(x); });
  one("sinh", [](T x) { return std::sinh(x); });
  one("cosh", [](T x) { return std::cosh(x); });
  one("tanh", [](T x) { return std::tanh(x); });
  one("arcsinh", [](T x) { return std::asinh(x); });
  one("arccosh", [](T x) { return std::acosh(x); });
  one("arctanh", [](T x) { return std::atanh(x); });
  one("cbrt", [](T x) { return std::cbrt(x); });
  for (const char* name : {"degrees", "rad2deg"}) {
    one(name, [](T x) { return x * (T{180} / std::numbers::pi_v<T>); });
  }
  for (const char* name : {"radians", "deg2rad"}) {
    one(name, [](T x) { return x * (std::numbers::pi_v<T> / T{180}); });
  }
  one("spacing", [](T x) {
    if (std::isinf(x)) return std::numeric_limits<T>::quiet_NaN();
    return std::nextafter(
               x, std::copysign(std::numeric_limits<T>::infinity(), x)) -
           x;
  });
  two("power", [](T x, T y) { return std::pow(x, y); });
  two("float_power", [](T x, T y) { return std::pow(x, y); });
  two("arctan2", [](T x, T y) { return std::atan2(x, y); });
  two("hypot", [](T x, T y) { return std::hypot(x, y); });
  two("fmod", [](T x, T y) { return std::fmod(x, y); });
  two("remainder", [](T x, T y) { return FloatRemainder(x, y); });
  two("floor_divide", [](T x, T y) { return FloatFloorDivide(x, y); });
  two("nextafter", [](T x, T y) { return std::nextafter(x, y); });
  two("fmax", [](T x, T y) { return x > y || std::isnan(y) ? x : y; });
  two("fmin", [](T x, T y) { return x < y || std::isnan(y) ? x : y; });
  two("maximum", [](T x, T y) { return x >= y || std::isnan(x) ? x : y; });
  two("minimum", [](T x, T y) { return x <= y || std::isnan(x) ? x : y; });
  two("heaviside", [](T x, T y) {
    return std::isnan(x) ? x : x == 0 ? y : x < 0 ? T{0} : T{1};
  });
  two("logaddexp", [](T x, T y) {
    if (x == y) return x + std::numbers::ln2_v<T>;
    const T d = x - y;
    if (d > 0) return x + std::log1p(std::exp(-d));
    return d <= 0 ? y + std::log1p(std::exp(d)) : d;
  });
  two("logaddexp2", [](T x, T y) {
    const auto log2_1p = [](T z) {
      return std::numbers::log2e_v<T> * std::log1p(z);
    };
    if (x == y) return x + 1;
    const T d = x - y;
    if (d > 0) return x + log2_1p(std::exp2(-d));
    return d <= 0 ? y + log2_1p(std::exp2(d)) : d;
  });
  const auto ldexp = [](T x, auto e) {
    const int64_t bounded = std::clamp<int64_t>(e, -100000, 100000);
    return std::ldexp(x, static_cast<int>(bounded));
  };
  Two<T, T, int32_t>(table, "ldexp", ldexp);
  Two<T, T, int64_t>(table, "ldexp", ldexp);
}

// Integers wrap around and division by zero gives 0.
template <typename T>
struct Integer {
  using U = std::make_unsigned_t<T>;
  static constexpr unsigned kBits = 8 * sizeof(T);

  static bool Overflows(T a, T b) {
    return std::is_signed_v<T> && b == static_cast<T>(-1) &&
           a == std::numeric_limits<T>::min();
  }
  static T Fmod(T a, T b) {
    if (b == 0 || Overflows(a, b)) return 0;
    return static_cast<T>(a % b);
  }
  static T Remainder(T a, T b) {
    const T rest = Fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
  static T FloorDivide(T a, T b) {
    if (b == 0) return 0;
    if (Overflows(a, b)) return a;
    const T quotient = static_cast<T>(a / b);
    const bool below = (a < 0) != (b < 0) && quotient * b != a;
    return static_cast<T>(quotient - below);
  }
  static T Multiply(T a, T b) {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
  static T Add(T a, T b) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
  // Negative exponents are refused when the operation is recorded.
  static T Power(T base, T exponent) {
    T result = 1;
    for (U e = static_cast<U>(exponent); e != 0; e >>= 1) {
      if (e & 1) result = Multiply(result, base);
      base = Multiply(base, base);
    }
    return result;
  }
  static U Magnitude(T a) {
    return a < 0 ? static_cast<U>(U{0} - static_cast<U>(a)) : static_cast<U>(a);
  }
  static T Gcd(T a, T b) {
    U x = Magnitude(a), y = Magnitude(b);
    while (y != 0) x = std::exchange(y, static_cast<U>(x % y));
    return static_cast<T>(x);
  }
  static T Lcm(T a, T b) {
    const U divisor = static_cast<U>(Gcd(a, b));
    if (divisor == 0) return 0;
    return Multiply(static_cast<T>(Magnitude(a) / divisor),
                    static_cast<T>(Magnitude(b)));
  }
  static T LeftShift(T a, T b) {
    if (static_cast<U>(b) >= kBits) return 0;
    return static_cast<T>(static_cast<uint64_t>(a) << b);
  }
  static T RightShift(T a, T b) {
    if (static_cast<U>(b) >= kBits) return a < 0 ? static_cast<T>(-1) : T{0};
    return static_cast<T>(a >> b);
  }
};

template <typename T>
void AddIntegers(Table& table) {
  using I = Integer<T>;
  const auto two = [&](const char* name, auto f) {
    Two<T, T, T>(table, name, f);
  };
  two("floor_divide", [](T a, T b) { return I::FloorDivide(a, b); });
  two("remainder", [](T a, T b) { return I::Remainder(a, b); });
  two("fmod", [](T a, T b) { return I::Fmod(a, b); });
  two("power", [](T a, T b) { return I::Power(a, b); });
  two("gcd", [](T a, T b) { return I::Gcd(a, b); });
  two("lcm", [](T a, T b) { return I::Lcm(a, b); });
  two("left_shift", [](T a, T b) { return I::LeftShift(a, b); });
  two("right_shift", [](T a, T b) { return I::RightShift(a, b); });
  two("maximum", [](T a, T b) { return std::max(a, b); });
  two("minimum", [](T a, T b) { return std::min(a, b); });
  One<uint8_t, T>(table, "bitwise_count", [](T a) {
    return static_cast<uint8_t>(std::popcount(I::Magnitude(a)));
  });
}

template <typename P>
void AddComplex(Table& table) {
  using T = std::complex<P>;
  const auto one = [&](const char* name, auto f) { One<T, T>(table, name, f); };
  One<P, T>(table, "absolute",
            [](T z) { return std::hypot(z.real(), z.imag()); });
  one("exp", [](T z) { return std::exp(z); });
  one("log", [](T z) { return std::log(z); });
  one("sqrt", [](T z) { return std::sqrt(z); });
  one("sin", [](T z) { return std::sin(z); });
  one("cos", [](T z) { return std::cos(z); });
  one("tan", [](T z) { return std::tan(z); });
  one("sinh", [](T z) { return std::sinh(z); });
  one("cosh", [](T z) { return std::cosh(z); });
  one("tanh", [](T z) { return std::tanh(z); });
  // Scaled by the larger part of the divisor, as NumPy does.
  Two<T, T, T>(table, "divide", [](T a, T b) {
    const P br = b.real(), bi = b.imag();
    if (std::abs(br) >= std::abs(bi)) {
      if (br == 0 && bi == 0) {
        return T(a.real() / std::abs(br), a.imag() / std::abs(br));
      }
      const P ratio = bi / br, scale = P{1} / (br + bi * ratio);
      return T((a.real() + a.imag() * ratio) * scale,
               (a.imag() - a.real() * ratio) * scale);
    }
    const P ratio = br / bi, scale = P{1} / (bi + br * ratio);
    return T((a.real() * ratio + a.imag()) * scale,
             (a.imag() * ratio - a.real()) * scale);
  });
}

// --- What routines call ---

template <typename T>
T Sum(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else if constexpr (std::is_integral_v<T>) {
    return Integer<T>::Add(a, b);
  } else {
    return a + b;
  }
}
template <typename T>
T Product(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a && b;
  } else if constexpr (std::is_integral_v<T>) {
    return Integer<T>::Multiply(a, b);
  } else if constexpr (kIsComplex<T>) {
    // The plain formula, without C's rules for infinities.
    return T(a.real() * b.real() - a.imag() * b.imag(),
             a.real() * b.imag() + a.imag() * b.real());
  } else {
    return a * b;
  }
}

// Rows of the result are sums of rows of y, so the inner loop is a vector's.
// Products are added in order, which BLAS does not.
template <typename T>
void Matmul(char** args, const int64_t* sizes, const int64_t* s, void*) {
  const int64_t m = sizes[1], k = sizes[2], n = sizes[3];
  std::vector<T> row(static_cast<size_t>(n));
  for (int64_t batch = 0; batch < sizes[0]; ++batch) {
    const char* x = args[0] + batch * s[0];
    const char* y = args[1] + batch * s[1];
    char* z = args[2] + batch * s[2];
    for (int64_t i = 0; i < m; ++i) {
      std::fill(row.begin(), row.end(), T{});
      for (int64_t j = 0; j < k; ++j) {
        const T factor = Load<T>(x + i * s[3] + j * s[4]);
        for (int64_t p = 0; p < n; ++p) {
          const T term = Product(factor, Load<T>(y + j * s[5] + p * s[6]));
          row[static_cast<size_t>(p)] =
              Sum<T>(row[static_cast<size_t>(p)], term);
        }
      }
      for (int64_t p = 0; p < n; ++p) {
        Store<T>(z + i * s[7] + p * s[8], row[static_cast<size_t>(p)]);
      }
    }
  }
}

// vecdot: sizes and steps of a batch, and of the vectors.
template <typename T>
void Vecdot(char** args, const int64_t* sizes, const int64_t* s, void*) {
  for (int64_t batch = 0; batch < sizes[0]; ++batch) {
    T sum{};
    for (int64_t i = 0; i < sizes[1]; ++i) {
      T a = Load<T>(args[0] + batch * s[0] + i * s[3]);
      if constexpr (kIsComplex<T>) a = std::conj(a);
      sum = Sum<T>(sum, Product(a, Load<T>(args[1] + batch * s[1] + i * s[4])));
    }
    Store<T>(args[2] + batch * s[2], sum);
  }
}

template <typename T>
bool IsNan(T a) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(a);
  } else {
    return false;
  }
}
// NaN comes last.
template <typename T>
bool Before(T a, T b) {
  return a < b || (!IsNan(a) && IsNan(b));
}

template <typename T>
void SortLine(char** args, const int64_t* n, const int64_t*, void*) {
  T* line = reinterpret_cast<T*>(args[0]);
  std::stable_sort(line, line + *n, Before<T>);
}
template <typename T>
void ArgSortLine(char** args, const int64_t* n, const int64_t*, void*) {
  const T* line = reinterpret_cast<const T*>(args[0]);
  int64_t* places = reinterpret_cast<int64_t*>(args[1]);
  // What stands there is an order already, that of places at the start.
  std::stable_sort(places, places + *n, [line](int64_t a, int64_t b) {
    return Before(line[a], line[b]);
  });
}
// The first of the extremes; the first NaN if there is one.
template <typename T, bool kLargest>
void ExtremeOfLine(char** args, const int64_t* n, const int64_t*, void*) {
  const T* line = reinterpret_cast<const T*>(args[0]);
  int64_t best = 0;
  for (int64_t i = 0; i < *n && !IsNan(line[best]); ++i) {
    if (IsNan(line[i]) ||
        (kLargest ? line[i] > line[best] : line[i] < line[best])) {
      best = i;
    }
  }
  *reinterpret_cast<int64_t*>(args[1]) = best;
}

template <typename T>
void AddRoutines(Table& table) {
  const char type = TypeCode(kTypeOf<T>);
  Two<T, T, T>(table, "add", [](T a, T b) { return Sum<T>(a, b); });
  Two<T, T, T>(table, "multiply", [](T a, T b) { return Product<T>(a, b); });
  table[Name<T, T>("matmul", type)] = {Matmul<T>};
  table[Name<T, T>("vecdot", type)] = {Vecdot<T>};
  if constexpr (!kIsComplex<T>) {
    const char place = TypeCode(DType::kInt64);
    table[Name<T, T>("stable_sort", type)] = {SortLine<T>};
    table[Name<T, T>("stable_argsort", place)] = {ArgSortLine<T>};
    table[Name<T, T>("argmax", place)] = {ExtremeOfLine<T, true>};
    table[Name<T, T>("argmin", place)] = {ExtremeOfLine<T, false>};
  }
}

template <typename... T>
struct Types {};
using Integers = Types<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t,
                       int64_t, uint64_t>;

template <typename... T>
void AddAll(Table& table, Types<T...>) {
  (AddIntegers<T>(table), ...);
  (AddRoutines<T>(table), ...);
}

}  // namespace

const std::map<std::string, InnerLoop, std::less<>>& StandardLoops() {
  static const auto* const loops = [] {
    auto* all = new Table;
    Table& table = *all;
    AddFloats<float>(table);
    AddFloats<double>(table);
    AddComplex<float>(table);
    AddComplex<double>(table);
    AddAll(table, Integers());
    AddRoutines<bool>(table);
    AddRoutines<float>(table);
    AddRoutines<double>(table);
    AddRoutines<std::complex<float>>(table);
    AddRoutines<std::complex<double>>(table);
    for (const vector_math::NamedLoop& own : VectorMath()) {
      table[own.name] = own.loop;
    }
    return all;
  }();
  return *loops;
}

void RegisterStandardLoops() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const auto& [name, loop] : StandardLoops()) {
      RegisterInnerLoop(name, loop);
    }
  });
}

}  // namespace fuseau::runtime

#include "runtime/cpu/combine.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#include "runtime/base/status.h"

namespace fuseau::runtime {
namespace {

template <typename T>
struct Complex {
  T re;
  T im;
};

template <typename T>
bool IsNan(T x) {
  return x != x;
}

// Integers are added as unsigned ones: those wrap around by definition.
template <typename T>
auto Add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(
        static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
  } else {
    return a + b;
  }
}

template <typename T>
T Multiply(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    // In 64 bits, since small types would be promoted to a signed int.
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  } else {
    return a * b;
  }
}

// -0.0 is smaller than 0.0, as in the kernels: else the result would depend on
// where the range was cut.
template <typename T>
T Max(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (IsNan(a)) return a;
    if (a == b) return std::signbit(a) ? b : a;
  }
  return a > b ? a : b;
}

template <typename T>
T Min(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (IsNan(a)) return a;
    if (a == b) return std::signbit(a) ? a : b;
  }
  return a < b ? a : b;
}

template <typename T>
T Join(Combiner combiner, T a, T b) {
  switch (combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
      return Add(a, b);
    case Combiner::kProd:
      return Multiply(a, b);
    case Combiner::kMax:
      return IsNan(b) ? (IsNan(a) ? a : b) : Max(a, b);
    case Combiner::kMin:
      return IsNan(b) ? (IsNan(a) ? a : b) : Min(a, b);
    case Combiner::kAny:
      return a != 0 || b != 0;
    case Combiner::kAll:
      return a != 0 && b != 0;
    case Combiner::kNone:
      break;
  }
  FUSEAU_CHECK(false);
}

template <typename T>
Complex<T> Join(Combiner combiner, Complex<T> a, Complex<T> b) {
  const bool a_nan = IsNan(a.re) || IsNan(a.im);
  const bool b_nan = IsNan(b.re) || IsNan(b.im);
  switch (combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
      return {a.re + b.re, a.im + b.im};
    case Combiner::kProd:
      return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    case Combiner::kMax:
      if (a_nan || b_nan) return a_nan ? a : b;
      return a.re > b.re || (a.re == b.re && a.im >= b.im) ? a : b;
    case Combiner::kMin:
      if (a_nan || b_nan) return a_nan ? a : b;
      return a.re < b.re || (a.re == b.re && a.im <= b.im) ? a : b;
    case Combiner::kAny:
    case Combiner::kAll:
    case Combiner::kNone:
      break;
  }
  FUSEAU_CHECK(false);
}

template <typename T>
void JoinAt(Combiner combiner, char* left, const char* right) {
  T a;
  T b;
  std::memcpy(&a, left, sizeof(T));
  std::memcpy(&b, right, sizeof(T));
  a = Join(combiner, a, b);
  std::memcpy(left, &a, sizeof(T));
}

// NumPy's + and * of booleans are "or" and "and", as are max and min.
void JoinBools(Combiner combiner, char* left, const char* right) {
  const bool a = *left != 0;
  const bool b = *right != 0;
  switch (combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
    case Combiner::kMax:
    case Combiner::kAny:
      *left = a || b;
      return;
    case Combiner::kProd:
    case Combiner::kMin:
    case Combiner::kAll:
      *left = a && b;
      return;
    case Combiner::kNone:
      break;
  }
  FUSEAU_CHECK(false);
}

}  // namespace

void Combine(Combiner combiner, DType dtype, char* left, const char* right) {
  switch (dtype) {
    case DType::kBool:
      return JoinBools(combiner, left, right);
    case DType::kInt8:
      return JoinAt<int8_t>(combiner, left, right);
    case DType::kUInt8:
      return JoinAt<uint8_t>(combiner, left, right);
    case DType::kInt16:
      return JoinAt<int16_t>(combiner, left, right);
    case DType::kUInt16:
      return JoinAt<uint16_t>(combiner, left, right);
    case DType::kInt32:
      return JoinAt<int32_t>(combiner, left, right);
    case DType::kUInt32:
      return JoinAt<uint32_t>(combiner, left, right);
    case DType::kInt64:
      return JoinAt<int64_t>(combiner, left, right);
    case DType::kUInt64:
      return JoinAt<uint64_t>(combiner, left, right);
    case DType::kFloat32:
      return JoinAt<float>(combiner, left, right);
    case DType::kFloat64:
      return JoinAt<double>(combiner, left, right);
    case DType::kComplex64:
      return JoinAt<Complex<float>>(combiner, left, right);
    case DType::kComplex128:
      return JoinAt<Complex<double>>(combiner, left, right);
  }
}

int64_t TreeSplit(int64_t n, DType dtype) {
  if (IsComplex(dtype)) {
    // NumPy counts the 2n parts: half of them, rounded down to a multiple of 8.
    return (n - n % 8) / 2;
  }
  const int64_t half = n / 2;
  return half - half % 8;
}

bool IsTreeLeaf(int64_t n, DType dtype) {
  return (IsComplex(dtype) ? 2 * n : n) <= 128;
}

}  // namespace fuseau::runtime

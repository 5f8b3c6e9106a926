// Types, and what numbers mean: as in the kernels of the processor, so that both
// devices give the same bits (codegen/README.md).
#define FUSEAU_METHOD __device__ __forceinline__
#define FUSEAU_FN static FUSEAU_METHOD
#ifdef FUSEAU_EMULATED
#define FUSEAU_ASSUME_GLOBAL(p)
#else
#define FUSEAU_ASSUME_GLOBAL(p) __builtin_assume(__isGlobal(p))
#endif

namespace fuseau {

using i8 = signed char;
using i16 = short;
using i32 = int;
using i64 = long long;
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

template <class T>
struct Complex {
  T re;
  T im;
};

template <class To, class From>
FUSEAU_FN To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "a cast of bits");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

// Integers have no sign in a body; operations that need one ask for it.
FUSEAU_FN i32 Signed(bool x) { return -static_cast<i32>(x); }
FUSEAU_FN i8 Signed(u8 x) { return static_cast<i8>(x); }
FUSEAU_FN i16 Signed(u16 x) { return static_cast<i16>(x); }
FUSEAU_FN i32 Signed(u32 x) { return static_cast<i32>(x); }
FUSEAU_FN i64 Signed(u64 x) { return static_cast<i64>(x); }

template <class T>
constexpr int kBits = 8 * sizeof(T);
template <>
constexpr int kBits<bool> = 1;
// The smallest signed number of that width.
template <class T>
constexpr T kLeast = static_cast<T>(T(1) << (kBits<T> - 1));

// n / 0 and n % 0 are 0; the smallest number divided by -1 stays as it is.
template <class T>
FUSEAU_FN T DivideSigned(T n, T d) {
  if (d == 0) return T(0);
  if (d == static_cast<T>(-1)) return static_cast<T>(0u - n);
  return static_cast<T>(Signed(n) / Signed(d));
}
template <class T>
FUSEAU_FN T DivideUnsigned(T n, T d) {
  return d == 0 ? T(0) : static_cast<T>(n / d);
}
template <class T>
FUSEAU_FN T RestSigned(T n, T d) {
  if (d == 0 || d == static_cast<T>(-1)) return T(0);
  return static_cast<T>(Signed(n) % Signed(d));
}
template <class T>
FUSEAU_FN T RestUnsigned(T n, T d) {
  return d == 0 ? T(0) : static_cast<T>(n % d);
}

// A shift by the width or more moves all bits out.
template <class T>
FUSEAU_FN T ShiftLeft(T x, T by) {
  return by < kBits<T> ? static_cast<T>(x << by) : T(0);
}
template <class T>
FUSEAU_FN T ShiftRight(T x, T by) {
  return by < kBits<T> ? static_cast<T>(x >> by) : T(0);
}
template <class T>
FUSEAU_FN T ShiftRightSigned(T x, T by) {
  return static_cast<T>(Signed(x) >> (by < kBits<T> ? by : kBits<T> - 1));
}

template <class T>
FUSEAU_FN T LargerSigned(T x, T y) {
  return Signed(x) > Signed(y) ? x : y;
}
template <class T>
FUSEAU_FN T SmallerSigned(T x, T y) {
  return Signed(x) < Signed(y) ? x : y;
}
template <class T>
FUSEAU_FN T LargerUnsigned(T x, T y) {
  return x > y ? x : y;
}
template <class T>
FUSEAU_FN T SmallerUnsigned(T x, T y) {
  return x < y ? x : y;
}
template <class T>
FUSEAU_FN T AbsoluteInt(T x) {
  return Signed(x) < 0 ? static_cast<T>(0u - x) : x;
}
FUSEAU_FN u8 CountOnes(u8 x) { return static_cast<u8>(__popc(x)); }
FUSEAU_FN u16 CountOnes(u16 x) { return static_cast<u16>(__popc(x)); }
FUSEAU_FN u32 CountOnes(u32 x) { return static_cast<u32>(__popc(x)); }
FUSEAU_FN u64 CountOnes(u64 x) { return static_cast<u64>(__popcll(x)); }

// What does not fit becomes the smallest number, as on the processor.
template <class F>
FUSEAU_FN i32 ToInt32(F x) {
  // -2147483649 is no float; the next smaller one does not fit.
  const bool fits = sizeof(F) == 4 ? x >= F(-2147483648.0)
                                   : x > F(-2147483649.0);
  return fits && x < F(2147483648.0) ? static_cast<i32>(x)
                                     : static_cast<i32>(kLeast<u32>);
}
template <class F>
FUSEAU_FN i64 ToInt64(F x) {
  return x >= F(-9223372036854775808.0) && x < F(9223372036854775808.0)
             ? static_cast<i64>(x)
             : static_cast<i64>(kLeast<u64>);
}
// Floats to integers of the body: narrow ones keep the low bits of 32.
template <class T, class F>
FUSEAU_FN T ToSigned(F x) {
  if constexpr (sizeof(T) == 8) {
    return static_cast<T>(ToInt64(x));
  } else {
    return static_cast<T>(ToInt32(x));
  }
}
// Numbers in the upper half are moved down by half the range.
template <class T, class F>
FUSEAU_FN T ToUnsigned(F x) {
  if constexpr (sizeof(T) < 4) {
    return static_cast<T>(ToInt32(x));
  } else {
    const F half = static_cast<F>(kLeast<T>);
    const bool upper = x >= half;
    const T low = ToSigned<T>(upper ? x - half : x);
    return upper ? low ^ kLeast<T> : low;
  }
}

FUSEAU_FN bool IsNegative(double x) { return BitCast<i64>(x) < 0; }
FUSEAU_FN bool IsNegative(float x) { return BitCast<i32>(x) < 0; }

// The larger float, a NaN if there is one; -0.0 is smaller than 0.0.
template <class F>
FUSEAU_FN F Maximum(F x, F y) {
  if (x != x) return x;
  if (x == y) return IsNegative(x) ? y : x;
  return x > y ? x : y;
}
template <class F>
FUSEAU_FN F Minimum(F x, F y) {
  if (x != x) return x;
  if (x == y) return IsNegative(x) ? x : y;
  return x < y ? x : y;
}
// The same where order counts: `y` if both are equal.
template <class F>
FUSEAU_FN F LaterMaximum(F x, F y) {
  return x != x || x > y ? x : y;
}
template <class F>
FUSEAU_FN F LaterMinimum(F x, F y) {
  return x != x || x < y ? x : y;
}
// A NaN only if there is nothing else; `y` if both are equal, as NumPy's vector
// loops have it.
template <class F>
FUSEAU_FN F MaximumNumber(F x, F y) {
  return x > y || y != y ? x : y;
}
template <class F>
FUSEAU_FN F MinimumNumber(F x, F y) {
  return x < y || y != y ? x : y;
}

template <class T>
FUSEAU_FN Complex<T> operator+(Complex<T> x, Complex<T> y) {
  return {x.re + y.re, x.im + y.im};
}
template <class T>
FUSEAU_FN Complex<T> operator-(Complex<T> x, Complex<T> y) {
  return {x.re - y.re, x.im - y.im};
}
template <class T>
FUSEAU_FN Complex<T> operator*(Complex<T> x, Complex<T> y) {
  return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}
template <class T>
FUSEAU_FN Complex<T> operator-(Complex<T> x) {
  return {-x.re, -x.im};
}
template <class T>
FUSEAU_FN bool operator==(Complex<T> x, Complex<T> y) {
  return x.re == y.re && x.im == y.im;
}
template <class T>
FUSEAU_FN bool operator!=(Complex<T> x, Complex<T> y) {
  return x.re != y.re || x.im != y.im;
}
template <class T>
FUSEAU_FN Complex<T> Conjugate(Complex<T> x) {
  return {x.re, -x.im};
}

}  // namespace fuseau

// Functions of floats, and NumPy's inner loops that CUDA has no function for.
// Those of which the table (codegen/gpu/functions.cc) says that they are exact
// give NumPy's bits.

namespace fuseau {

#define FUSEAU_UNARY(name, function)                                     \
  FUSEAU_FN double name(double x) { return ::function(x); }              \
  FUSEAU_FN float name(float x) { return ::function##f(x); }
#define FUSEAU_BINARY(name, function)                                    \
  FUSEAU_FN double name(double x, double y) { return ::function(x, y); } \
  FUSEAU_FN float name(float x, float y) { return ::function##f(x, y); }

FUSEAU_UNARY(Absolute, fabs)
FUSEAU_UNARY(SquareRoot, sqrt)
FUSEAU_UNARY(Floor, floor)
FUSEAU_UNARY(Ceil, ceil)
FUSEAU_UNARY(Truncate, trunc)
FUSEAU_UNARY(RoundEven, rint)
FUSEAU_UNARY(Exp, exp)
FUSEAU_UNARY(Exp2, exp2)
FUSEAU_UNARY(Expm1, expm1)
FUSEAU_UNARY(Log, log)
FUSEAU_UNARY(Log2, log2)
FUSEAU_UNARY(Log10, log10)
FUSEAU_UNARY(Log1p, log1p)
FUSEAU_UNARY(CubeRoot, cbrt)
FUSEAU_UNARY(Sin, sin)
FUSEAU_UNARY(Cos, cos)
FUSEAU_UNARY(Tan, tan)
FUSEAU_UNARY(ArcSin, asin)
FUSEAU_UNARY(ArcCos, acos)
FUSEAU_UNARY(ArcTan, atan)
FUSEAU_UNARY(Sinh, sinh)
FUSEAU_UNARY(Cosh, cosh)
FUSEAU_UNARY(Tanh, tanh)
FUSEAU_UNARY(ArcSinh, asinh)
FUSEAU_UNARY(ArcCosh, acosh)
FUSEAU_UNARY(ArcTanh, atanh)
FUSEAU_BINARY(CopySign, copysign)
FUSEAU_BINARY(Power, pow)
FUSEAU_BINARY(ArcTan2, atan2)
FUSEAU_BINARY(Hypot, hypot)
FUSEAU_BINARY(FloatRest, fmod)
FUSEAU_BINARY(NextAfter, nextafter)
#undef FUSEAU_UNARY
#undef FUSEAU_BINARY

FUSEAU_FN double MultiplyAdd(double x, double y, double z) {
  return ::fma(x, y, z);
}
FUSEAU_FN float MultiplyAdd(float x, float y, float z) {
  return ::fmaf(x, y, z);
}
FUSEAU_FN double LoadExponent(double x, i64 e) {
  return ::ldexp(x, static_cast<int>(e < -9999 ? -9999 : e > 9999 ? 9999 : e));
}
FUSEAU_FN float LoadExponent(float x, i64 e) {
  return ::ldexpf(x, static_cast<int>(e < -9999 ? -9999 : e > 9999 ? 9999 : e));
}

// --- Integers: the rest has the sign of the divisor.

template <class T>
FUSEAU_FN T FloorDivideSigned(T n, T d) {
  const T quotient = DivideSigned(n, d);
  const bool down = RestSigned(n, d) != 0 && (Signed(n) < 0) != (Signed(d) < 0);
  return down ? static_cast<T>(quotient - 1u) : quotient;
}
template <class T>
FUSEAU_FN T FloorRestSigned(T n, T d) {
  const T rest = RestSigned(n, d);
  const bool other = rest != 0 && (Signed(n) < 0) != (Signed(d) < 0);
  return other ? static_cast<T>(rest + d) : rest;
}
template <class T>
FUSEAU_FN T GcdUnsigned(T x, T y) {
  while (x != 0) {
    const T rest = static_cast<T>(y % x);
    y = x;
    x = rest;
  }
  return y;
}
template <class T>
FUSEAU_FN T GcdSigned(T x, T y) {
  return GcdUnsigned(AbsoluteInt(x), AbsoluteInt(y));
}
template <class T>
FUSEAU_FN T LcmUnsigned(T x, T y) {
  const T gcd = GcdUnsigned(x, y);
  return gcd == 0 ? T(0) : static_cast<T>(static_cast<T>(x / gcd) * u64{y});
}
template <class T>
FUSEAU_FN T LcmSigned(T x, T y) {
  return LcmUnsigned(AbsoluteInt(x), AbsoluteInt(y));
}
template <class T>
FUSEAU_FN u8 CountOnesUnsigned(T x) {
  return static_cast<u8>(CountOnes(x));
}
template <class T>
FUSEAU_FN u8 CountOnesSigned(T x) {
  return static_cast<u8>(CountOnes(AbsoluteInt(x)));
}
// int64 with uint64, by value.
FUSEAU_FN bool LessMixed(u64 with_sign, u64 without) {
  return Signed(with_sign) < 0 || with_sign < without;
}
FUSEAU_FN bool EqualMixed(u64 with_sign, u64 without) {
  return Signed(with_sign) >= 0 && with_sign == without;
}

// --- Floats.

// Quotient and rest of the same division, so that they agree.
template <class F>
FUSEAU_FN F FloorDivide(F n, F d) {
  if (d == 0) return n / d;
  F rest = FloatRest(n, d);
  F quotient = (n - rest) / d;
  if (rest != 0 && (d < 0) != (rest < 0)) quotient -= F(1);
  if (quotient == 0) return CopySign(F(0), n / d);
  F whole = Floor(quotient);
  if (quotient - whole > F(0.5)) whole += F(1);
  return whole;
}
template <class F>
FUSEAU_FN F FloorRest(F n, F d) {
  F rest = FloatRest(n, d);
  if (d == 0) return rest;
  if (rest == 0) return CopySign(F(0), d);
  return (d < 0) != (rest < 0) ? rest + d : rest;
}
template <class F>
FUSEAU_FN F Heaviside(F x, F at_zero) {
  if (x != x) return x;
  return x == 0 ? at_zero : x < 0 ? F(0) : F(1);
}
template <class F>
FUSEAU_FN F Spacing(F x) {
  const F infinity = F(1) / F(0);
  if (Absolute(x) == infinity) return infinity - infinity;
  return NextAfter(x, x < 0 ? -infinity : infinity) - x;
}
template <class F>
FUSEAU_FN F LogAddExp(F x, F y) {
  if (x == y) return x + F(0.693147180559945309417232121458176568);
  const F gap = x - y;
  if (gap > 0) return x + Log1p(Exp(-gap));
  return gap <= 0 ? y + Log1p(Exp(gap)) : gap;
}
template <class F>
FUSEAU_FN F LogAddExp2(F x, F y) {
  const F of_e = F(1.442695040888963407359924681001892137);
  if (x == y) return x + F(1);
  const F gap = x - y;
  if (gap > 0) return x + of_e * Log1p(Exp2(-gap));
  return gap <= 0 ? y + of_e * Log1p(Exp2(gap)) : gap;
}
template <class F>
FUSEAU_FN F Degrees(F x) {
  return x * (F(180) / F(3.141592653589793238462643383279502884));
}
template <class F>
FUSEAU_FN F Radians(F x) {
  return x * (F(3.141592653589793238462643383279502884) / F(180));
}

// --- Complex numbers, ordered by their real parts, then by the others.

template <class F>
FUSEAU_FN bool HasNan(Complex<F> x) {
  return x.re != x.re || x.im != x.im;
}
template <class F>
FUSEAU_FN bool Less(Complex<F> x, Complex<F> y) {
  return (x.re < y.re && x.im == x.im && y.im == y.im) ||
         (x.re == y.re && x.im < y.im);
}
template <class F>
FUSEAU_FN bool LessEqual(Complex<F> x, Complex<F> y) {
  return (x.re < y.re && x.im == x.im && y.im == y.im) ||
         (x.re == y.re && x.im <= y.im);
}
template <class F>
FUSEAU_FN bool Greater(Complex<F> x, Complex<F> y) {
  return Less(y, x);
}
template <class F>
FUSEAU_FN bool GreaterEqual(Complex<F> x, Complex<F> y) {
  return LessEqual(y, x);
}
template <class F>
FUSEAU_FN Complex<F> MaximumComplex(Complex<F> x, Complex<F> y) {
  return HasNan(x) || GreaterEqual(x, y) ? x : y;
}
template <class F>
FUSEAU_FN Complex<F> MinimumComplex(Complex<F> x, Complex<F> y) {
  return HasNan(x) || LessEqual(x, y) ? x : y;
}
template <class F>
FUSEAU_FN F AbsoluteComplex(Complex<F> x) {
  return Hypot(x.re, x.im);
}
// The larger part of the divisor is divided by first, so that no square
// overflows.
template <class F>
FUSEAU_FN Complex<F> DivideComplex(Complex<F> x, Complex<F> y) {
  const F re = Absolute(y.re), im = Absolute(y.im);
  if (re >= im) {
    if (re == 0 && im == 0) return {x.re / re, x.im / re};
    const F ratio = y.im / y.re;
    const F scale = F(1) / (y.re + y.im * ratio);
    return {(x.re + x.im * ratio) * scale, (x.im - x.re * ratio) * scale};
  }
  const F ratio = y.re / y.im;
  const F scale = F(1) / (y.im + y.re * ratio);
  return {(x.re * ratio + x.im) * scale, (x.im * ratio - x.re) * scale};
}

}  // namespace fuseau

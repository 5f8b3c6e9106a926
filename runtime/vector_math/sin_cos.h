// Sine and cosine of float64, within 0.57 units in the last place.
//
// The argument is reduced by multiples of pi/2 that are subtracted in three
// parts (Cody and Waite 1980), which leaves a sum of two doubles. On
// [-pi/4, pi/4] the Taylor polynomials are cut where the rest is below 2^-60 of
// the result; the terms that decide the last bit are computed as such sums too.
// Arguments of 2^20 and more, those next to a multiple of pi/2, infinities and
// NaN are left to the C library.
#pragma once

#include <cmath>

#include "runtime/vector_math/lanes.h"

namespace fuseau::runtime::vector_math {
namespace {

// The coefficient of r^n in the series of the sine (n odd) or cosine (n even).
constexpr double Taylor(int n) {
  double factorial = 1;
  for (int i = 2; i <= n; ++i) factorial *= i;
  return n / 2 % 2 == 1 ? -1 / factorial : 1 / factorial;
}

// first + z * (next + z * (...)), the coefficients from `last` down in steps
// of two.
template <int N, int First, int Last>
inline Doubles<N> Series(Doubles<N> z) {
  Doubles<N> sum = Taylor(Last);
#pragma unroll
  for (int n = Last - 2; n >= First; n -= 2) {
    sum = Fma<N>(sum, z, Doubles<N>(Taylor(n)));
  }
  return sum;
}

// The square of a pair, as a pair.
template <int N>
inline Pair<N> Square(Pair<N> r) {
  Pair<N> z = TwoProduct<N>(r.hi, r.hi);
  z.lo += 2 * r.hi * r.lo;
  return z;
}

// sin(r) for |r| <= pi/4: r + r^3 * (-1/6 + r^2 * ...).
template <int N>
inline Doubles<N> SineOf(Pair<N> r, Pair<N> z) {
  constexpr double kSixthRest = -0x1.5555555555555p-57;  // of -1/6
  Pair<N> factor = FastTwoSum<N>(Taylor(3), Series<N, 5, 17>(z.hi) * z.hi);
  factor.lo += kSixthRest;
  Pair<N> cube = TwoProduct<N>(r.hi, z.hi);
  cube.lo += Fma<N>(r.hi, z.lo, r.lo * z.hi);
  Pair<N> term = TwoProduct<N>(cube.hi, factor.hi);
  term.lo += Fma<N>(cube.hi, factor.lo, cube.lo * factor.hi);
  const Pair<N> sum = FastTwoSum<N>(r.hi, term.hi);
  return sum.hi + (sum.lo + (term.lo + r.lo));
}

// cos(r) for |r| <= pi/4: 1 - r^2 / 2 + r^4 * (1/24 - ...).
template <int N>
inline Doubles<N> CosineOf(Pair<N> z) {
  const Pair<N> start = FastTwoSum<N>(1.0, -0.5 * z.hi);
  const Pair<N> sum =
      FastTwoSum<N>(start.hi, Series<N, 4, 18>(z.hi) * (z.hi * z.hi));
  return sum.hi + (sum.lo + (start.lo - 0.5 * z.lo));
}

// sin(x + QuarterTurns * pi/2). Sets the lanes of `*hard` whose result has to
// be computed otherwise.
template <int N, int QuarterTurns>
inline Doubles<N> SineAt(Doubles<N> x, Integers<N>* hard) {
  // pi/2 in parts of 33, 33 and 53 bits: the first two times a number below
  // 2^20 are exact.
  constexpr double kHalfPi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34,
                                0x1.3198a2e037073p-69};
  constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
  constexpr double kRoundToInteger = 0x1.8p52;
  constexpr int64_t kMagnitude = INT64_MAX;
  constexpr auto bits = [](double d) { return __builtin_bit_cast(int64_t, d); };

  // Compared as integers, since comparing NaN would raise a flag. Below 2^-27
  // the sine is its argument, and computing it would underflow.
  const Integers<N> magnitude = BitsOf<N>(x) & kMagnitude;
  const Integers<N> tiny = magnitude < bits(0x1p-27);
  *hard = magnitude >= bits(0x1p20);
  const Doubles<N> moderate = FromBits<N>(BitsOf<N>(x) & ~tiny & ~*hard);

  const Doubles<N> shifted =
      Fma<N>(moderate, kTwoOverPi, Doubles<N>(kRoundToInteger));
  const Doubles<N> k = shifted - kRoundToInteger;
  const Integers<N> turns = BitsOf<N>(shifted) + QuarterTurns;
  Pair<N> r = TwoSum<N>(Fma<N>(-k, kHalfPi[0], moderate), -k * kHalfPi[1]);
  r = FastTwoSum<N>(r.hi, Fma<N>(-k, kHalfPi[2], r.lo));
  // Here cancellation has used up the bits of the parts.
  *hard |= ((BitsOf<N>(r.hi) & kMagnitude) < bits(0x1p-27)) &
           ((BitsOf<N>(k) & kMagnitude) != 0);

  const Pair<N> z = Square<N>(r);
  const Doubles<N> value = (turns & 1) != 0 ? CosineOf<N>(z) : SineOf<N>(r, z);
  const Doubles<N> result = FromBits<N>(BitsOf<N>(value) ^ (turns & 2) << 62);
  if constexpr (QuarterTurns == 0) return tiny ? x : result;
  return result;
}

template <int N>
struct Sine {
  static Doubles<N> Vector(Doubles<N> x, Integers<N>* hard) {
    return SineAt<N, 0>(x, hard);
  }
  static double Scalar(double x) { return std::sin(x); }
};

template <int N>
struct Cosine {
  static Doubles<N> Vector(Doubles<N> x, Integers<N>* hard) {
    return SineAt<N, 1>(x, hard);
  }
  static double Scalar(double x) { return std::cos(x); }
};

}  // namespace
}  // namespace fuseau::runtime::vector_math

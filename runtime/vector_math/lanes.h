// Vectors of doubles and sums of two of them. For the files of this folder that
// are compiled once per instruction set: everything is static, so that code of
// one set can't be linked in place of another's.
#pragma once

#include <cstdint>
#include <cstring>

namespace fuseau::runtime::vector_math {
namespace {

template <int N>
using Doubles = double __attribute__((ext_vector_type(N)));
template <int N>
using Integers = int64_t __attribute__((ext_vector_type(N)));

template <int N>
inline Integers<N> BitsOf(Doubles<N> x) {
  return __builtin_bit_cast(Integers<N>, x);
}
template <int N>
inline Doubles<N> FromBits(Integers<N> bits) {
  return __builtin_bit_cast(Doubles<N>, bits);
}

// a * b + c, rounded once.
template <int N>
inline Doubles<N> Fma(Doubles<N> a, Doubles<N> b, Doubles<N> c) {
  return __builtin_elementwise_fma(a, b, c);
}

// hi + lo with |lo| at most half a unit in the last place of hi.
template <int N>
struct Pair {
  Doubles<N> hi, lo;
};

// a + b, exactly. (Knuth, The Art of Computer Programming 2, 4.2.2.)
template <int N>
inline Pair<N> TwoSum(Doubles<N> a, Doubles<N> b) {
  const Doubles<N> sum = a + b;
  const Doubles<N> b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

// a + b, exactly, if |a| >= |b|. (Dekker 1971.)
template <int N>
inline Pair<N> FastTwoSum(Doubles<N> a, Doubles<N> b) {
  const Doubles<N> sum = a + b;
  return {sum, b - (sum - a)};
}

// a * b, exactly.
template <int N>
inline Pair<N> TwoProduct(Doubles<N> a, Doubles<N> b) {
  const Doubles<N> product = a * b;
  return {product, Fma<N>(a, b, -product)};
}

}  // namespace
}  // namespace fuseau::runtime::vector_math

// The order in which NumPy sorts.
#pragma once

#include <type_traits>

#include "runtime/cpu/routines/elements.h"

namespace fuseau::runtime {

// NaN is the largest of all. Complex numbers go by their real part, then by the
// imaginary one; those with a NaN come last: R + NaN j, NaN + I j, NaN + NaN j.
template <typename T>
bool Less(T a, T b) {
  if constexpr (IsComplexType<T>::value) {
    const auto unknown = [](T z) {
      return 2 * (z.real() != z.real()) + (z.imag() != z.imag());
    };
    const int of_a = unknown(a), of_b = unknown(b);
    if (of_a != of_b) return of_a < of_b;
    const bool real_known = of_a < 2, imag_known = of_a % 2 == 0;
    if (real_known && a.real() != b.real()) return a.real() < b.real();
    return imag_known && a.imag() < b.imag();
  } else if constexpr (std::is_floating_point_v<T>) {
    return a < b || (b != b && a == a);
  } else {
    return a < b;
  }
}

}  // namespace fuseau::runtime

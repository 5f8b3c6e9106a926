// What the processor remembers of this thread's floating-point arithmetic.
#pragma once

#include <cfenv>
#include <cstdint>

namespace fuseau {

// NumPy's numbers for them.
enum FloatFlag : uint8_t {
  kDivideFlag = 1,
  kOverflowFlag = 2,
  kUnderflowFlag = 4,
  kInvalidFlag = 8,
};

inline uint8_t TestFloatFlags() {
  const int set =
      std::fetestexcept(FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID);
  if (__builtin_expect(set == 0, true)) return 0;
  return static_cast<uint8_t>(((set & FE_DIVBYZERO) != 0 ? kDivideFlag : 0) |
                              ((set & FE_OVERFLOW) != 0 ? kOverflowFlag : 0) |
                              ((set & FE_UNDERFLOW) != 0 ? kUnderflowFlag : 0) |
                              ((set & FE_INVALID) != 0 ? kInvalidFlag : 0));
}

// To clear takes longer than to look.
inline void ClearFloatFlags() {
  if (TestFloatFlags() != 0) std::feclearexcept(FE_ALL_EXCEPT);
}

}  // namespace fuseau

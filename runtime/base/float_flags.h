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

inline constexpr int kFloatExceptions =
    FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID;

// Some of the C library's functions use the old unit, so both are looked at.
// Inline, since it is done for each small run.
inline int TestFloatExceptions() {
#ifdef __x86_64__
  uint16_t old_unit;
  uint32_t vectors;
  asm volatile("fnstsw %0" : "=a"(old_unit));
  asm volatile("stmxcsr %0" : "=m"(vectors));
  return static_cast<int>(old_unit | vectors) & kFloatExceptions;
#else
  return std::fetestexcept(kFloatExceptions);
#endif
}

inline uint8_t TestFloatFlags() {
  const int set = TestFloatExceptions();
  if (__builtin_expect(set == 0, true)) return 0;
  return static_cast<uint8_t>(((set & FE_DIVBYZERO) != 0 ? kDivideFlag : 0) |
                              ((set & FE_OVERFLOW) != 0 ? kOverflowFlag : 0) |
                              ((set & FE_UNDERFLOW) != 0 ? kUnderflowFlag : 0) |
                              ((set & FE_INVALID) != 0 ? kInvalidFlag : 0));
}

// To clear takes longer than to look.
inline void ClearFloatFlags() {
  if (TestFloatExceptions() != 0) std::feclearexcept(FE_ALL_EXCEPT);
}

inline void RaiseFloatFlags(uint8_t flags) {
  std::feraiseexcept(((flags & kDivideFlag) != 0 ? FE_DIVBYZERO : 0) |
                     ((flags & kOverflowFlag) != 0 ? FE_OVERFLOW : 0) |
                     ((flags & kUnderflowFlag) != 0 ? FE_UNDERFLOW : 0) |
                     ((flags & kInvalidFlag) != 0 ? FE_INVALID : 0));
}

}  // namespace fuseau

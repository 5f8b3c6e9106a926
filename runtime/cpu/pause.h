// What a thread does between two looks for work.
#pragma once

namespace fuseau::runtime {

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace fuseau::runtime

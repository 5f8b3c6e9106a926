#include "runtime/vector_math/vector_math.h"

namespace fuseau::runtime {

absl::Span<const vector_math::NamedLoop> VectorMath() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw")) {
    return vector_math::Avx512Loops();
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return vector_math::Avx2Loops();
  }
#endif
  return {};
}

}  // namespace fuseau::runtime

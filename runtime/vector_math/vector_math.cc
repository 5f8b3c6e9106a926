#include "runtime/vector_math/vector_math.h"

#include "runtime/cpu/machine.h"

namespace fuseau::runtime {

absl::Span<const vector_math::NamedLoop> VectorMath() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (HasAvx512()) return vector_math::Avx512Loops();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return vector_math::Avx2Loops();
  }
#endif
  return {};
}

}  // namespace fuseau::runtime

// Compiled with the instruction set that the file is named after.
#include "runtime/vector_math/loops.h"

namespace fuseau::runtime::vector_math {

absl::Span<const NamedLoop> Avx512Loops() { return kLoops<8>; }

}  // namespace fuseau::runtime::vector_math

// Compiled with the instruction set that the file is named after.
#include "runtime/vector_math/loops.h"

namespace fuseau::runtime::vector_math {

absl::Span<const NamedLoop> Avx2Loops() { return kLoops<4>; }

}  // namespace fuseau::runtime::vector_math

// Functions that are computed by vectors here and one element at a time in
// NumPy's loops. Their results may differ from NumPy's by one unit in the last
// place; they are the same for every instruction set, position and step.
#pragma once

#include "absl/types/span.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {

namespace vector_math {

struct NamedLoop {
  const char* name;
  InnerLoop loop;
};

// The loops for an instruction set, whether or not this machine has it.
absl::Span<const NamedLoop> Avx2Loops();
absl::Span<const NamedLoop> Avx512Loops();

}  // namespace vector_math

// The loops for this machine; none without AVX2 and FMA.
absl::Span<const vector_math::NamedLoop> VectorMath();

}  // namespace fuseau::runtime

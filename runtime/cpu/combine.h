// Joins partial results of reductions.
#pragma once

#include <cstdint>

#include "runtime/plan.h"

namespace fuseau::runtime {

// *left = *left joined with *right, as NumPy's ufuncs do it for elements of
// `dtype`: integers wrap around, maximum and minimum hand on NaN, complex
// numbers compare by real and then imaginary part. kAny and kAll look at bytes
// (dtype bool). The combiner is not kNone.
void Combine(Combiner combiner, DType dtype, char* left, const char* right);

// Where NumPy's pairwise sum cuts n > 128 elements in two: the elements of the
// left part.
int64_t TreeSplit(int64_t n, DType dtype);
// Whether n elements are one leaf of that tree.
bool IsTreeLeaf(int64_t n, DType dtype);

}  // namespace fuseau::runtime

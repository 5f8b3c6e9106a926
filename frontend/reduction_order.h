// The order in which a reduction visits elements. It decides the bits of
// floating-point sums, so it is NumPy's.
#pragma once

#include "frontend/array.h"

namespace fuseau {

// A reduction's iteration space, the outermost dimension first. Neighbours of
// the same kind that lie dense to each other are one dimension; dimensions of
// size 1 are left out.
struct ReductionSpace {
  int rank = 0;
  int64_t shape[kMaxRank];
  int64_t strides[kMaxRank];
  uint64_t reduced = 0;  // bit d: dimension d vanishes
};

// `reduced` has bit d for each axis d of the array that vanishes. Writes the
// axes of the array in memory order, the outermost first, to `axes`. An array
// that the result goes `into` takes part in that order: `into` has its strides
// over the axes of `array`, and is null if there is none.
ReductionSpace OrderReduction(const Array& array, uint64_t reduced,
                              const int64_t* into, uint8_t* axes);

}  // namespace fuseau

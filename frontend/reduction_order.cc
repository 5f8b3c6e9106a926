#include "frontend/reduction_order.h"

#include "frontend/layout.h"

namespace fuseau {

ReductionSpace OrderReduction(const Array& array, uint64_t reduced,
                              const int64_t* into, uint8_t* axes) {
  const int rank = array.rank();
  int64_t moving[kMaxRank];
  BroadcastStrides(array.shape(), array.strides(), rank, moving);
  const int64_t* const rows[2] = {into != nullptr ? into : moving, moving};
  IterationOrder(rank, absl::MakeSpan(rows).subspan(into != nullptr ? 0 : 1),
                 axes);
  ReductionSpace space;
  for (int i = 0; i < rank; ++i) {
    const int64_t size = array.shape()[axes[i]];
    const int64_t stride = array.strides()[axes[i]];
    const bool vanishes = (reduced >> axes[i] & 1) != 0;
    if (size == 1) continue;
    const int last = space.rank - 1;
    // Axes run in the direction of the view: NumPy turns none round when it
    // allocates the result.
    if (last >= 0 && ((space.reduced >> last & 1) != 0) == vanishes &&
        space.strides[last] == size * stride) {
      space.shape[last] *= size;
      space.strides[last] = stride;
      continue;
    }
    space.shape[space.rank] = size;
    space.strides[space.rank] = stride;
    if (vanishes) space.reduced |= uint64_t{1} << space.rank;
    ++space.rank;
  }
  return space;
}

}  // namespace fuseau

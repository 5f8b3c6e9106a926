// Sums of floats that NumPy forms in chunks.
#pragma once

#include "absl/status/statusor.h"
#include "frontend/array.h"
#include "frontend/reduction_order.h"

namespace fuseau {

// A reduction of the whole of `space` over the storage of `array`; elements are
// converted to `dtype`. The result is dense over the dimensions that stay.
NodeRef RecordReduction(OpCode op, const Array& array,
                        const ReductionSpace& space, DType dtype);

// The sum over the innermost dimensions of `space`, which vanish, as NumPy
// forms it: each chunk of elements is summed pairwise, and the sums of chunks
// are added one after the other. What a chunk is depends on how NumPy's
// iterator walks the operand:
//   one dimension, same type   all of it
//   several, same type         a row of more than 4096 elements; of shorter
//                              rows as many as fill its buffer of 8192 elements
//   converted                  as much as fills the buffer
absl::StatusOr<NodeRef> RecordChunkedSum(const Array& array,
                                         const ReductionSpace& space,
                                         DType dtype);

}  // namespace fuseau

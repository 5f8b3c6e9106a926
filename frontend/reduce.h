// Recording of reductions.
#pragma once

#include "absl/status/status.h"
#include "frontend/array.h"
#include "frontend/promotion.h"

namespace fuseau {

// The type in which NumPy accumulates and returns a sum or product.
DType SumType(DType dtype);
DType MeanType(DType dtype);

// Reduces over the axes whose bits are set in `axes`. Elements are converted to
// `dtype`, which is the type of the result. `into` is the array that the caller
// will put the result into, or null: NumPy adds in an order that suits both.
// Reductions without an identity of no elements give NumPy's ValueError.
absl::Status Reduce(OpCode op, const Array& array, uint64_t axes,
                    bool keep_dims, DType dtype, const Array* into, Array* out);

// The sum divided by the number of elements, with NumPy's roundings.
absl::Status Mean(const Array& array, uint64_t axes, bool keep_dims,
                  DType dtype, const Array* into, Array* out);

}  // namespace fuseau

// NumPy's rules for shapes and strides: broadcasting, the order of axes in
// memory, views of another shape.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/base/dims.h"

namespace fuseau {

// The `order=` of NumPy's functions.
enum class Order : uint8_t { kC, kF, kA, kKeep };

// "(2,3)" and "(3,)", as NumPy's messages write shapes.
std::string ShapeText(absl::Span<const int64_t> shape);

// The common shape of operands, or NumPy's ValueError. `names` is what stands
// before "could not be broadcast ..." there: all shapes.
absl::StatusOr<Dims> BroadcastShapes(
    absl::Span<const absl::Span<const int64_t>> shapes);

// Strides of an operand over the broadcast shape: 0 along the dimensions that
// it lacks or has once.
void BroadcastStrides(absl::Span<const int64_t> shape,
                      absl::Span<const int64_t> strides, int rank,
                      int64_t* out);

// The order in which NumPy's iterator visits the axes of operands with order
// 'K': writes axes to `axes`, the outermost first. `strides` has a row of
// `rank` broadcast strides for each operand.
void IterationOrder(int rank, absl::Span<const int64_t* const> strides,
                    uint8_t* axes);

// Sorts axes by the size of their strides, the largest first; ties keep their
// order.
void SortByStride(const int64_t* strides, int count, uint8_t* axes);

// Strides of a dense array whose axes lie in memory in the order `axes`.
void StridesInOrder(absl::Span<const int64_t> shape, const uint8_t* axes,
                    int64_t item_size, int64_t* strides);

// The axes in memory of a new array like one of this shape and strides: NumPy's
// copy(order='K') and empty_like.
void CopyOrder(absl::Span<const int64_t> shape,
               absl::Span<const int64_t> strides, bool c_contiguous,
               bool f_contiguous, Order order, uint8_t* axes);

// The strides of a view with `new_shape` of the same elements in the given
// order, if a view can have it. The sizes must agree.
std::optional<Dims> ReshapeStrides(absl::Span<const int64_t> shape,
                                   absl::Span<const int64_t> strides,
                                   absl::Span<const int64_t> new_shape,
                                   int64_t item_size, bool f_order);

}  // namespace fuseau

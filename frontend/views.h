// Views: arrays over the base of another one. None of them records anything.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/layout.h"

namespace fuseau {

// One part of a basic index.
struct IndexItem {
  enum Kind : uint8_t { kInteger, kSlice, kNewAxis, kEllipsis };
  Kind kind;
  // The integer, or the slice as Python unpacks it: an open end is the largest
  // or smallest number. Not set for other kinds.
  int64_t start;
  int64_t stop;
  int64_t step;
};

// array[items], or NumPy's IndexError.
absl::Status IndexView(const Array& array, absl::Span<const IndexItem> items,
                       Array* out);
// What a[i, j, ...] gives for full integer indices: a number, bound to the
// present value. `element` is a view of rank 0.
absl::Status TakeNumber(const Array& element, Array* out);

// A view of the same elements with any shape and strides; the offset is
// relative to the array's own. All of it must lie in the base.
absl::Status StridedView(const Array& array, int64_t offset,
                         absl::Span<const int64_t> shape,
                         absl::Span<const int64_t> strides, bool writable,
                         Array* out);
// axes[i] is the axis that becomes axis i.
void TransposeView(const Array& array, absl::Span<const int> axes, Array* out);
absl::Status BroadcastView(const Array& array, absl::Span<const int64_t> shape,
                           Array* out);

// The new shape with a -1 worked out, or NumPy's ValueError.
absl::StatusOr<Dims> ResolveShape(const Array& array,
                                  absl::Span<const int64_t> shape);
// A view of that (resolved) shape if there is one, with elements in C or
// Fortran order; empty otherwise.
std::optional<Array> ReshapeView(const Array& array,
                                 absl::Span<const int64_t> shape, bool f_order);

// The parts of complex numbers. `array` is complex.
void PartView(const Array& array, bool imaginary, Array* out);
// array.view(dtype), or NumPy's ValueError.
absl::Status TypeView(const Array& array, DType dtype, Array* out);

}  // namespace fuseau

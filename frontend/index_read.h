// Reads at index arrays and masks. Errors of indices are raised here, so what
// is indexed with is computed; the elements are not.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"

namespace fuseau {

// Where the dimensions of index arrays stand in memory: first, as NumPy's
// indexing has them, or in their place, as in its `take`.
enum class IndexOrder : uint8_t { kIndicesFirst, kInPlace };

// The top bit tells whether an index is out of range, so that those of many can
// be joined; made of what every vector unit has.
inline uint64_t OutOfRange(int64_t index, int64_t size) {
  const auto i = static_cast<uint64_t>(index), n = static_cast<uint64_t>(size);
  return (i + n) | (n - 1 - i);
}

// The elements of `array` at `indices` of its axes `axis`, axis + 1, ...: one
// or two arrays of int64 and of one shape, whose elements lie in C order. In
// the shape of the result theirs stands in the place of those axes.
absl::Status TakeAt(const Array& array, int axis,
                    absl::Span<const Array* const> indices, IndexOrder order,
                    Array* out);

// The elements where `mask` (bool) holds, which covers the first axes.
absl::Status TakeWhere(const Array& array, const Array& mask, Array* out);

// One vector for each axis of `mask`: the coordinates where it holds.
absl::Status WhereTrue(const Array& mask, absl::Span<Array> out);

}  // namespace fuseau

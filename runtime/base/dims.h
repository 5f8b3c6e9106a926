// Sizes and strides.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"

// Before a loop over dimensions, of which there are few: vector code would cost
// more than it saves.
#ifdef __clang__
#define FUSEAU_SHORT_LOOP \
  _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define FUSEAU_SHORT_LOOP
#endif

namespace fuseau {

// One number per dimension: sizes in elements or strides in bytes. NumPy's
// limit is 64 dimensions; up to four need no allocation.
using Dims = absl::InlinedVector<int64_t, 4>;

inline constexpr int kMaxRank = 64;

// The product of the sizes; 1 for no dimensions.
inline int64_t Count(absl::Span<const int64_t> sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}

// Strides in bytes of a dense array in C order.
inline Dims DenseStrides(absl::Span<const int64_t> sizes, int64_t item_size) {
  Dims strides(sizes.size());
  int64_t step = item_size;
  for (int i = static_cast<int>(sizes.size()) - 1; i >= 0; --i) {
    strides[i] = step;
    step *= sizes[i] > 0 ? sizes[i] : 1;
  }
  return strides;
}

// The bytes that a strided view touches, as [lo, hi) relative to its storage.
struct ByteRange {
  int64_t lo = 0;
  int64_t hi = 0;
  bool Empty() const { return hi <= lo; }
  bool Intersects(const ByteRange& o) const { return lo < o.hi && o.lo < hi; }
};

inline ByteRange Extent(int64_t offset, absl::Span<const int64_t> sizes,
                        absl::Span<const int64_t> strides, int64_t item_size) {
  int64_t lo = offset, hi = offset;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return {offset, offset};
    (strides[i] < 0 ? lo : hi) += strides[i] * (sizes[i] - 1);
  }
  return {lo, hi + item_size};
}

}  // namespace fuseau

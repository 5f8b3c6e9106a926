// Strided accesses: which element of a value each point of a loop nest reads.
#pragma once

#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "runtime/base/dims.h"

namespace fuseau::passes {

// Point `i` of a space touches byte `offset + sum(i * strides)` of a dense
// storage. Dimensions of size 1 have stride 0, so equal accesses compare equal.
struct Access {
  int64_t offset = 0;
  Dims strides;

  bool operator==(const Access& o) const {
    return offset == o.offset && strides == o.strides;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Access& a) {
    return H::combine(std::move(h), a.offset, a.strides);
  }
};

// The access that visits a dense storage of `shape` in order.
Access DenseAccess(absl::Span<const int64_t> shape, int64_t item_size);

// The access to the elements of the same indices in a dense storage of the same
// shape whose elements have `to` bytes instead of `from`.
Access Rescaled(Access access, int64_t from, int64_t to);

// Clears the strides of dimensions of size 1.
void Normalize(Access& access, absl::Span<const int64_t> space);

// Runs of `bytes` bytes at strides.
struct Runs {
  int64_t offset = 0;
  int64_t bytes = 0;
  Dims sizes;
  Dims strides;

  bool operator==(const Runs& o) const {
    return offset == o.offset && bytes == o.bytes && sizes == o.sizes &&
           strides == o.strides;
  }
};

// What an access to elements of `item_size` bytes leaves of a storage of
// `bytes` bytes. Nothing if its rows overlap or interleave.
std::optional<std::vector<Runs>> Untouched(const Access& access,
                                           absl::Span<const int64_t> space,
                                           int64_t item_size, int64_t bytes);

// A value is read through `outer`, an access over `space` to the dense storage
// of a window of `shape`; element `j` of the window lies at
// `window.offset + sum(j * window.strides)` of another storage. Returns the
// access over `space` to that storage, or nothing if it is not strided (a
// reshape that is not a view).
std::optional<Access> Compose(const Access& outer,
                              absl::Span<const int64_t> space,
                              absl::Span<const int64_t> shape,
                              int64_t item_size, const Access& window);

}  // namespace fuseau::passes

// Boxes of bytes: what a strided access touches, and the parts of it that lie
// in a range.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "runtime/base/dims.h"
#include "runtime/transfer.h"

namespace fuseau::passes::partition {

// Part of an iteration space, and part of each of its runs of bytes.
struct Region {
  Dims first;
  Dims count;
  int64_t run_first = 0;
  int64_t run_bytes = 0;
};

// Runs of `run` bytes at strides that are positive and descend. Rows do not
// interleave, so C order is the order of addresses.
struct Box {
  int64_t offset = 0;
  int64_t run = 0;
  Dims shape;
  Dims strides;

  int64_t bytes() const { return run * Count(shape); }
  ByteRange hull() const { return Extent(offset, shape, strides, run); }
  friend bool operator==(const Box&, const Box&) = default;
};

inline Box RangeBox(ByteRange range) {
  Box box;
  box.offset = range.lo;
  box.run = range.hi - range.lo;
  return box;
}

// Whether the rows of an access with positive, descending strides do not
// interleave.
bool IsNested(absl::Span<const int64_t> shape,
              absl::Span<const int64_t> strides, int64_t item);

// An access to a packed copy of what it touches.
struct Packing {
  Box box;  // what is packed, in the original
  // Element i is at byte offset + sum(i * strides) of the copy.
  int64_t offset = 0;
  Dims strides;
};

// Where rows interleave (overlapping windows), all from the first byte to the
// last is packed.
Packing Pack(int64_t offset, absl::Span<const int64_t> shape,
             absl::Span<const int64_t> strides, int64_t item);

// The parts of a box in a range, in the order of addresses: at most two for
// each dimension, and one.
std::vector<Region> Clip(const Box& box, ByteRange range);

// A part of a box in a buffer that begins at byte `base` of the value, and in a
// packed copy that begins at byte `base` of its buffer.
runtime::CopyPart PartOf(const Box& box, const Region& region, int64_t base);
runtime::CopyPart PackedPartOf(const Box& box, const Region& region,
                               int64_t base);

}  // namespace fuseau::passes::partition

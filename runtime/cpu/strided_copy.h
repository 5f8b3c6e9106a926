// Copies between views of any strides.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "runtime/base/dims.h"

namespace fuseau::runtime {

// Copies the elements of one view to another of the same sizes; strides are in
// bytes. The views do not overlap. Whole runs of bytes are copied at once where
// both views have them.
void CopyStrided(char* to, absl::Span<const int64_t> to_strides,
                 const char* from, absl::Span<const int64_t> from_strides,
                 absl::Span<const int64_t> sizes, int64_t item_size);

// A place of our own for elements that a kernel reads or writes instead of the
// array. Kernels are compiled for the class of an operand's innermost stride
// (0, one item forwards or backwards, any other), so the class stays; all other
// strides are free.
struct ScratchLayout {
  Dims strides;
  int64_t lo = 0;     // of the first byte, relative to element (0, ..., 0)
  int64_t bytes = 0;  // from the first to the last byte
};

// The strides of the array are kept where that wastes little; otherwise the
// dimensions are packed.
ScratchLayout MakeScratchLayout(absl::Span<const int64_t> sizes,
                                absl::Span<const int64_t> strides,
                                int64_t item_size);

}  // namespace fuseau::runtime

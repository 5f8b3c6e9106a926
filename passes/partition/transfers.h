// What a rank gives and takes so that every rank gets the bytes it wants.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "passes/partition/box.h"
#include "runtime/transfer.h"

namespace fuseau::passes::partition {

// The boxes of a value that each rank wants.
using Wants = std::vector<std::vector<Box>>;

inline int64_t Bytes(const std::vector<Box>& boxes) {
  int64_t bytes = 0;
  for (const Box& box : boxes) bytes += box.bytes();
  return bytes;
}

inline bool Covers(ByteRange range, ByteRange part) {
  return part.Empty() || (range.lo <= part.lo && part.hi <= range.hi);
}
bool Covers(ByteRange range, const std::vector<Box>& boxes);

inline ByteRange Owned(absl::Span<const int64_t> cuts, int rank) {
  return {cuts[rank], cuts[rank + 1]};
}

// Who wants nothing but what it owns gets nothing. Others get all that they
// want, one box after the other from byte `target` of the target on; what they
// own is copied. The source of this rank begins at byte `source` of the value.
runtime::Transfer Collect(absl::Span<const int64_t> cuts, const Wants& wants,
                          int rank, int64_t source, int64_t target = 0);

// What a rank has of a value, and bytes around it that it needs, which form one
// range.
struct HaloWant {
  ByteRange owned;
  ByteRange needed;
};

// Where the bytes of a halo go.
struct HaloTarget {
  // In the wider copy of the rank's part, which begins at byte `lo` of the
  // value, its own bytes too; or only the halo, one byte after the other.
  bool whole = false;
  int64_t lo = 0;
};

runtime::Transfer FillHalo(absl::Span<const HaloWant> wants, int rank,
                           int64_t source, const HaloTarget& target);

}  // namespace fuseau::passes::partition

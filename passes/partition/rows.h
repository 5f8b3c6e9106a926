// How rows, or other parts of equal size, are shared out among ranks. Rank r
// has those from the r-th of such numbers on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "runtime/base/dims.h"

namespace fuseau::passes::partition {

// The first of the rows [lo, hi) that begins at `limit` or later; rows ascend.
template <typename Begin>
int64_t FirstRow(int64_t lo, int64_t hi, int64_t limit, Begin&& begin) {
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (begin(middle) < limit) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo;
}

// Row i belongs to the rank that owns byte `begin(i)`.
template <typename Begin>
std::vector<int64_t> RowsBy(int ranks, int64_t count,
                            absl::Span<const int64_t> cuts, Begin&& begin) {
  std::vector<int64_t> rows(ranks + 1, 0);
  int64_t step = count / ranks;
  for (int r = 1; r < ranks; ++r) {
    // Most parts are like the one before: looks there first.
    int64_t lo = rows[r - 1], hi = std::min(count, lo + step + 2);
    const int64_t near = std::max(lo, hi - 4);
    if (near < hi && begin(near) < cuts[r]) lo = near + 1;
    if (hi < count && begin(hi) < cuts[r]) {
      lo = hi + 1;
      hi = count;
    }
    rows[r] = FirstRow(lo, hi, cuts[r], begin);
    step = rows[r] - rows[r - 1];
  }
  rows[ranks] = count;
  return rows;
}

// [0, n) for the first ranks in equal parts, as far as multiples of `unit` can
// be.
std::vector<int64_t> EvenCuts(int ranks, int64_t n, int64_t unit,
                              int64_t parts);

// Whether some rank has more than twice its share of so many parts.
bool Uneven(absl::Span<const int64_t> rows, int parts);

// Whether addresses grow in C order; dimensions of one element are ignored.
bool Ascends(const Dims& shape, const Dims& strides);

}  // namespace fuseau::passes::partition

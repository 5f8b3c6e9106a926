#include "passes/partition/rows.h"

namespace fuseau::passes::partition {

std::vector<int64_t> EvenCuts(int ranks, int64_t n, int64_t unit,
                              int64_t parts) {
  const int64_t units = (n + unit - 1) / unit;
  std::vector<int64_t> cuts(ranks + 1, n);
  for (int64_t r = 0; r < parts; ++r)
    cuts[r] = std::min(n, units * r / parts * unit);
  return cuts;
}

bool Uneven(absl::Span<const int64_t> rows, int parts) {
  int64_t most = 0;
  for (size_t r = 0; r + 1 < rows.size(); ++r)
    most = std::max(most, rows[r + 1] - rows[r]);
  return most > 2 * (rows.back() / parts + 1);
}

bool Ascends(const Dims& shape, const Dims& strides) {
  int64_t extent = 0;
  for (size_t d = shape.size(); d-- > 0;) {
    if (shape[d] == 1) continue;
    if (strides[d] <= extent) return false;
    extent += (shape[d] - 1) * strides[d];
  }
  return true;
}

}  // namespace fuseau::passes::partition

#include "passes/access.h"

#include <algorithm>
#include <cstdlib>

namespace fuseau::passes {
namespace {

// The window with neighbouring dimensions merged where its strides allow, and
// without dimensions of size 1.
struct Window {
  Dims shape;
  Dims strides;  // of the window in the other storage
  Dims dense;    // of the window's own dense storage
};

Window Merge(absl::Span<const int64_t> shape, int64_t item_size,
             const Dims& strides) {
  const Dims dense = DenseStrides(shape, item_size);
  Window w;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!w.shape.empty() && w.strides.back() == strides[d] * shape[d]) {
      w.shape.back() *= shape[d];
      w.strides.back() = strides[d];
      w.dense.back() = dense[d];
    } else {
      w.shape.push_back(shape[d]);
      w.strides.push_back(strides[d]);
      w.dense.push_back(dense[d]);
    }
  }
  return w;
}

}  // namespace

Access DenseAccess(absl::Span<const int64_t> shape, int64_t item_size) {
  Access access{0, DenseStrides(shape, item_size)};
  Normalize(access, shape);
  return access;
}

Access Rescaled(Access access, int64_t from, int64_t to) {
  access.offset = access.offset / from * to;
  for (int64_t& s : access.strides) s = s / from * to;
  return access;
}

void Normalize(Access& access, absl::Span<const int64_t> space) {
  for (size_t d = 0; d < space.size(); ++d)
    if (space[d] == 1) access.strides[d] = 0;
}

std::optional<std::vector<Runs>> Untouched(const Access& access,
                                           absl::Span<const int64_t> space,
                                           int64_t item_size, int64_t bytes) {
  struct Dim {
    int64_t size;
    int64_t stride;
  };
  int64_t start = access.offset;
  std::vector<Dim> dims;
  for (size_t d = 0; d < space.size(); ++d) {
    if (space[d] == 0) return std::nullopt;
    if (space[d] == 1) continue;
    const int64_t stride = access.strides[d];
    if (stride < 0) start += (space[d] - 1) * stride;
    dims.push_back({space[d], std::abs(stride)});
  }
  std::sort(dims.begin(), dims.end(),
            [](const Dim& a, const Dim& b) { return a.stride > b.stride; });
  // From the inside: the bytes from the first element of a row to its last one,
  // and what lies between a row and the next.
  std::vector<Runs> runs;
  int64_t span = item_size;
  for (size_t d = dims.size(); d-- > 0;) {
    const int64_t gap = dims[d].stride - span;
    if (gap < 0) return std::nullopt;
    if (gap > 0) {
      Runs between{start + span, gap, {}, {}};
      for (size_t e = 0; e <= d; ++e) {
        between.sizes.push_back(e < d ? dims[e].size : dims[e].size - 1);
        between.strides.push_back(dims[e].stride);
      }
      runs.push_back(std::move(between));
    }
    span += (dims[d].size - 1) * dims[d].stride;
  }
  if (start > 0) runs.push_back({0, start, {}, {}});
  if (start + span < bytes)
    runs.push_back({start + span, bytes - start - span, {}, {}});
  return runs;
}

std::optional<Access> Compose(const Access& outer,
                              absl::Span<const int64_t> space,
                              absl::Span<const int64_t> shape,
                              int64_t item_size, const Access& window) {
  Access result{window.offset, Dims(space.size(), 0)};
  if (Count(space) == 0) return result;
  const Window w = Merge(shape, item_size, window.strides);
  const size_t rank = w.shape.size();

  // The window's index as an affine function of the point: a mixed-radix split
  // of the offset and of each stride, which holds if no index leaves its
  // dimension anywhere in the space.
  Dims low(rank, 0), high(rank, 0);
  int64_t rest = outer.offset;
  for (size_t j = 0; j < rank; ++j) {
    const int64_t digit = rest / w.dense[j];
    rest -= digit * w.dense[j];
    low[j] = high[j] = digit;
    result.offset += digit * w.strides[j];
  }
  if (rest != 0) return std::nullopt;
  for (size_t d = 0; d < space.size(); ++d) {
    int64_t stride = std::abs(outer.strides[d]);
    if (space[d] == 1 || stride == 0) continue;
    const int64_t sign = outer.strides[d] < 0 ? -1 : 1;
    for (size_t j = 0; j < rank; ++j) {
      const int64_t digit = stride / w.dense[j];
      stride -= digit * w.dense[j];
      if (digit == 0) continue;
      result.strides[d] += sign * digit * w.strides[j];
      (sign > 0 ? high : low)[j] += sign * digit * (space[d] - 1);
    }
    if (stride != 0) return std::nullopt;
  }
  for (size_t j = 0; j < rank; ++j)
    if (low[j] < 0 || high[j] >= w.shape[j]) return std::nullopt;
  return result;
}

}  // namespace fuseau::passes

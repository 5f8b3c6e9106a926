#include "passes/partition/box.h"

#include <algorithm>
#include <cstdlib>

namespace fuseau::passes::partition {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
int64_t CeilDiv(int64_t a, int64_t b) { return -FloorDiv(-a, b); }

class Clipper {
 public:
  Clipper(const Box& box, ByteRange range) : box_(box), range_(range) {
    const size_t rank = box.shape.size();
    extent_.assign(rank + 1, box.run);
    for (size_t d = rank; d-- > 0;) {
      extent_[d] = extent_[d + 1] + (box.shape[d] - 1) * box.strides[d];
    }
    at_.first.assign(rank, 0);
    at_.count = box.shape;
  }

  std::vector<Region> Run() {
    if (box_.bytes() > 0) Visit(0, box_.offset);
    return std::move(found_);
  }

 private:
  // The dimensions before `d` are fixed; what is left begins at `offset`.
  void Visit(size_t d, int64_t offset) {
    if (d == box_.shape.size()) {
      const int64_t lo = std::max(range_.lo, offset);
      const int64_t hi = std::min(range_.hi, offset + box_.run);
      if (lo < hi) Add(lo - offset, hi - lo);
      return;
    }
    const int64_t n = box_.shape[d], stride = box_.strides[d];
    const int64_t extent = extent_[d + 1];
    const auto row = [n](int64_t i) { return std::clamp<int64_t>(i, 0, n); };
    // Rows [begin, end) touch the range; [first, last) lie in it.
    const int64_t begin =
        row(FloorDiv(range_.lo - extent - offset, stride) + 1);
    const int64_t end = row(CeilDiv(range_.hi - offset, stride));
    const int64_t first =
        std::clamp(CeilDiv(range_.lo - offset, stride), begin, end);
    const int64_t last = std::clamp(
        FloorDiv(range_.hi - extent - offset, stride) + 1, first, end);
    VisitRows(d, offset, begin, first);
    if (first < last) {
      at_.first[d] = first;
      at_.count[d] = last - first;
      Add(0, box_.run);
    }
    VisitRows(d, offset, last, end);
    at_.first[d] = 0;
    at_.count[d] = n;
  }

  void VisitRows(size_t d, int64_t offset, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      at_.first[d] = i;
      at_.count[d] = 1;
      Visit(d + 1, offset + i * box_.strides[d]);
    }
  }

  void Add(int64_t run_first, int64_t run_bytes) {
    Region& region = found_.emplace_back(at_);
    region.run_first = run_first;
    region.run_bytes = run_bytes;
  }

  const Box& box_;
  const ByteRange range_;
  Dims extent_;  // of what is inside the first d dimensions
  Region at_;
  std::vector<Region> found_;
};

// The part at the strides of its buffer; dimensions of one element are left
// out.
runtime::CopyPart PartAt(const Region& region,
                         absl::Span<const int64_t> strides, int64_t offset) {
  runtime::CopyPart part;
  part.offset = offset + region.run_first;
  part.bytes = region.run_bytes;
  for (size_t d = 0; d < strides.size(); ++d) {
    part.offset += region.first[d] * strides[d];
    if (region.count[d] == 1) continue;
    part.sizes.push_back(region.count[d]);
    part.strides.push_back(strides[d]);
  }
  return part;
}

}  // namespace

bool IsNested(absl::Span<const int64_t> shape,
              absl::Span<const int64_t> strides, int64_t item) {
  int64_t extent = item;
  for (size_t d = shape.size(); d-- > 0;) {
    if (strides[d] < extent) return false;
    extent += (shape[d] - 1) * strides[d];
  }
  return true;
}

Packing Pack(int64_t offset, absl::Span<const int64_t> shape,
             absl::Span<const int64_t> strides, int64_t item) {
  Packing packing;
  const ByteRange hull = Extent(offset, shape, strides, item);
  packing.strides.assign(shape.size(), 0);
  if (Count(shape) == 0) return packing;
  absl::InlinedVector<size_t, 4> order;  // dimensions, the outermost first
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] > 1 && strides[d] != 0) order.push_back(d);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int64_t x = std::abs(strides[a]), y = std::abs(strides[b]);
    return x != y ? x > y : a < b;
  });
  Box& box = packing.box;
  for (size_t d : order) {
    box.shape.push_back(shape[d]);
    box.strides.push_back(std::abs(strides[d]));
  }
  if (!IsNested(box.shape, box.strides, item)) {
    box = RangeBox(hull);
    packing.offset = offset - hull.lo;
    packing.strides.assign(strides.begin(), strides.end());
    return packing;
  }
  box.offset = hull.lo;
  box.run = item;
  int64_t step = item;
  for (size_t i = order.size(); i-- > 0;) {
    const size_t d = order[i];
    packing.strides[d] = strides[d] < 0 ? -step : step;
    if (strides[d] < 0) packing.offset += step * (shape[d] - 1);
    step *= shape[d];
  }
  // Neighbours that lie dense to each other are one dimension.
  while (!box.shape.empty() && box.strides.back() == box.run) {
    box.run *= box.shape.back();
    box.shape.pop_back();
    box.strides.pop_back();
  }
  for (size_t d = box.shape.size(); d-- > 1;) {
    if (box.strides[d - 1] != box.strides[d] * box.shape[d]) continue;
    box.strides[d - 1] = box.strides[d];
    box.shape[d - 1] *= box.shape[d];
    box.shape.erase(box.shape.begin() + static_cast<int64_t>(d));
    box.strides.erase(box.strides.begin() + static_cast<int64_t>(d));
  }
  return packing;
}

std::vector<Region> Clip(const Box& box, ByteRange range) {
  return Clipper(box, range).Run();
}

runtime::CopyPart PartOf(const Box& box, const Region& region, int64_t base) {
  return PartAt(region, box.strides, box.offset - base);
}

runtime::CopyPart PackedPartOf(const Box& box, const Region& region,
                               int64_t base) {
  return PartAt(region, DenseStrides(box.shape, box.run), base);
}

}  // namespace fuseau::passes::partition

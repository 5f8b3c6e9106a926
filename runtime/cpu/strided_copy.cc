#include "runtime/cpu/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/cpu/bytes.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kLongRun = 2048;

struct Dim {
  int64_t size;
  int64_t to;
  int64_t from;
};

template <typename T>
void CopyItems(char* to, const char* from, const Dim& d) {
  for (int64_t i = 0; i < d.size; ++i) {
    T item;
    std::memcpy(&item, from + i * d.from, sizeof(T));
    std::memcpy(to + i * d.to, &item, sizeof(T));
  }
}

struct Pair16 {
  uint64_t parts[2];
};

void CopyLine(char* to, const char* from, const Dim& d, int64_t run,
              CopyFunction copy) {
  switch (run) {
    case 1:
      return CopyItems<uint8_t>(to, from, d);
    case 2:
      return CopyItems<uint16_t>(to, from, d);
    case 4:
      return CopyItems<uint32_t>(to, from, d);
    case 8:
      return CopyItems<uint64_t>(to, from, d);
    case 16:
      return CopyItems<Pair16>(to, from, d);
    default:
      for (int64_t i = 0; i < d.size; ++i) {
        copy(to + i * d.to, from + i * d.from, run);
      }
  }
}

void CopyNest(char* to, const char* from, absl::Span<const Dim> dims,
              int64_t run, CopyFunction copy) {
  if (dims.size() == 1) return CopyLine(to, from, dims[0], run, copy);
  for (int64_t i = 0; i < dims[0].size; ++i) {
    CopyNest(to + i * dims[0].to, from + i * dims[0].from, dims.subspan(1), run,
             copy);
  }
}

}  // namespace

void CopyStrided(char* to, absl::Span<const int64_t> to_strides,
                 const char* from, absl::Span<const int64_t> from_strides,
                 absl::Span<const int64_t> sizes, int64_t item_size) {
  absl::InlinedVector<Dim, 4> dims;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return;
    Dim d{sizes[i], to_strides[i], from_strides[i]};
    // A broadcast dimension is one element on both sides.
    if (d.size == 1 || (d.to == 0 && d.from == 0)) continue;
    if (d.to < 0 && d.from < 0) {
      to += (d.size - 1) * d.to;
      from += (d.size - 1) * d.from;
      d.to = -d.to;
      d.from = -d.from;
    }
    // One line of both views follows the other: one longer line.
    if (!dims.empty() && dims.back().to == d.size * d.to &&
        dims.back().from == d.size * d.from) {
      dims.back() = {dims.back().size * d.size, d.to, d.from};
    } else {
      dims.push_back(d);
    }
  }
  int64_t run = item_size;
  if (!dims.empty() && dims.back().to == run && dims.back().from == run) {
    run *= dims.back().size;
    dims.pop_back();
  }
  if (dims.empty()) {
    std::memcpy(to, from, run);
  } else {
    // Short runs have more beginnings and ends than lines.
    const int64_t total = run < kLongRun ? 0 : item_size * Count(sizes);
    CopyNest(to, from, dims, run, CopyFor(total));
  }
}

ScratchLayout MakeScratchLayout(absl::Span<const int64_t> sizes,
                                absl::Span<const int64_t> strides,
                                int64_t item_size) {
  ScratchLayout layout;
  layout.strides.assign(strides.begin(), strides.end());
  int64_t elements = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (strides[i] != 0) elements *= sizes[i];
  }
  ByteRange range = Extent(0, sizes, strides, item_size);
  if (range.hi - range.lo > 2 * elements * item_size) {
    int64_t step = item_size;
    for (int i = static_cast<int>(sizes.size()) - 1; i >= 0; --i) {
      int64_t& stride = layout.strides[i];
      if (stride == 0) continue;
      if (i + 1 == static_cast<int>(sizes.size()) && stride != item_size) {
        // Backwards stays backwards, and any other stride stays another one.
        step = stride == -item_size ? -item_size : 2 * item_size;
      }
      stride = step;
      step = (step < 0 ? -step : step) * std::max<int64_t>(1, sizes[i]);
    }
    range = Extent(0, sizes, layout.strides, item_size);
  }
  layout.lo = range.lo;
  layout.bytes = range.hi - range.lo;
  return layout;
}

}  // namespace fuseau::runtime

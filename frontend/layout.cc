#include "frontend/layout.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "frontend/array.h"
#include "runtime/base/status.h"

namespace fuseau {

void Array::Clear() {
  base_.reset();
  if (dims_ != inline_) {
    delete[] dims_;
    dims_ = inline_;
  }
  rank_ = 0;
}

void Array::UpdateLayout() {
  bool c_dense = true;
  bool in_order = true;
  int64_t step = item_size();
  int64_t inner = 0;
  FUSEAU_SHORT_LOOP
  for (int d = rank_ - 1; d >= 0; --d) {
    const int64_t size = dims_[d];
    const int64_t stride = dims_[rank_ + d];
    if (size == 1) continue;
    if (size == 0) {
      flags_ |= kLayoutFlags;
      return;
    }
    c_dense &= stride == step;
    step *= size;
    if (stride == 0) continue;
    in_order &= std::abs(stride) >= inner;
    inner = std::abs(stride);
  }
  bool f_dense = true;
  step = item_size();
  FUSEAU_SHORT_LOOP
  for (int d = 0; d < rank_; ++d) {
    if (dims_[d] == 1) continue;
    f_dense = dims_[rank_ + d] == step;
    if (!f_dense) break;
    step *= dims_[d];
  }
  flags_ = static_cast<uint8_t>(
      (flags_ & ~kLayoutFlags) | (c_dense ? kCContiguous : 0) |
      (f_dense ? kFContiguous : 0) | (in_order ? kAxesInOrder : 0));
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  std::string text = "(";
  for (size_t d = 0; d < shape.size(); ++d) {
    absl::StrAppend(&text, d > 0 ? "," : "", shape[d]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

absl::StatusOr<Dims> BroadcastShapes(
    absl::Span<const absl::Span<const int64_t>> shapes) {
  size_t rank = 0;
  for (const auto& shape : shapes) rank = std::max(rank, shape.size());
  Dims result(rank, 1);
  for (const auto& shape : shapes) {
    int64_t* out = result.data() + (rank - shape.size());
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == 1 || shape[d] == out[d]) continue;
      if (out[d] != 1) {
        std::string text =
            "operands could not be broadcast together with shapes ";
        for (const auto& s : shapes) absl::StrAppend(&text, ShapeText(s), " ");
        return PythonError("ValueError", text);
      }
      out[d] = shape[d];
    }
  }
  return result;
}

void BroadcastStrides(absl::Span<const int64_t> shape,
                      absl::Span<const int64_t> strides, int rank,
                      int64_t* out) {
  const int missing = rank - static_cast<int>(shape.size());
  for (int d = 0; d < missing; ++d) out[d] = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    out[missing + d] = shape[d] == 1 ? 0 : strides[d];
  }
}

void IterationOrder(int rank, absl::Span<const int64_t* const> strides,
                    uint8_t* axes) {
  // NumPy's stable insertion sort, from the innermost axis outwards. Axes are
  // only compared by operands that move along both; where no operand tells, the
  // search goes on, where they disagree, the order of the axes wins.
  uint8_t inner_first[kMaxRank];
  for (int i = 0; i < rank; ++i) {
    inner_first[i] = static_cast<uint8_t>(rank - 1 - i);
  }
  for (int i = 1; i < rank; ++i) {
    const uint8_t axis = inner_first[i];
    int place = i;
    for (int j = i - 1; j >= 0; --j) {
      const uint8_t other = inner_first[j];
      bool known = false;
      bool smaller = false;
      for (const int64_t* s : strides) {
        if (s[axis] == 0 || s[other] == 0) continue;
        if (std::abs(s[other]) <= std::abs(s[axis])) {
          smaller = false;
        } else if (!known) {
          smaller = true;
        }
        known = true;
      }
      if (!known) continue;
      if (!smaller) break;
      place = j;
    }
    for (int j = i; j > place; --j) inner_first[j] = inner_first[j - 1];
    inner_first[place] = axis;
  }
  for (int i = 0; i < rank; ++i) axes[i] = inner_first[rank - 1 - i];
}

void SortByStride(const int64_t* strides, int count, uint8_t* axes) {
  for (int i = 1; i < count; ++i) {
    const uint8_t axis = axes[i];
    int place = i;
    for (; place > 0 &&
           std::abs(strides[axes[place - 1]]) < std::abs(strides[axis]);
         --place) {
      axes[place] = axes[place - 1];
    }
    axes[place] = axis;
  }
}

void StridesInOrder(absl::Span<const int64_t> shape, const uint8_t* axes,
                    int64_t item_size, int64_t* strides) {
  int64_t step = item_size;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    strides[axes[i]] = step;
    step *= std::max<int64_t>(shape[axes[i]], 1);
  }
}

void CopyOrder(absl::Span<const int64_t> shape,
               absl::Span<const int64_t> strides, bool c_contiguous,
               bool f_contiguous, Order order, uint8_t* axes) {
  const int rank = static_cast<int>(shape.size());
  if (order == Order::kA) {
    order = f_contiguous && !c_contiguous ? Order::kF : Order::kC;
  }
  if (order == Order::kKeep && (c_contiguous || rank <= 1)) order = Order::kC;
  if (order == Order::kKeep && f_contiguous) order = Order::kF;
  for (int i = 0; i < rank; ++i) {
    axes[i] = static_cast<uint8_t>(order == Order::kF ? rank - 1 - i : i);
  }
  if (order == Order::kKeep) {
    SortByStride(strides.data(), rank, axes);
  }
}

std::optional<Dims> ReshapeStrides(absl::Span<const int64_t> shape,
                                   absl::Span<const int64_t> strides,
                                   absl::Span<const int64_t> new_shape,
                                   int64_t item_size, bool f_order) {
  // Axes of size 1 say nothing.
  Dims old_shape, old_strides;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    old_shape.push_back(shape[d]);
    old_strides.push_back(strides[d]);
  }
  const int old_rank = static_cast<int>(old_shape.size());
  const int new_rank = static_cast<int>(new_shape.size());
  Dims result(new_rank);
  // Groups of axes with equal products: [old, old_end) and [at, end).
  int old = 0, old_end = 1, at = 0, end = 1;
  while (at < new_rank && old < old_rank) {
    int64_t size = new_shape[at];
    int64_t old_size = old_shape[old];
    while (size != old_size) {
      if (size < old_size) {
        size *= new_shape[end++];
      } else {
        old_size *= old_shape[old_end++];
      }
    }
    for (int d = old; d + 1 < old_end; ++d) {
      const bool joined =
          f_order ? old_strides[d + 1] == old_shape[d] * old_strides[d]
                  : old_strides[d] == old_shape[d + 1] * old_strides[d + 1];
      if (!joined) return std::nullopt;
    }
    if (f_order) {
      result[at] = old_strides[old];
      for (int d = at + 1; d < end; ++d) {
        result[d] = result[d - 1] * new_shape[d - 1];
      }
    } else {
      result[end - 1] = old_strides[old_end - 1];
      for (int d = end - 1; d > at; --d) {
        result[d - 1] = result[d] * new_shape[d];
      }
    }
    at = end++;
    old = old_end++;
  }
  // What is left are axes of size 1.
  int64_t last = at >= 1 ? result[at - 1] : item_size;
  if (f_order && at >= 1) last *= new_shape[at - 1];
  for (int d = at; d < new_rank; ++d) result[d] = last;
  return result;
}

}  // namespace fuseau

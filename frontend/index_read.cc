#include "frontend/index_read.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "frontend/evaluate.h"
#include "frontend/layout.h"
#include "frontend/ranks.h"
#include "frontend/read.h"
#include "frontend/reduce.h"
#include "frontend/routine.h"
#include "runtime/base/status.h"
#include "runtime/selection.h"

namespace fuseau {
namespace {

// The present value of an array of indices. Other threads may write to the
// array while this one computes: what is checked must be what is read later.
Read Bind(const Array& array) {
  Read read;
  BindValue(array, &read);
  if (read.node != nullptr) read.made = NodeRef(read.node);
  return read;
}

// Computes a value and calls f(address, count, step) for runs of the elements
// that the array had when it was bound.
template <typename F>
absl::Status ForEachRun(const Array& array, const Read& read, F&& f) {
  if (array.size() == 0) return absl::OkStatus();
  const char* data = read.scalar;
  if (Node* node = read.node) {
    FUSEAU_RETURN_IF_ERROR(Evaluate({&node, 1}));
    data = node->state == NodeState::kValue ? node->operands[0].scalar
                                            : node->buffer->read();
    data += read.offset;
  }
  const int rank = array.rank();
  if (array.has(kCContiguous)) {
    f(data, array.size(), array.item_size());
    return absl::OkStatus();
  }
  const int last = rank - 1;
  Dims index(rank, 0);
  for (;;) {
    f(data, array.shape()[last], array.strides()[last]);
    int d = last - 1;
    for (; d >= 0; --d) {
      data += array.strides()[d];
      if (++index[d] < array.shape()[d]) break;
      data -= array.strides()[d] * array.shape()[d];
      index[d] = 0;
    }
    if (d < 0) return absl::OkStatus();
  }
}

// Whether the ranks of a job have an array, or are going to: what is asked of
// its elements is then reduced by them, so that it need not come here.
bool IsOnRanks(const Array& array, const Read& read) {
  const Ranks* ranks = Ranks::active();
  return ranks != nullptr && read.node != nullptr &&
         (read.node->state == NodeState::kPending ||
          read.node->state == NodeState::kAway) &&
         array.size() > 0 && ranks->IsLarge(array.size() * array.item_size());
}

// A reduction of all elements to an int64.
absl::StatusOr<int64_t> ReduceAll(OpCode op, const Array& array) {
  Array result;
  FUSEAU_RETURN_IF_ERROR(Reduce(op, array, (uint64_t{1} << array.rank()) - 1,
                                /*keep_dims=*/false, DType::kInt64, nullptr,
                                &result));
  char element[16];
  FUSEAU_RETURN_IF_ERROR(ReadElement(result, element));
  int64_t number;
  std::memcpy(&number, element, sizeof(number));
  return number;
}

absl::Status CheckRange(const Array& indices, const Read& read, int axis,
                        int64_t size) {
  if (IsOnRanks(indices, read)) {
    FUSEAU_ASSIGN_OR_RETURN(const int64_t least,
                            ReduceAll(OpCode::kMin, indices));
    FUSEAU_ASSIGN_OR_RETURN(const int64_t most,
                            ReduceAll(OpCode::kMax, indices));
    if (-size <= least && most < size) return absl::OkStatus();
    // The first wrong one is to be named.
  }
  int64_t bad = 0;
  bool found = false;
  FUSEAU_RETURN_IF_ERROR(
      ForEachRun(indices, read, [&](const char* data, int64_t n, int64_t step) {
        if (found) return;
        // Without a branch for each: whether any is out of range.
        uint64_t wrong = 0;
        const auto at = [&](int64_t i) {
          int64_t index;
          std::memcpy(&index, data + i * step, sizeof(index));
          return index;
        };
        if (step == sizeof(int64_t)) {
          const int64_t* values = reinterpret_cast<const int64_t*>(data);
          for (int64_t i = 0; i < n; ++i) wrong |= OutOfRange(values[i], size);
        } else {
          for (int64_t i = 0; i < n; ++i) wrong |= OutOfRange(at(i), size);
        }
        for (int64_t i = 0; wrong >> 63 != 0 && !found && i < n; ++i) {
          found = OutOfRange(at(i), size) >> 63 != 0;
          bad = at(i);
        }
      }));
  if (!found) return absl::OkStatus();
  return PythonError("IndexError",
                     absl::StrCat("index ", bad, " is out of bounds for axis ",
                                  axis, " with size ", size));
}

absl::StatusOr<int64_t> CountTrue(const Array& mask, const Read& read) {
  if (IsOnRanks(mask, read)) return ReduceAll(OpCode::kSum, mask);
  int64_t count = 0;
  FUSEAU_RETURN_IF_ERROR(
      ForEachRun(mask, read, [&](const char* data, int64_t n, int64_t step) {
        count += runtime::CountSelected(data, step, n);
      }));
  return count;
}

// The axes [first, last) of an array in the order of memory, as NumPy has it
// for what index arrays leave: by strides alone, so that an axis that does not
// move is the innermost.
void OrderAxes(const Array& array, int first, int last, uint8_t* axes) {
  for (int d = first; d < last; ++d) axes[d - first] = static_cast<uint8_t>(d);
  SortByStride(array.strides_data(), last - first, axes);
}

}  // namespace

absl::Status TakeAt(const Array& array, int axis,
                    absl::Span<const Array* const> indices, IndexOrder order,
                    Array* out) {
  const int count = static_cast<int>(indices.size());
  const int rank = array.rank();
  const Array& shape_of = *indices[0];
  const int width = shape_of.rank();
  const int rest = rank - count;
  Read bound[2];
  for (int k = 0; k < count; ++k) {
    bound[k] = Bind(*indices[k]);
    FUSEAU_RETURN_IF_ERROR(
        CheckRange(*indices[k], bound[k], axis + k, array.shape()[axis + k]));
  }
  if (rest + width + count > kMaxRank) {
    return absl::UnimplementedError("too many dimensions");
  }
  Dims shape(array.shape().begin(), array.shape().begin() + axis);
  shape.insert(shape.end(), shape_of.shape().begin(), shape_of.shape().end());
  shape.insert(shape.end(), array.shape().begin() + axis + count,
               array.shape().end());

  // The other axes of the array in the order of memory, then the axes of the
  // result.
  uint8_t others[kMaxRank];
  OrderAxes(array, 0, rank, others);
  int kept = 0;
  for (int i = 0; i < rank; ++i) {
    if (others[i] < axis || others[i] >= axis + count) {
      others[kept++] = others[i];
    }
  }
  int64_t rest_size = 1;
  for (int i = 0; i < kept; ++i) rest_size *= array.shape()[others[i]];
  uint8_t axes[kMaxRank];
  int n = 0;
  if (order == IndexOrder::kInPlace) {
    for (size_t d = 0; d < shape.size(); ++d) {
      axes[n++] = static_cast<uint8_t>(d);
    }
  } else {
    // Where each index selects one element, the axes of the result lie as those
    // of the indices do.
    const int known = rest_size == 1 ? count : 0;
    int64_t moving[2][kMaxRank];
    for (int k = 0; k < known; ++k) {
      BroadcastStrides(indices[k]->shape(), indices[k]->strides(), width,
                       moving[k]);
    }
    const int64_t* rows[2] = {moving[0], moving[1]};
    uint8_t visited[kMaxRank];
    IterationOrder(width, absl::MakeConstSpan(rows, static_cast<size_t>(known)),
                   visited);
    for (int d = 0; d < width; ++d) {
      axes[n++] = static_cast<uint8_t>(axis + visited[d]);
    }
    for (int i = 0; i < rest; ++i) {
      const int d = others[i];
      axes[n++] = static_cast<uint8_t>(d < axis ? d : d - count + width);
    }
  }
  const DType dtype = array.dtype();
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (bytes == 0) return MakeUninitialized(dtype, shape, axes, kWritable, out);

  Dims space;
  for (int i = 0; i < n; ++i) space.push_back(shape[axes[i]]);
  uint64_t reduced = 0;
  for (int k = 0; k < count; ++k) {
    reduced |= uint64_t{1} << space.size();
    space.push_back(array.shape()[axis + k]);
  }
  Node* node =
      NewRoutine(OpCode::kGather, dtype, space, reduced, count + 1, bytes);
  const auto of_indices = [&](int i) {
    return axes[i] >= axis && axes[i] < axis + width;
  };
  Read read;
  BindValue(array, &read);
  for (int i = 0; i < n; ++i) {
    const int d = axes[i] < axis ? axes[i] : axes[i] - width + count;
    read.strides[i] = of_indices(i) ? 0 : array.strides()[d];
  }
  for (int k = 0; k < count; ++k) {
    read.strides[n + k] = array.strides()[axis + k];
  }
  AddRead(read, nullptr, 0, node);
  for (int k = 0; k < count; ++k) {
    Read& index = bound[k];
    std::fill_n(index.strides, space.size(), 0);
    for (int i = 0; i < n; ++i) {
      if (!of_indices(i)) continue;
      index.strides[i] = indices[k]->strides()[axes[i] - axis];
    }
    AddRead(index, nullptr, k + 1, node);
  }
  Graph::Get().Commit(node);
  MakeArray(node, dtype, shape, axes, kWritable, out);
  return absl::OkStatus();
}

absl::Status TakeWhere(const Array& array, const Array& mask, Array* out) {
  const int rank = array.rank(), covered = mask.rank();
  for (int d = 0; d < covered; ++d) {
    const int64_t size = d < rank ? array.shape()[d] : 0;
    // As in NumPy, nothing can be read beyond the end with no places.
    if (size == mask.shape()[d] || mask.shape()[d] == 0) continue;
    return PythonError(
        "IndexError",
        absl::StrCat("boolean index did not match indexed array along axis ", d,
                     "; size of axis is ", size,
                     " but size of corresponding boolean axis is ",
                     mask.shape()[d]));
  }
  if (rank + 1 > kMaxRank) {
    return absl::UnimplementedError("too many dimensions");
  }
  Read where = Bind(mask);
  FUSEAU_ASSIGN_OR_RETURN(const int64_t selected, CountTrue(mask, where));
  uint8_t rest[kMaxRank];
  OrderAxes(array, covered, rank, rest);
  Dims shape = {selected};
  uint8_t axes[kMaxRank] = {0};
  for (int i = 0; i < rank - covered; ++i) {
    shape.push_back(array.shape()[covered + i]);
    axes[i + 1] = static_cast<uint8_t>(rest[i] - covered + 1);
  }
  const DType dtype = array.dtype();
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (bytes == 0) return MakeUninitialized(dtype, shape, axes, kWritable, out);

  Dims space = {selected};
  uint64_t reduced = 0;
  for (int d = 0; d < covered; ++d) {
    reduced |= uint64_t{1} << space.size();
    space.push_back(array.shape()[d]);
  }
  for (int i = 0; i < rank - covered; ++i) {
    space.push_back(array.shape()[rest[i]]);
  }
  Node* node = NewRoutine(OpCode::kCompress, dtype, space, reduced, 2, bytes);
  node->attribute = covered;
  Read read;
  BindValue(array, &read);
  std::fill_n(where.strides, rank + 1, 0);
  read.strides[0] = 0;
  for (int d = 0; d < covered; ++d) {
    read.strides[d + 1] = array.strides()[d];
    where.strides[d + 1] = mask.strides()[d];
  }
  for (int i = 0; i < rank - covered; ++i) {
    read.strides[covered + 1 + i] = array.strides()[rest[i]];
  }
  AddRead(read, nullptr, 0, node);
  AddRead(where, nullptr, 1, node);
  Graph::Get().Commit(node);
  MakeArray(node, dtype, shape, axes, kWritable, out);
  return absl::OkStatus();
}

absl::Status WhereTrue(const Array& mask, absl::Span<Array> out) {
  const int rank = mask.rank();
  Read where = Bind(mask);
  FUSEAU_ASSIGN_OR_RETURN(const int64_t selected, CountTrue(mask, where));
  where.strides[0] = 0;
  std::copy_n(mask.strides_data(), rank, where.strides + 1);
  for (int k = 0; k < rank; ++k) {
    if (selected == 0) {
      FUSEAU_RETURN_IF_ERROR(MakeUninitialized(DType::kInt64, {&selected, 1},
                                               nullptr, kWritable, &out[k]));
      continue;
    }
    Dims space = {selected};
    uint64_t reduced = 0;
    for (int64_t size : mask.shape()) {
      reduced |= uint64_t{1} << space.size();
      space.push_back(size);
    }
    Node* node = NewRoutine(OpCode::kCoordinates, DType::kInt64, space, reduced,
                            1, selected * ItemSize(DType::kInt64));
    node->attribute = k;
    AddRead(where, nullptr, 0, node);
    Graph::Get().Commit(node);
    MakeArray(node, DType::kInt64, {&selected, 1}, nullptr, kWritable, &out[k]);
  }
  return absl::OkStatus();
}

}  // namespace fuseau

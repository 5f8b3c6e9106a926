#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "frontend/ahead.h"
#include "frontend/ranks.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// The axes of a new array; null for C order.
const uint8_t* NewAxes(int rank, Order order, uint8_t* axes) {
  if (order != Order::kF || rank < 2) return nullptr;
  for (int i = 0; i < rank; ++i) axes[i] = static_cast<uint8_t>(rank - 1 - i);
  return axes;
}

// The order in memory that NumPy gives the axes of joined arrays: a stable
// insertion sort by strides, the largest first. An array with one element along
// either of two axes has no say; where arrays differ, the order of the axes
// wins. An axis that does not move has the smallest stride of all.
void OrderJoined(absl::Span<const Array* const> arrays, uint8_t* axes) {
  const int rank = arrays[0]->rank();
  for (int i = 0; i < rank; ++i) {
    const auto axis = static_cast<uint8_t>(i);
    int place = i;
    for (int j = i - 1; j >= 0; --j) {
      const uint8_t other = axes[j];
      bool known = false, larger = true;
      for (const Array* array : arrays) {
        if (array->shape()[axis] == 1 || array->shape()[other] == 1) continue;
        known = true;
        larger &= std::abs(array->strides()[axis]) >
                  std::abs(array->strides()[other]);
      }
      if (!known) continue;
      if (!larger) break;
      place = j;
    }
    for (int j = i; j > place; --j) axes[j] = axes[j - 1];
    axes[place] = axis;
  }
}

// Whether the array is the whole of its value, with axes in the given order.
bool IsWhole(const Array& array, const uint8_t* axes) {
  const Node* node = array.node();
  if (array.offset() != 0 || array.base()->exposed != 0 ||
      node->bytes != array.size() * array.item_size()) {
    return false;
  }
  int64_t step = array.item_size();
  for (int i = array.rank() - 1; i >= 0; --i) {
    const int64_t size = array.shape()[axes[i]];
    if (size != 1 && array.strides()[axes[i]] != step) return false;
    step *= size;
  }
  return true;
}

}  // namespace

absl::Status AsType(const Array& source, DType dtype, Order order, Array* out) {
  const int rank = source.rank();
  uint8_t axes[kMaxRank];
  CopyOrder(source.shape(), source.strides(), source.has(kCContiguous),
            source.has(kFContiguous), order, axes);
  const uint8_t flags = kWritable;
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes,
                          CheckedBytes(source.shape(), dtype));
  if (bytes == 0) {
    return MakeUninitialized(dtype, source.shape(), axes, flags, out);
  }
  Graph& graph = Graph::Get();
  if (dtype == source.dtype() && IsWhole(source, axes)) {
    Node* node = source.node();
    graph.Ref(node);
    MakeArray(node, dtype, source.shape(), axes, flags, out);
    return absl::OkStatus();
  }
  Read read;
  BindArray(source, rank, &read);
  if (read.node == nullptr && rank == 0) {
    CastRead(0, nullptr, dtype, &read);
    MakeArray(graph.NewValue(dtype, read.scalar), dtype, {}, nullptr, flags,
              out);
    return absl::OkStatus();
  }
  const OpCode op = dtype == source.dtype() ? OpCode::kCopy : OpCode::kCast;
  Node* node = graph.NewNode(op, dtype, rank, 1);
  node->bytes = bytes;
  for (int i = 0; i < rank; ++i) node->shape()[i] = source.shape()[axes[i]];
  AddRead(read, axes, 0, node);
  graph.Commit(node);
  MakeArray(node, dtype, source.shape(), axes, flags, out);
  return absl::OkStatus();
}

absl::Status Copy(const Array& source, Order order, Array* out) {
  return AsType(source, source.dtype(), order, out);
}

namespace {

// A recorded array, all of whose elements are the same number.
void RecordFull(absl::Span<const int64_t> shape, DType dtype, const Read& read,
                const uint8_t* axes, int64_t bytes, Array* out) {
  const int rank = static_cast<int>(shape.size());
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kCopy, dtype, rank, 1);
  node->bytes = bytes;
  for (int i = 0; i < rank; ++i) {
    node->shape()[i] = shape[axes != nullptr ? axes[i] : i];
  }
  AddRead(read, axes, 0, node);
  graph.Commit(node);
  MakeArray(node, dtype, shape, axes, kWritable, out);
}

// Zeros that the ranks of a job make, each its part: memory of this process
// would have to be sent to them; or that a program makes when it runs. False if
// there is neither, or if they are few.
bool RecordZeros(absl::Span<const int64_t> shape, DType dtype,
                 const uint8_t* axes, int64_t bytes, Array* out) {
  const Ranks* ranks = Ranks::active();
  if (__builtin_expect(ranks == nullptr && !tracing_ahead, true)) return false;
  if (ranks != nullptr && !ranks->IsLarge(bytes)) return false;
  Read zero;
  std::memset(zero.scalar, 0, sizeof(zero.scalar));
  zero.dtype = dtype;
  RecordFull(shape, dtype, zero, axes, bytes, out);
  return true;
}

// Memory for elements that are all going to be written.
absl::Status MakeRoom(DType dtype, absl::Span<const int64_t> shape,
                      const uint8_t* axes, Array* out) {
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (RecordZeros(shape, dtype, axes, bytes, out)) return absl::OkStatus();
  return MakeUninitialized(dtype, shape, axes, kWritable, out);
}

}  // namespace

absl::Status Empty(absl::Span<const int64_t> shape, DType dtype, Order order,
                   Array* out) {
  uint8_t axes[kMaxRank];
  return MakeRoom(dtype, shape,
                  NewAxes(static_cast<int>(shape.size()), order, axes), out);
}

absl::Status Zeros(absl::Span<const int64_t> shape, DType dtype, Order order,
                   Array* out) {
  uint8_t buffer_axes[kMaxRank];
  const uint8_t* axes =
      NewAxes(static_cast<int>(shape.size()), order, buffer_axes);
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (RecordZeros(shape, dtype, axes, bytes, out)) return absl::OkStatus();
  FUSEAU_ASSIGN_OR_RETURN(runtime::BufferRef buffer,
                          runtime::Arena::Global().AllocateZeroed(bytes));
  MakeArray(Graph::Get().NewReady(std::move(buffer), bytes), dtype, shape, axes,
            kWritable, out);
  return absl::OkStatus();
}

absl::Status Full(absl::Span<const int64_t> shape, DType dtype,
                  const Operand& value, Order order, Array* out) {
  const int rank = static_cast<int>(shape.size());
  Read read;
  if (value.array != nullptr) {
    FUSEAU_CHECK(value.array->rank() == 0);
  }
  FUSEAU_RETURN_IF_ERROR(BindOperand(value, rank, shape, dtype, &read));
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  uint8_t buffer[kMaxRank];
  const uint8_t* axes = NewAxes(rank, order, buffer);
  if (bytes == 0) return MakeUninitialized(dtype, shape, axes, kWritable, out);
  if (rank == 0 && read.node == nullptr) {
    Number(dtype, read.scalar, /*scalar_flag=*/false, out);
    return absl::OkStatus();
  }
  RecordFull(shape, dtype, read, axes, bytes, out);
  return absl::OkStatus();
}

absl::Status Iota(int64_t n, DType dtype, Array* out) {
  const int64_t shape[1] = {n};
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (bytes == 0) {
    return MakeUninitialized(dtype, shape, nullptr, kWritable, out);
  }
  if (!IsInteger(dtype)) {
    Array numbers;
    FUSEAU_RETURN_IF_ERROR(Iota(n, DType::kInt64, &numbers));
    return AsType(numbers, dtype, Order::kC, out);
  }
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kIota, dtype, 1, 0);
  node->shape()[0] = n;
  node->bytes = bytes;
  graph.Commit(node);
  MakeArray(node, dtype, shape, nullptr, kWritable, out);
  return absl::OkStatus();
}

void Number(DType dtype, const char value[16], bool scalar_flag, Array* out) {
  MakeArray(Graph::Get().NewValue(dtype, value), dtype, {}, nullptr,
            scalar_flag ? kScalarFlag : static_cast<uint8_t>(kWritable), out);
}

absl::Status VectorOf(absl::Span<const Operand> numbers, DType dtype,
                      Array* out) {
  const int64_t shape[1] = {static_cast<int64_t>(numbers.size())};
  const bool known =
      std::all_of(numbers.begin(), numbers.end(), [&](const Operand& o) {
        return o.array == nullptr ||
               o.array->node()->state == NodeState::kValue;
      });
  FUSEAU_RETURN_IF_ERROR(
      known ? MakeUninitialized(dtype, shape, nullptr, kWritable, out)
            : MakeRoom(dtype, shape, nullptr, out));
  const int64_t item = ItemSize(dtype);
  if (known) {
    char* to = out->node()->buffer->data();
    for (const Operand& o : numbers) {
      const char* from =
          o.array == nullptr
              ? o.scalar
              : o.array->node()->operands[0].scalar + o.array->offset();
      std::memcpy(to, from, static_cast<size_t>(item));
      to += item;
    }
    return absl::OkStatus();
  }
  Array place;
  place.SetRank(0);
  place.set_dtype(dtype);
  place.set_base(BaseRef(out->base()));
  for (const Operand& o : numbers) {
    FUSEAU_RETURN_IF_ERROR(Assign(place, o));
    place.set_offset(place.offset() + item);
  }
  return absl::OkStatus();
}

absl::Status Concatenate(absl::Span<const Array* const> arrays, int axis,
                         DType dtype, Array* out) {
  const Array& first = *arrays[0];
  const int rank = first.rank();
  Dims shape(first.shape().begin(), first.shape().end());
  for (size_t i = 1; i < arrays.size(); ++i) {
    const Array& array = *arrays[i];
    if (array.rank() != rank) {
      return PythonError(
          "ValueError",
          absl::StrCat("all the input array dimensions except for the "
                       "concatenation axis must match exactly, but along "
                       "dimension 0, the array at index 0 has ",
                       rank, " dimension(s) and the array at index ", i,
                       " has ", array.rank(), " dimension(s)"));
    }
    for (int d = 0; d < rank; ++d) {
      if (d == axis) {
        shape[d] += array.shape()[d];
      } else if (array.shape()[d] != shape[d]) {
        return PythonError(
            "ValueError",
            absl::StrCat("all the input array dimensions except for the "
                         "concatenation axis must match exactly, but along "
                         "dimension ",
                         d, ", the array at index 0 has size ", shape[d],
                         " and the array at index ", i, " has size ",
                         array.shape()[d]));
      }
    }
  }
  uint8_t axes[kMaxRank];
  OrderJoined(arrays, axes);
  FUSEAU_RETURN_IF_ERROR(MakeRoom(dtype, shape, axes, out));
  Array part;
  part.SetRank(rank);
  std::copy_n(out->strides_data(), rank, part.strides_data());
  part.set_dtype(dtype);
  part.set_base(BaseRef(out->base()));
  for (const Array* array : arrays) {
    std::copy_n(array->shape_data(), rank, part.shape_data());
    FUSEAU_RETURN_IF_ERROR(Assign(part, Operand::Of(*array)));
    part.set_offset(part.offset() +
                    array->shape()[axis] * part.strides()[axis]);
  }
  return absl::OkStatus();
}

}  // namespace fuseau

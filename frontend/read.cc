#include "frontend/read.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "frontend/convert.h"
#include "frontend/ranks.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/cpu/machine.h"

namespace fuseau {
namespace {

// How NumPy's MemoryError writes a shape: as Python writes a tuple.
std::string TupleText(absl::Span<const int64_t> shape) {
  return absl::StrCat("(", absl::StrJoin(shape, ", "),
                      shape.size() == 1 ? ",)" : ")");
}

absl::Status NoMemory(int64_t bytes, absl::Span<const int64_t> shape,
                      DType dtype) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "Unable to allocate ", runtime::arena_internal::SizeText(bytes),
      " for an array with shape ", TupleText(shape), " and data type ",
      Name(dtype)));
}

// Whether an array has several elements in memory: a known number may be seen
// as more of a smaller type.
bool IsSpread(const Array& array) {
  for (int d = 0; d < array.rank(); ++d) {
    if (array.shape()[d] > 1 && array.strides()[d] != 0) return true;
  }
  return false;
}

}  // namespace

void BindValue(const Array& array, Read* read) {
  Node* node = array.node();
  read->dtype = array.dtype();
  const char* number = nullptr;
  if (node->state == NodeState::kValue && !IsSpread(array)) {
    number = node->operands[0].scalar;
  } else if (node->state == NodeState::kReady && array.has(kScalarFlag)) {
    // An element of a value that it shares.
    number = node->buffer->read();
  }
  if (number != nullptr) {
    read->node = nullptr;
    std::memcpy(read->scalar, number + array.offset(),
                static_cast<size_t>(array.item_size()));
    return;
  }
  read->node = node;
  read->offset = array.offset();
  Graph::Get().NoteRead(array.base());
}

void BindArray(const Array& array, int rank, Read* read) {
  BindValue(array, read);
  if (read->node == nullptr) {
    std::fill_n(read->strides, rank, 0);
  } else {
    BroadcastStrides(array.shape(), array.strides(), rank, read->strides);
  }
}

absl::Status BindOperand(const Operand& operand, int rank,
                         absl::Span<const int64_t> shape, DType dtype,
                         Read* read) {
  if (operand.array == nullptr) {
    read->node = nullptr;
    read->dtype = dtype;
    std::fill_n(read->strides, rank, 0);
    return ConvertScalar(operand, dtype, read->scalar);
  }
  BindArray(*operand.array, rank, read);
  if (read->dtype != dtype) CastRead(rank, shape.data(), dtype, read);
  return absl::OkStatus();
}

void CastRead(int rank, const int64_t* shape, DType dtype, Read* read) {
  if (read->node == nullptr) {
    Operand number;
    number.kind = KindOf(read->dtype);
    std::memcpy(number.scalar, read->scalar, 16);
    // Only Python ints can fail to convert.
    FUSEAU_CHECK(ConvertScalar(number, dtype, read->scalar).ok());
    read->dtype = dtype;
    return;
  }
  uint8_t moving[kMaxRank];
  int moving_rank = 0;
  for (int d = 0; d < rank; ++d) {
    if (read->strides[d] != 0 && shape[d] != 1) {
      moving[moving_rank++] = static_cast<uint8_t>(d);
    }
  }
  SortByStride(read->strides, moving_rank, moving);
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kCast, dtype, moving_rank, 1);
  int64_t step = ItemSize(dtype);
  int64_t strides[kMaxRank];
  std::fill_n(strides, rank, 0);
  for (int i = moving_rank - 1; i >= 0; --i) {
    const int d = moving[i];
    node->shape()[i] = shape[d];
    node->strides(0)[i] = read->strides[d];
    strides[d] = step;
    step *= shape[d];
  }
  node->bytes = step;
  graph.SetOperand(node, 0, read->node, read->offset, read->dtype);
  graph.Commit(node);
  std::copy_n(strides, rank, read->strides);
  read->made = NodeRef::Adopt(node);
  read->node = node;
  read->offset = 0;
  read->dtype = dtype;
}

void AddRead(const Read& read, const uint8_t* axes, int k, Node* node) {
  Graph& graph = Graph::Get();
  if (read.node == nullptr) {
    graph.SetScalarOperand(node, k, read.scalar, read.dtype);
    return;
  }
  graph.SetOperand(node, k, read.node, read.offset, read.dtype);
  int64_t* strides = node->strides(k);
  if (axes == nullptr) {
    std::copy_n(read.strides, node->rank, strides);
  } else {
    for (int i = 0; i < node->rank; ++i) strides[i] = read.strides[axes[i]];
  }
}

int64_t MemoryLimit() {
  static const int64_t limit = runtime::PhysicalMemory();
  const Ranks* ranks = Ranks::active();
  return ranks != nullptr ? limit * ranks->size() : limit;
}

absl::StatusOr<int64_t> CheckedBytes(absl::Span<const int64_t> shape,
                                     DType dtype) {
  int64_t bytes = ItemSize(dtype);
  bool overflow = false;
  for (int64_t size : shape) {
    if (size == 0) return 0;
    overflow |= __builtin_mul_overflow(bytes, size, &bytes);
  }
  if (overflow) {
    return PythonError("ValueError",
                       "array is too big; `arr.size * arr.dtype.itemsize` is "
                       "larger than the maximum possible size.");
  }
  if (bytes > MemoryLimit()) return NoMemory(bytes, shape, dtype);
  return bytes;
}

void MakeArray(Node* node, DType dtype, absl::Span<const int64_t> shape,
               const uint8_t* axes, uint8_t flags, Array* out) {
  const int rank = static_cast<int>(shape.size());
  out->SetRank(rank);
  out->set_dtype(dtype);
  out->set_offset(0);
  std::copy_n(shape.data(), rank, out->shape_data());
  if (Count(shape) == 0) {
    // As NumPy has it.
    std::fill_n(out->strides_data(), rank, 0);
  } else if (axes == nullptr) {
    int64_t step = ItemSize(dtype);
    for (int d = rank - 1; d >= 0; --d) {
      out->strides_data()[d] = step;
      step *= shape[d];
    }
  } else {
    StridesInOrder(shape, axes, ItemSize(dtype), out->strides_data());
  }
  out->set_flags(flags);
  out->UpdateLayout();
  out->set_base(BaseRef::Adopt(Graph::Get().NewBase(node)));
}

absl::Status MakeUninitialized(DType dtype, absl::Span<const int64_t> shape,
                               const uint8_t* axes, uint8_t flags, Array* out) {
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  auto buffer = runtime::Arena::Global().Allocate(bytes);
  if (!buffer.ok()) return NoMemory(bytes, shape, dtype);
  MakeArray(Graph::Get().NewReady(*std::move(buffer), bytes), dtype, shape,
            axes, flags, out);
  return absl::OkStatus();
}

}  // namespace fuseau

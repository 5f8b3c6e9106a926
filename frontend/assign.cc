#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "frontend/evaluate.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"

namespace fuseau {
namespace {

// Whether an array without its first `skip` axes broadcasts to the target.
bool Fits(const Array& array, int skip, const Array& target) {
  const int rank = target.rank();
  if (array.rank() - skip > rank) return false;
  for (int d = skip; d < array.rank(); ++d) {
    const int64_t size = array.shape()[d];
    if (size != 1 && size != target.shape()[rank - array.rank() + d])
      return false;
  }
  return true;
}

// NumPy's error for a `what` whose shape does not fit.
absl::Status RefuseShape(absl::string_view what, const Array& array,
                         const Array& target) {
  return PythonError("ValueError",
                     absl::StrCat("could not broadcast ", what, " from shape ",
                                  ShapeText(array.shape()), " into shape ",
                                  ShapeText(target.shape())));
}

// Binds `source` over the target's shape; NumPy drops leading ones of a source
// that has more dimensions than the target.
absl::Status BindSource(const Array& target, const Operand& source,
                        Read* read) {
  if (source.array == nullptr) {
    return BindOperand(source, target.rank(), target.shape(), target.dtype(),
                       read);
  }
  const Array& array = *source.array;
  const int rank = target.rank();
  int skip = 0;
  while (array.rank() - skip > rank && array.shape()[skip] == 1) ++skip;
  if (!Fits(array, skip, target)) {
    return RefuseShape("input array", array, target);
  }
  if (skip == 0) {
    BindArray(array, rank, read);
  } else {
    Array tail;
    tail.SetRank(array.rank() - skip);
    std::copy(array.shape().begin() + skip, array.shape().end(),
              tail.shape_data());
    std::copy(array.strides().begin() + skip, array.strides().end(),
              tail.strides_data());
    tail.set_dtype(array.dtype());
    tail.set_offset(array.offset());
    tail.set_base(BaseRef(array.base()));
    BindArray(tail, rank, read);
  }
  if (read->dtype != target.dtype()) {
    CastRead(rank, target.shape_data(), target.dtype(), read);
  }
  return absl::OkStatus();
}

// The axes of a write in the order of its strides, the largest first, without
// those of size 1; axes that run backwards are turned round, so that equal
// windows look equal.
struct Window {
  int rank = 0;
  int64_t offset = 0;
  int64_t shape[kMaxRank];
  int64_t strides[kMaxRank];
  int64_t read_strides[kMaxRank];
};

void MakeWindow(const Array& target, Read* read, Window* window) {
  uint8_t axes[kMaxRank];
  int rank = 0;
  for (int d = 0; d < target.rank(); ++d) {
    if (target.shape()[d] != 1) axes[rank++] = static_cast<uint8_t>(d);
  }
  const int64_t* strides = target.strides_data();
  SortByStride(strides, rank, axes);
  window->offset = target.offset();
  for (int i = 0; i < rank; ++i) {
    const int64_t size = target.shape()[axes[i]];
    int64_t stride = strides[axes[i]];
    int64_t read_stride = read->strides[axes[i]];
    if (stride == 0) {
      // All elements of this axis are one; the last write wins.
      read->offset += read->node != nullptr ? read_stride * (size - 1) : 0;
      continue;
    }
    if (stride < 0) {
      window->offset += stride * (size - 1);
      read->offset += read->node != nullptr ? read_stride * (size - 1) : 0;
      stride = -stride;
      read_stride = -read_stride;
    }
    const int d = window->rank++;
    window->shape[d] = size;
    window->strides[d] = stride;
    window->read_strides[d] = read_stride;
  }
}

bool IsDense(int rank, const int64_t* shape, const int64_t* strides,
             int64_t item_size) {
  int64_t step = item_size;
  for (int d = rank - 1; d >= 0; --d) {
    if (strides[d] != step) return false;
    step *= shape[d];
  }
  return true;
}

// A node whose whole storage is what the window gets, or null.
Node* WholeSource(const Base* target, const Read& read, const Window& window) {
  if (read.node == nullptr || read.offset != 0) return nullptr;
  if (read.node->bytes != target->cur->bytes) return nullptr;
  if (!IsDense(window.rank, window.shape, window.read_strides,
               ItemSize(read.dtype))) {
    return nullptr;
  }
  // Foreign code must not see two bases in one storage.
  if (target->exposed != 0 || Graph::Get().read_exposed) return nullptr;
  return read.node;
}

// Writes of no more elements are done at once where that is possible: recording
// one costs more, and a loop that sets element after element would make traces
// that are all different.
constexpr int64_t kSmallWrite = 16;

// Writes now if source and target are known and nobody else can see the
// target's old elements. Returns whether it did.
bool WriteNow(Base* base, const Read& read, const Window& window,
              int64_t item_size) {
  Node* const old = base->cur;
  const int64_t count = Count({window.shape, static_cast<size_t>(window.rank)});
  if (count > kSmallWrite || base->exposed != 0 || old->refs != 1 ||
      old->state != NodeState::kReady ||
      old->buffer->place() != runtime::Place::kHost) {
    return false;
  }
  const char* source = read.scalar;
  if (read.node != nullptr) {
    if (read.node->state != NodeState::kReady ||
        read.node->buffer->place() == runtime::Place::kDevice) {
      return false;
    }
    source = read.node->buffer->read() + read.offset;
  }
  if (!OwnsMemory(old)) return false;
  const size_t rank = static_cast<size_t>(window.rank);
  const absl::Span<const int64_t> shape(window.shape, rank);
  const Dims number(rank, 0);
  Dims packed(rank);
  int64_t step = item_size;
  for (size_t d = rank; d-- > 0; step *= shape[d]) packed[d] = step;
  // By way of a copy, since the source may be a part of the target.
  char values[kSmallWrite * 16];
  runtime::CopyStrided(values, packed, source,
                       read.node == nullptr
                           ? absl::Span<const int64_t>(number)
                           : absl::MakeConstSpan(window.read_strides, rank),
                       shape, item_size);
  Graph::Get().DropRankValue(old);
  runtime::CopyStrided(old->buffer->data() + window.offset,
                       absl::MakeConstSpan(window.strides, rank), values,
                       packed, shape, item_size);
  return true;
}

absl::Status Write(const Array& target, Read* read) {
  Window window;
  MakeWindow(target, read, &window);
  Graph& graph = Graph::Get();
  Base* base = target.base();
  if (WriteNow(base, *read, window, target.item_size())) {
    graph.NoteOperation(OpCode::kUpdate, target.dtype(), window.rank,
                        base->cur->bytes);
    return absl::OkStatus();
  }
  const bool whole =
      window.offset == 0 &&
      Count({window.shape, static_cast<size_t>(window.rank)}) *
              target.item_size() ==
          base->cur->bytes &&
      IsDense(window.rank, window.shape, window.strides, target.item_size());
  if (whole) {
    if (Node* source = WholeSource(base, *read, window)) {
      return Publish(base, NodeRef(source));
    }
    if (read->node == nullptr && window.rank == 0) {
      return Publish(
          base, NodeRef::Adopt(graph.NewValue(target.dtype(), read->scalar)));
    }
  }
  const int source = whole ? 0 : 1;
  Node* node = graph.NewNode(whole ? OpCode::kCopy : OpCode::kUpdate,
                             target.dtype(), window.rank, source + 1);
  node->bytes = base->cur->bytes;
  std::copy_n(window.shape, window.rank, node->shape());
  if (!whole) {
    graph.SetOperand(node, 0, base->cur, 0, target.dtype());
    std::copy_n(window.strides, window.rank, node->write_strides());
    node->write_offset = window.offset;
  }
  std::copy_n(window.read_strides, window.rank, read->strides);
  AddRead(*read, nullptr, source, node);
  graph.Commit(node);
  return Publish(base, NodeRef::Adopt(node));
}

}  // namespace

absl::Status Publish(Base* base, NodeRef node) {
  if (base->exposed != 0) {
    const BaseRef alive(base);
    FUSEAU_RETURN_IF_ERROR(EndExposures({&alive, 1}));
  }
  if (base->exposed != 0) return StoreExposed(base, std::move(node));
  Graph::Get().SetCurrent(base, node.Release());
  return absl::OkStatus();
}

absl::Status Assign(const Array& target, const Operand& source) {
  Read read;
  FUSEAU_RETURN_IF_ERROR(BindSource(target, source, &read));
  if (target.size() == 0) return absl::OkStatus();
  return Write(target, &read);
}

absl::Status AssignWhere(const Array& target, const Operand& mask,
                         const Operand& source) {
  const int rank = target.rank();
  Read reads[3];
  FUSEAU_RETURN_IF_ERROR(BindSource(target, source, &reads[1]));
  if (mask.array != nullptr && !Fits(*mask.array, 0, target)) {
    return RefuseShape("where mask", *mask.array, target);
  }
  FUSEAU_RETURN_IF_ERROR(
      BindOperand(mask, rank, target.shape(), DType::kBool, &reads[0]));
  if (target.size() == 0) return absl::OkStatus();
  BindArray(target, rank, &reads[2]);
  uint8_t axes[kMaxRank];
  const int64_t* rows[1] = {target.strides_data()};
  IterationOrder(rank, rows, axes);
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kWhere, target.dtype(), rank, 3);
  node->bytes = target.size() * target.item_size();
  for (int i = 0; i < rank; ++i) node->shape()[i] = target.shape()[axes[i]];
  for (int k = 0; k < 3; ++k) AddRead(reads[k], axes, k, node);
  graph.Commit(node);
  Read chosen;
  chosen.made = NodeRef::Adopt(node);
  chosen.node = node;
  chosen.offset = 0;
  chosen.dtype = target.dtype();
  StridesInOrder(target.shape(), axes, target.item_size(), chosen.strides);
  return Write(target, &chosen);
}

}  // namespace fuseau

#include <algorithm>
#include <cstring>

#include "absl/base/optimization.h"
#include "absl/strings/str_cat.h"
#include "frontend/float_errors.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/scalar_math.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

bool SameShape(const Array& a, const Array& b) {
  if (a.rank() != b.rank()) return false;
  const int64_t* x = a.shape_data();
  const int64_t* y = b.shape_data();
  FUSEAU_SHORT_LOOP
  for (int d = 0; d < a.rank(); ++d) {
    if (x[d] != y[d]) return false;
  }
  return true;
}

// The common shape. Most operands have the same one.
absl::Status CommonShape(absl::Span<const Operand> operands, Dims* shape) {
  const Array* lead = nullptr;
  bool same = true;
  for (const Operand& o : operands) {
    if (o.array == nullptr) continue;
    if (lead == nullptr) {
      lead = o.array;
    } else {
      same &= SameShape(*lead, *o.array);
    }
  }
  if (ABSL_PREDICT_TRUE(same)) {
    if (lead != nullptr) {
      shape->assign(lead->shape().begin(), lead->shape().end());
    }
    return absl::OkStatus();
  }
  absl::InlinedVector<absl::Span<const int64_t>, 4> shapes;
  for (const Operand& o : operands) {
    shapes.push_back(o.array != nullptr ? o.array->shape()
                                        : absl::Span<const int64_t>());
  }
  FUSEAU_ASSIGN_OR_RETURN(*shape, BroadcastShapes(shapes));
  return absl::OkStatus();
}

// Whether NumPy runs the operation without its iterator. Then the result is in
// C or Fortran order as all operands are; `flags` has what they share.
bool IsTrivial(absl::Span<const Operand> operands, const DType* types, int rank,
               uint8_t* flags) {
  *flags = kCContiguous | kFContiguous;
  const Array* lead = nullptr;
  for (size_t k = 0; k < operands.size(); ++k) {
    const Array* array = operands[k].array;
    if (array == nullptr || array->rank() == 0) continue;
    if (array->rank() != rank) return false;
    if (array->dtype() != types[k]) return false;
    if (lead != nullptr && !SameShape(*lead, *array)) return false;
    lead = array;
    *flags &= array->flags();
  }
  return *flags != 0;
}

// The axes of the result in memory order, or null for C order.
const uint8_t* ResultAxes(absl::Span<const Operand> operands,
                          const DType* types, Read* reads, int rank,
                          Order order, uint8_t* axes) {
  if (rank < 2) return nullptr;
  uint8_t flags = kCContiguous;
  if (order == Order::kKeep) {
    if (!IsTrivial(operands, types, rank, &flags)) {
      const int64_t* rows[8];
      size_t count = 0;
      for (size_t k = 0; k < operands.size(); ++k) {
        if (operands[k].array != nullptr) rows[count++] = reads[k].strides;
      }
      IterationOrder(rank, absl::MakeConstSpan(rows, count), axes);
      for (int i = 0; i < rank; ++i) {
        if (axes[i] != i) return axes;
      }
      return nullptr;
    }
  } else if (order == Order::kF) {
    flags = kFContiguous;
  } else if (order == Order::kA) {
    bool all_fortran = true;
    for (const Operand& o : operands) {
      all_fortran &= o.array == nullptr ||
                     (o.array->has(kFContiguous) &&
                      (o.array->rank() < 2 || !o.array->has(kCContiguous)));
    }
    flags = all_fortran ? kFContiguous : kCContiguous;
  }
  if ((flags & kCContiguous) != 0) return nullptr;
  for (int i = 0; i < rank; ++i) axes[i] = static_cast<uint8_t>(rank - 1 - i);
  return axes;
}

// The usual case at little cost: operands of one shape and of the loop's types,
// whose axes lie in memory in their order, and numbers. False if it is another
// one; then nothing was done.
bool RecordSimple(OpCode op, const Loop& loop,
                  absl::Span<const Operand> operands, Array* out) {
  const Array* lead = nullptr;
  const int count = static_cast<int>(operands.size());
  char numbers[2][16];
  for (int k = 0; k < count; ++k) {
    const Array* array = operands[k].array;
    if (array == nullptr) {
      if (!ConvertScalar(operands[k], loop.in[k], numbers[k]).ok()) {
        return false;
      }
      continue;
    }
    if (!array->has(kAxesInOrder) || array->dtype() != loop.in[k] ||
        array->node()->state == NodeState::kValue) {
      return false;
    }
    if (lead != nullptr && !SameShape(*lead, *array)) return false;
    lead = array;
  }
  if (lead == nullptr || lead->rank() == 0 ||
      lead->rank() > Node::kInlineRank) {
    return false;
  }
  const int rank = lead->rank();
  const int64_t* shape = lead->shape_data();
  int64_t bytes = ItemSize(loop.out);
  FUSEAU_SHORT_LOOP
  for (int d = 0; d < rank; ++d) {
    if (__builtin_mul_overflow(bytes, shape[d], &bytes)) return false;
  }
  if (bytes == 0 || bytes > MemoryLimit()) return false;
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(op, loop.out, rank, count);
  node->bytes = bytes;
  out->SetRank(rank);
  int64_t step = ItemSize(loop.out);
  int64_t* node_shape = node->shape();
  int64_t* out_shape = out->shape_data();
  int longer = 0;  // axes of more than one element
  FUSEAU_SHORT_LOOP
  for (int d = rank - 1; d >= 0; --d) {
    const int64_t size = shape[d];
    node_shape[d] = size;
    out_shape[d] = size;
    out_shape[rank + d] = step;
    step *= size;
    longer += size > 1 ? 1 : 0;
  }
  for (int k = 0; k < count; ++k) {
    const Array* array = operands[k].array;
    if (array == nullptr) {
      graph.SetScalarOperand(node, k, numbers[k], loop.in[k]);
      continue;
    }
    Base* const base = array->base();
    graph.SetOperand(node, k, base->cur, array->offset(), loop.in[k]);
    graph.NoteRead(base);
    const int64_t* strides = array->strides_data();
    int64_t* node_strides = node->strides(k);
    FUSEAU_SHORT_LOOP
    for (int d = 0; d < rank; ++d) {
      node_strides[d] = shape[d] == 1 ? 0 : strides[d];
    }
  }
  graph.Commit(node);
  out->set_dtype(loop.out);
  out->set_offset(0);
  out->set_flags(kWritable | kCContiguous | kAxesInOrder |
                 (longer < 2 ? kFContiguous : 0));
  out->set_base(BaseRef::Adopt(graph.NewBase(node)));
  return true;
}

bool IsNumber(const Read& read) { return read.node == nullptr; }

// What the operation takes where its result is not wanted, since there it must
// raise no floating-point error.
Operand Harmless(OpCode op) {
  Operand number;
  number.kind = kPyInt;
  const int64_t value = op == OpCode::kArctanh ? 0 : 1;
  std::memcpy(number.scalar, &value, sizeof(value));
  return number;
}

}  // namespace

absl::Status Elementwise(OpCode op, const Loop& loop,
                         absl::Span<const Operand> operands, Order order,
                         Array* out) {
  if (order == Order::kKeep && RecordSimple(op, loop, operands, out)) {
    return absl::OkStatus();
  }
  const int count = static_cast<int>(operands.size());
  Dims shape;
  FUSEAU_RETURN_IF_ERROR(CommonShape(operands, &shape));
  const int rank = static_cast<int>(shape.size());
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, loop.out));

  // The order of axes depends on the operands as they are, not as converted.
  Read reads[2];
  for (int k = 0; k < count; ++k) {
    if (operands[k].array != nullptr) {
      BindArray(*operands[k].array, rank, &reads[k]);
    } else {
      FUSEAU_RETURN_IF_ERROR(
          BindOperand(operands[k], rank, shape, loop.in[k], &reads[k]));
    }
  }
  const uint8_t flags = rank == 0 ? kScalarFlag : kWritable;
  if (rank == 0 && IsNumber(reads[0]) && (count < 2 || IsNumber(reads[1]))) {
    for (int k = 0; k < count; ++k) CastRead(0, nullptr, loop.in[k], &reads[k]);
    char value[16] = {};
    if (ComputeNumber(op, loop, reads[0].scalar, reads[1].scalar, value)) {
      Number(loop.out, value, /*scalar_flag=*/true, out);
      return ReportFloatErrors();
    }
  }
  uint8_t buffer[kMaxRank];
  const uint8_t* axes =
      ResultAxes(operands, loop.in, reads, rank, order, buffer);
  if (bytes == 0) {
    return MakeUninitialized(loop.out, shape, axes, flags, out);
  }
  for (int k = 0; k < count; ++k) {
    if (reads[k].dtype != loop.in[k]) {
      CastRead(rank, shape.data(), loop.in[k], &reads[k]);
    }
  }
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(op, loop.out, rank, count);
  node->bytes = bytes;
  for (int i = 0; i < rank; ++i) {
    node->shape()[i] = shape[axes != nullptr ? axes[i] : i];
  }
  for (int k = 0; k < count; ++k) AddRead(reads[k], axes, k, node);
  graph.Commit(node);
  MakeArray(node, loop.out, shape, axes, flags, out);
  return absl::OkStatus();
}

absl::Status ElementwiseInto(OpCode op, const Loop& loop,
                             absl::Span<const Operand> operands,
                             const Operand* where, const Array& target) {
  bool same = where == nullptr;
  for (const Operand& o : operands) {
    same &= o.array == nullptr || o.array->rank() == 0 ||
            SameShape(*o.array, target);
  }
  if (same) {
    Array result;
    FUSEAU_RETURN_IF_ERROR(
        Elementwise(op, loop, operands, Order::kKeep, &result));
    return Assign(target, Operand::Of(result));
  }
  // NumPy looks at Python's numbers before it looks at shapes.
  for (size_t k = 0; k < operands.size(); ++k) {
    char number[16];
    if (operands[k].array != nullptr) continue;
    FUSEAU_RETURN_IF_ERROR(ConvertScalar(operands[k], loop.in[k], number));
  }
  absl::InlinedVector<absl::Span<const int64_t>, 4> shapes;
  for (const Operand& o : operands) {
    shapes.push_back(o.array != nullptr ? o.array->shape()
                                        : absl::Span<const int64_t>());
  }
  if (where != nullptr && where->array != nullptr) {
    shapes.push_back(where->array->shape());
  }
  FUSEAU_ASSIGN_OR_RETURN(Dims shape, BroadcastShapes(shapes));
  shapes.push_back(target.shape());
  FUSEAU_ASSIGN_OR_RETURN(Dims joined, BroadcastShapes(shapes));
  if (absl::MakeConstSpan(joined) != target.shape()) {
    return PythonError(
        "ValueError",
        absl::StrCat("non-broadcastable output operand with shape ",
                     ShapeText(target.shape()),
                     " doesn't match the broadcast shape ", ShapeText(joined)));
  }
  Array result;
  absl::InlinedVector<Operand, 2> given(operands.begin(), operands.end());
  Array harmless[2];
  if (where != nullptr &&
      (float_watch & RaisedFloatErrors(op, loop.in[0], loop.out)) != 0) {
    for (size_t k = 0; k < given.size(); ++k) {
      FUSEAU_RETURN_IF_ERROR(
          Where(*where, given[k], Harmless(op), loop.in[k], &harmless[k]));
      given[k] = Operand::Of(harmless[k]);
    }
  }
  FUSEAU_RETURN_IF_ERROR(Elementwise(op, loop, given, Order::kKeep, &result));
  if (where == nullptr) return Assign(target, Operand::Of(result));
  return AssignWhere(target, *where, Operand::Of(result));
}

absl::Status Where(const Operand& condition, const Operand& x, const Operand& y,
                   DType dtype, Array* out) {
  const Operand operands[3] = {condition, x, y};
  const DType types[3] = {DType::kBool, dtype, dtype};
  Dims shape;
  FUSEAU_RETURN_IF_ERROR(CommonShape(operands, &shape));
  const int rank = static_cast<int>(shape.size());
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  Read reads[3];
  const int64_t* rows[3];
  size_t count = 0;
  for (int k = 0; k < 3; ++k) {
    if (operands[k].array == nullptr) {
      FUSEAU_RETURN_IF_ERROR(
          BindOperand(operands[k], rank, shape, types[k], &reads[k]));
    } else {
      BindArray(*operands[k].array, rank, &reads[k]);
      rows[count++] = reads[k].strides;
    }
  }
  uint8_t axes[kMaxRank];
  IterationOrder(rank, absl::MakeConstSpan(rows, count), axes);
  if (bytes == 0) {
    return MakeUninitialized(dtype, shape, axes, kWritable, out);
  }
  for (int k = 0; k < 3; ++k) {
    if (reads[k].dtype != types[k]) {
      CastRead(rank, shape.data(), types[k], &reads[k]);
    }
  }
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kWhere, dtype, rank, 3);
  node->bytes = bytes;
  for (int i = 0; i < rank; ++i) node->shape()[i] = shape[axes[i]];
  for (int k = 0; k < 3; ++k) AddRead(reads[k], axes, k, node);
  graph.Commit(node);
  MakeArray(node, dtype, shape, axes, kWritable, out);
  return absl::OkStatus();
}

}  // namespace fuseau

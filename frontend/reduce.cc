#include "frontend/reduce.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "frontend/chunked_sum.h"
#include "frontend/float_errors.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/reduction_order.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// The value of a reduction of no elements.
absl::Status Identity(OpCode op, Operand* identity) {
  identity->kind = kPyInt;
  int64_t value = 0;
  switch (ir::RowOf(op).combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
    case Combiner::kAny:
      break;
    case Combiner::kProd:
    case Combiner::kAll:
      value = 1;
      break;
    case Combiner::kMax:
    case Combiner::kMin:
    case Combiner::kNone:
      return PythonError(
          "ValueError",
          absl::StrCat(
              "zero-size array to reduction operation ",
              ir::RowOf(op).combiner == Combiner::kMax ? "maximum" : "minimum",
              " which has no identity"));
  }
  std::memcpy(identity->scalar, &value, sizeof(value));
  return absl::OkStatus();
}

bool Vanishes(uint64_t axes, int d) { return (axes >> d & 1) != 0; }

// The strides of the array that a result goes into, over the axes of what is
// reduced. False if it does not have the result's shape, which is an error that
// the caller finds.
bool StridesOverInput(const Array& into, const Array& array, uint64_t axes,
                      bool keep_dims, int64_t* strides) {
  int place = 0;
  for (int d = 0; d < array.rank(); ++d) {
    strides[d] = 0;
    if (Vanishes(axes, d) && !keep_dims) continue;
    if (place == into.rank()) return false;
    const int64_t size = into.shape()[place];
    if (size != (Vanishes(axes, d) ? 1 : array.shape()[d])) return false;
    if (size != 1) strides[d] = into.strides()[place];
    ++place;
  }
  return place == into.rank();
}

}  // namespace

DType SumType(DType dtype) {
  switch (ClassOf(dtype)) {
    case DTypeClass::kBool:
    case DTypeClass::kSigned:
      return DType::kInt64;
    case DTypeClass::kUnsigned:
      return DType::kUInt64;
    case DTypeClass::kFloat:
    case DTypeClass::kComplex:
      return dtype;
  }
  __builtin_unreachable();
}

DType MeanType(DType dtype) {
  return IsFloat(dtype) || IsComplex(dtype) ? dtype : DType::kFloat64;
}

absl::Status Reduce(OpCode reduction, const Array& array, uint64_t axes,
                    bool keep_dims, DType dtype, const Array* into,
                    Array* out) {
  const int rank = array.rank();
  int64_t strides_into[kMaxRank];
  const bool into_fits =
      into != nullptr &&
      StridesOverInput(*into, array, axes, keep_dims, strides_into);
  // The result's shape and layout.
  uint8_t order[kMaxRank];
  ReductionSpace space =
      OrderReduction(array, axes, into_fits ? strides_into : nullptr, order);
  Dims shape;
  int place[kMaxRank];
  for (int d = 0; d < rank; ++d) {
    place[d] = static_cast<int>(shape.size());
    if (keep_dims || !Vanishes(axes, d)) {
      shape.push_back(Vanishes(axes, d) ? 1 : array.shape()[d]);
    }
  }
  uint8_t result_order[kMaxRank];
  int n = 0;
  for (int i = 0; i < rank; ++i) {
    if (keep_dims || !Vanishes(axes, order[i])) {
      result_order[n++] = static_cast<uint8_t>(place[order[i]]);
    }
  }
  const uint8_t flags = shape.empty() ? kScalarFlag : kWritable;
  bool reduces_nothing = false;
  for (int d = 0; d < rank; ++d) {
    reduces_nothing |= Vanishes(axes, d) && array.shape()[d] == 0;
  }
  Operand identity;
  if (reduces_nothing) {
    FUSEAU_RETURN_IF_ERROR(Identity(reduction, &identity));
  }
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  if (bytes == 0) {
    return MakeUninitialized(dtype, shape, result_order, flags, out);
  }
  if (reduces_nothing) {
    FUSEAU_RETURN_IF_ERROR(Full(shape, dtype, identity, Order::kC, out));
    if (shape.empty()) out->set_flags((out->flags() & ~kWritable) | flags);
    return absl::OkStatus();
  }

  if (dtype == DType::kBool) {
    if (reduction == OpCode::kMax) reduction = OpCode::kAny;
    if (reduction == OpCode::kMin) reduction = OpCode::kAll;
  }
  const Combiner combiner = ir::RowOf(reduction).combiner;
  const bool inexact = IsFloat(dtype) || IsComplex(dtype);
  if (space.reduced != 0) {
    NodeRef node;
    if (combiner == Combiner::kSum && inexact &&
        (space.reduced >> (space.rank - 1) & 1) != 0) {
      FUSEAU_ASSIGN_OR_RETURN(node, RecordChunkedSum(array, space, dtype));
    } else {
      node = RecordReduction(reduction, array, space, dtype);
    }
    MakeArray(node.Release(), dtype, shape, result_order, flags, out);
    return absl::OkStatus();
  }

  // Each element is a result of its own.
  Read read;
  BindValue(array, &read);
  std::copy_n(space.strides, space.rank, read.strides);
  if (read.dtype != dtype) CastRead(space.rank, space.shape, dtype, &read);
  Graph& graph = Graph::Get();
  // NumPy joins each element to the identity: a sum of -0.0 alone is 0.0.
  const bool joins =
      inexact && (combiner == Combiner::kSum || combiner == Combiner::kProd);
  if (space.rank == 0 && read.node == nullptr && !joins) {
    MakeArray(graph.NewValue(dtype, read.scalar), dtype, shape, result_order,
              flags, out);
    return absl::OkStatus();
  }
  const OpCode op = !joins                       ? OpCode::kCopy
                    : combiner == Combiner::kSum ? OpCode::kAdd
                                                 : OpCode::kMultiply;
  Node* node = graph.NewNode(op, dtype, space.rank, joins ? 2 : 1);
  if (joins) {
    FUSEAU_CHECK(Identity(reduction, &identity).ok());
    char number[16];
    FUSEAU_CHECK(ConvertScalar(identity, dtype, number).ok());
    graph.SetScalarOperand(node, 0, number, dtype);
  }
  node->bytes = bytes;
  std::copy_n(space.shape, space.rank, node->shape());
  AddRead(read, nullptr, joins ? 1 : 0, node);
  graph.Commit(node);
  MakeArray(node, dtype, shape, result_order, flags, out);
  return absl::OkStatus();
}

absl::Status Mean(const Array& array, uint64_t axes, bool keep_dims,
                  DType dtype, const Array* into, Array* out) {
  Array sum;
  FUSEAU_RETURN_IF_ERROR(
      Reduce(OpCode::kSum, array, axes, keep_dims, dtype, into, &sum));
  int64_t count = 1;
  for (int d = 0; d < array.rank(); ++d) {
    if (Vanishes(axes, d)) count *= array.shape()[d];
  }
  // NumPy divides by an int64, so float32 goes through float64.
  const DType wide = IsComplex(dtype) ? DType::kComplex128 : DType::kFloat64;
  Operand divisor;
  divisor.kind = KindOf(DType::kInt64);
  std::memcpy(divisor.scalar, &count, sizeof(count));
  Loop loop;
  loop.state = Loop::kNative;
  loop.in[0] = loop.in[1] = loop.out = wide;
  const Operand operands[2] = {Operand::Of(sum), divisor};
  Array quotient;
  const WatchFor kinds(BySecondWord(sum.rank() == 0));
  FUSEAU_RETURN_IF_ERROR(
      Elementwise(OpCode::kDivide, loop, operands, Order::kKeep, &quotient));
  if (wide == dtype) {
    *out = std::move(quotient);
  } else {
    FUSEAU_RETURN_IF_ERROR(AsType(quotient, dtype, Order::kKeep, out));
  }
  // NumPy divides in place, so axes of size 1 keep the strides of the sum.
  std::copy_n(sum.strides_data(), sum.rank(), out->strides_data());
  if (out->rank() == 0) {
    out->set_flags((out->flags() & ~kWritable) | kScalarFlag);
  }
  return absl::OkStatus();
}

}  // namespace fuseau

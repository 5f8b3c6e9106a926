#include "frontend/routine.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "frontend/layout.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

constexpr char kMatmulSignature[] = "(n?,k),(k,m?)->(n?,m?)";
constexpr char kVecdotSignature[] = "(n),(n)->()";

absl::Status TooFewDimensions(const char* name, int operand,
                              const char* signature) {
  return PythonError(
      "ValueError",
      absl::StrCat(name, ": Input operand ", operand,
                   " does not have enough dimensions (has 0, gufunc core with "
                   "signature ",
                   signature, " requires 1)"));
}

absl::Status Mismatch(const char* name, int dimension, const char* signature,
                      int64_t size, int64_t wanted) {
  return PythonError(
      "ValueError",
      absl::StrCat(name,
                   ": Input operand 1 has a mismatch in its core dimension ",
                   dimension, ", with gufunc signature ", signature, " (size ",
                   size, " is different from ", wanted, ")"));
}

// The strides of an operand of a product over its space: the batch in the order
// `axes`, then `core`.
void SpreadStrides(const Read& read, const Array& array, int core_rank,
                   int batch_rank, const uint8_t* axes,
                   absl::Span<const int64_t> core, Read* spread) {
  const int own = array.rank() - core_rank;
  for (int i = 0; i < batch_rank; ++i) {
    const int d = axes[i] - (batch_rank - own);
    const bool moves = d >= 0 && array.shape()[d] != 1;
    spread->strides[i] = moves ? read.strides[d] : 0;
  }
  std::copy(core.begin(), core.end(), spread->strides + batch_rank);
}

// What the dimensions of a product's operands are.
struct ProductShape {
  Dims batch;
  uint8_t axes[kMaxRank];  // of the batch, in the order of memory
  bool row = false;        // whether the result has them
  bool column = false;
  int64_t m = 1, n = 1, k = 1;
  int core[2];  // how many dimensions of each operand are no batch
};

absl::Status ShapeOfProduct(OpCode op, const Array& x, const Array& y,
                            ProductShape* p) {
  const bool matmul = op == OpCode::kMatmul;
  const char* signature = matmul ? kMatmulSignature : kVecdotSignature;
  const char* name = ir::RowOf(op).numpy;
  const Array* arrays[2] = {&x, &y};
  for (int i = 0; i < 2; ++i) {
    if (arrays[i]->rank() == 0) return TooFewDimensions(name, i, signature);
    p->core[i] = matmul ? std::min(arrays[i]->rank(), 2) : 1;
  }
  p->row = p->core[0] == 2;
  p->column = p->core[1] == 2;
  p->k = x.shape()[x.rank() - 1];
  const int64_t k = y.shape()[y.rank() - p->core[1]];
  if (p->k != k) return Mismatch(name, 0, signature, k, p->k);
  if (p->row) p->m = x.shape()[x.rank() - 2];
  if (p->column) p->n = y.shape()[y.rank() - 1];
  const absl::Span<const int64_t> outer[2] = {
      x.shape().subspan(0, x.rank() - p->core[0]),
      y.shape().subspan(0, y.rank() - p->core[1])};
  FUSEAU_ASSIGN_OR_RETURN(p->batch, BroadcastShapes(outer));
  if (p->batch.size() + 3 > kMaxRank) {
    return absl::UnimplementedError("a product of too many dimensions");
  }
  const int rank = static_cast<int>(p->batch.size());
  int64_t strides[2][kMaxRank];
  for (int i = 0; i < 2; ++i) {
    BroadcastStrides(outer[i], arrays[i]->strides(), rank, strides[i]);
  }
  const int64_t* rows[2] = {strides[0], strides[1]};
  IterationOrder(rank, rows, p->axes);
  return absl::OkStatus();
}

}  // namespace

Node* NewRoutine(OpCode op, DType dtype, absl::Span<const int64_t> space,
                 uint64_t reduced, int operands, int64_t bytes) {
  Node* node =
      Graph::Get().NewNode(op, dtype, static_cast<int>(space.size()), operands);
  node->bytes = bytes;
  node->reduced = reduced;
  node->attribute = 0;
  std::copy(space.begin(), space.end(), node->shape());
  return node;
}

absl::Status Product(OpCode op, const Loop& loop,
                     absl::Span<const Operand> operands, Array* out) {
  const bool matmul = op == OpCode::kMatmul;
  for (int i = 0; i < 2; ++i) {
    if (operands[i].array == nullptr) {
      return TooFewDimensions(ir::RowOf(op).numpy, i,
                              matmul ? kMatmulSignature : kVecdotSignature);
    }
  }
  const Array& x = *operands[0].array;
  const Array& y = *operands[1].array;
  ProductShape p;
  FUSEAU_RETURN_IF_ERROR(ShapeOfProduct(op, x, y, &p));
  const int batch_rank = static_cast<int>(p.batch.size());

  Dims shape = p.batch;
  uint8_t axes[kMaxRank];
  std::copy_n(p.axes, batch_rank, axes);
  for (const auto& [present, size] : {std::pair(p.row, p.m), {p.column, p.n}}) {
    if (!present) continue;
    axes[shape.size()] = static_cast<uint8_t>(shape.size());
    shape.push_back(size);
  }
  const uint8_t flags = shape.empty() ? kScalarFlag : kWritable;
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, loop.out));
  if (bytes == 0) return MakeUninitialized(loop.out, shape, axes, flags, out);
  if (p.k == 0) {
    Operand zero;
    zero.kind = kPyInt;
    FUSEAU_RETURN_IF_ERROR(Full(shape, loop.out, zero, Order::kC, out));
    if (shape.empty()) out->set_flags((out->flags() & ~kWritable) | flags);
    return absl::OkStatus();
  }

  Dims space;
  for (int i = 0; i < batch_rank; ++i) space.push_back(p.batch[p.axes[i]]);
  if (matmul) {
    space.push_back(p.m);
    space.push_back(p.n);
  }
  space.push_back(p.k);
  const uint64_t reduced = uint64_t{1} << (space.size() - 1);
  Node* node = NewRoutine(op, loop.out, space, reduced, 2, bytes);
  Read spreads[2];
  for (int i = 0; i < 2; ++i) {
    const Array& array = *operands[i].array;
    Read& spread = spreads[i];
    BindValue(array, &spread);
    std::copy_n(array.strides_data(), array.rank(), spread.strides);
    if (spread.dtype != loop.in[i]) {
      CastRead(array.rank(), array.shape_data(), loop.in[i], &spread);
    }
    Read read;  // the strides over the array's own axes
    std::copy_n(spread.strides, array.rank(), read.strides);
    const int last = array.rank() - 1;
    Dims core;
    if (matmul) {
      const bool two = p.core[i] == 2;
      const int64_t outer = two ? read.strides[last - 1] : 0;
      const int64_t inner = read.strides[last];
      if (i == 0) {
        core = {outer, 0, inner};
      } else {
        core = {0, two ? inner : 0, two ? outer : inner};
      }
    } else {
      core = {read.strides[last]};
    }
    SpreadStrides(read, array, p.core[i], batch_rank, p.axes, core, &spread);
  }
  for (int i = 0; i < 2; ++i) AddRead(spreads[i], nullptr, i, node);
  Graph::Get().Commit(node);
  MakeArray(node, loop.out, shape, axes, flags, out);
  return absl::OkStatus();
}

absl::Status ProductInto(OpCode op, const Loop& loop,
                         absl::Span<const Operand> operands,
                         const Array& target) {
  Array result;
  FUSEAU_RETURN_IF_ERROR(Product(op, loop, operands, &result));
  if (result.shape() != target.shape()) {
    return PythonError(
        "ValueError",
        absl::StrCat(ir::RowOf(op).numpy, ": Output operand 0 with shape ",
                     ShapeText(target.shape()), " does not have shape ",
                     ShapeText(result.shape())));
  }
  return Assign(target, Operand::Of(result));
}

namespace {

// A routine with one operand of the shape of its space, whose axes are taken in
// the order `axes`. Takes what is in `reduced` out of the result.
Node* OverAxes(OpCode op, const Array& array, DType in, DType dtype,
               const uint8_t* axes, uint64_t reduced, int64_t bytes) {
  const int rank = array.rank();
  Read read;
  BindArray(array, rank, &read);
  if (read.dtype != in) CastRead(rank, array.shape_data(), in, &read);
  Dims space;
  for (int i = 0; i < rank; ++i) space.push_back(array.shape()[axes[i]]);
  Node* node = NewRoutine(op, dtype, space, reduced, 1, bytes);
  AddRead(read, axes, 0, node);
  return node;
}

void AxesInMemory(const Array& array, uint8_t* axes) {
  int64_t moving[kMaxRank];
  BroadcastStrides(array.shape(), array.strides(), array.rank(), moving);
  const int64_t* rows[1] = {moving};
  IterationOrder(array.rank(), rows, axes);
}

// A routine whose result has the shape of its operand, along an axis.
absl::Status AlongAxis(OpCode op, const Array& array, int axis, DType in,
                       DType dtype, const uint8_t* axes, Array* out) {
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes,
                          CheckedBytes(array.shape(), dtype));
  if (bytes == 0) {
    return MakeUninitialized(dtype, array.shape(), axes, kWritable, out);
  }
  Node* node = OverAxes(op, array, in, dtype, axes, /*reduced=*/0, bytes);
  node->attribute = std::find(axes, axes + array.rank(), axis) - axes;
  Graph::Get().Commit(node);
  MakeArray(node, dtype, array.shape(), axes, kWritable, out);
  return absl::OkStatus();
}

void AxesAsTheyAre(uint8_t* axes, int rank) {
  for (int d = 0; d < rank; ++d) axes[d] = static_cast<uint8_t>(d);
}

}  // namespace

absl::Status Accumulate(OpCode op, const Array& array, int axis, DType dtype,
                        Array* out) {
  uint8_t axes[kMaxRank];
  AxesInMemory(array, axes);
  return AlongAxis(op, array, axis, dtype, dtype, axes, out);
}

absl::Status SortLines(OpCode op, const Array& array, int axis, Array* out) {
  uint8_t axes[kMaxRank];
  const DType dtype = array.dtype();
  if (op == OpCode::kStableSort) {
    AxesInMemory(array, axes);
    return AlongAxis(op, array, axis, dtype, dtype, axes, out);
  }
  AxesAsTheyAre(axes, array.rank());
  return AlongAxis(op, array, axis, dtype, DType::kInt64, axes, out);
}

absl::Status PlaceOfExtreme(OpCode op, const Array& array, int axis,
                            Array* out) {
  uint8_t axes[kMaxRank];
  AxesAsTheyAre(axes, array.rank());
  Dims shape;
  for (int d = 0; d < array.rank(); ++d) {
    if (d != axis) shape.push_back(array.shape()[d]);
  }
  const uint8_t flags = shape.empty() ? kScalarFlag : kWritable;
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes,
                          CheckedBytes(shape, DType::kInt64));
  if (bytes == 0) {
    return MakeUninitialized(DType::kInt64, shape, nullptr, flags, out);
  }
  Node* node = OverAxes(op, array, array.dtype(), DType::kInt64, axes,
                        uint64_t{1} << axis, bytes);
  Graph::Get().Commit(node);
  MakeArray(node, DType::kInt64, shape, nullptr, flags, out);
  return absl::OkStatus();
}

absl::Status BinCount(const Array& array, int64_t bins, Array* out) {
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes,
                          CheckedBytes({&bins, 1}, DType::kInt64));
  Read read;
  BindArray(array, 1, &read);
  read.strides[1] = 0;
  Node* node = NewRoutine(OpCode::kBincount, DType::kInt64,
                          {array.shape()[0], bins}, /*reduced=*/1, 1, bytes);
  AddRead(read, nullptr, 0, node);
  Graph::Get().Commit(node);
  MakeArray(node, DType::kInt64, {&bins, 1}, nullptr, kWritable, out);
  return absl::OkStatus();
}

absl::Status SearchSorted(const Array& line, const Array& keys, bool right,
                          Array* out) {
  const int rank = keys.rank();
  if (rank + 1 > kMaxRank) {
    return absl::UnimplementedError("too many dimensions");
  }
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes,
                          CheckedBytes(keys.shape(), DType::kInt64));
  if (bytes == 0) {
    return MakeUninitialized(DType::kInt64, keys.shape(), nullptr, kWritable,
                             out);
  }
  Dims space(keys.shape().begin(), keys.shape().end());
  space.push_back(line.size());
  Node* node = NewRoutine(OpCode::kSearchSorted, DType::kInt64, space,
                          uint64_t{1} << rank, /*operands=*/2, bytes);
  node->attribute = right ? 1 : 0;
  Read sorted, key;
  BindValue(line, &sorted);
  std::fill_n(sorted.strides, rank, 0);
  sorted.strides[rank] = line.strides()[0];
  BindValue(keys, &key);
  std::copy_n(keys.strides_data(), rank, key.strides);
  key.strides[rank] = 0;
  AddRead(sorted, nullptr, 0, node);
  AddRead(key, nullptr, 1, node);
  Graph::Get().Commit(node);
  MakeArray(node, DType::kInt64, keys.shape(), nullptr, kWritable, out);
  return absl::OkStatus();
}

namespace {

// An array of one element.
absl::Status MakeFactor(double factor, DType dtype, Array* out) {
  const int64_t one = 1;
  FUSEAU_RETURN_IF_ERROR(
      MakeUninitialized(dtype, {&one, 1}, nullptr, kWritable, out));
  char* to = out->node()->buffer->data();
  if (dtype == DType::kFloat32) {
    const auto single = static_cast<float>(factor);
    std::memcpy(to, &single, sizeof(single));
  } else {
    std::memcpy(to, &factor, sizeof(factor));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TransformLines(OpCode op, const Array& array, int axis,
                            int64_t count, double factor, Array* out) {
  const int rank = array.rank();
  if (rank + 1 > kMaxRank) {
    return absl::UnimplementedError("too many dimensions");
  }
  const bool single =
      array.dtype() == DType::kFloat32 || array.dtype() == DType::kComplex64;
  const DType real = single ? DType::kFloat32 : DType::kFloat64;
  const DType complex = single ? DType::kComplex64 : DType::kComplex128;
  const bool from_real = op == OpCode::kRfftEven || op == OpCode::kRfftOdd;
  const DType dtype = op == OpCode::kIrfft ? real : complex;
  Dims shape(array.shape().begin(), array.shape().end());
  shape[axis] = count;
  uint8_t axes[kMaxRank];
  AxesInMemory(array, axes);
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  Array multiplier;
  FUSEAU_RETURN_IF_ERROR(MakeFactor(factor, real, &multiplier));
  Read lines, scale;
  BindArray(array, rank, &lines);
  const DType in = from_real ? real : complex;
  if (lines.dtype != in) CastRead(rank, array.shape_data(), in, &lines);
  BindValue(multiplier, &scale);
  std::fill_n(scale.strides, rank + 1, 0);
  Dims space, strides;
  for (int i = 0; i < rank; ++i) {
    space.push_back(shape[axes[i]]);
    strides.push_back(axes[i] == axis ? 0 : lines.strides[axes[i]]);
  }
  space.push_back(array.shape()[axis]);
  strides.push_back(lines.strides[axis]);
  std::copy(strides.begin(), strides.end(), lines.strides);
  Node* node = NewRoutine(op, dtype, space, uint64_t{1} << rank,
                          /*operands=*/2, bytes);
  node->attribute = std::find(axes, axes + rank, axis) - axes;
  AddRead(lines, nullptr, 0, node);
  AddRead(scale, nullptr, 1, node);
  Graph::Get().Commit(node);
  MakeArray(node, dtype, shape, axes, kWritable, out);
  return absl::OkStatus();
}

}  // namespace fuseau

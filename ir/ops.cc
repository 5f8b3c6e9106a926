// The generated classes of the table of operations, and their verifiers.

#include "ir/dialect.h"
#include "runtime/base/dims.h"

#define GET_OP_CLASSES
#include "ir/ops.cc.inc"

namespace fuseau::ir {
namespace {

using llvm::failure;
using llvm::LogicalResult;
using llvm::success;
using mlir::RankedTensorType;

LogicalResult VerifyReduction(mlir::Operation* op, RankedTensorType in,
                              RankedTensorType out,
                              llvm::ArrayRef<bool> reduced) {
  if (static_cast<int64_t>(reduced.size()) != in.getRank())
    return op->emitOpError()
           << "has " << reduced.size() << " flags for rank " << in.getRank();
  llvm::SmallVector<int64_t> kept;
  for (int64_t d = 0; d < in.getRank(); ++d)
    if (!reduced[d]) kept.push_back(in.getDimSize(d));
  if (out.getShape() != llvm::ArrayRef<int64_t>(kept))
    return op->emitOpError("result shape must be the kept dimensions");
  return success();
}

// A window must lie inside the storage it belongs to.
LogicalResult VerifyWindow(mlir::Operation* op, RankedTensorType storage,
                           RankedTensorType window, int64_t offset,
                           llvm::ArrayRef<int64_t> strides) {
  if (static_cast<int64_t>(strides.size()) != window.getRank())
    return op->emitOpError() << "has " << strides.size() << " strides for rank "
                             << window.getRank();
  if (Count(window.getShape()) == 0) return success();
  const ByteRange range = Extent(offset, window.getShape(), strides,
                                 ItemSize(DTypeOf(window.getElementType())));
  if (range.lo < 0 || range.hi > StorageBytes(storage))
    return op->emitOpError()
           << "touches bytes [" << range.lo << ", " << range.hi
           << ") of a storage of " << StorageBytes(storage);
  return success();
}

}  // namespace

#define FUSEAU_VERIFY_REDUCTION(Op)                             \
  LogicalResult Op::verify() {                                  \
    return VerifyReduction(                                     \
        *this, mlir::cast<RankedTensorType>(getX().getType()),  \
        mlir::cast<RankedTensorType>(getType()), getReduced()); \
  }
FUSEAU_VERIFY_REDUCTION(SumOp)
FUSEAU_VERIFY_REDUCTION(ProdOp)
FUSEAU_VERIFY_REDUCTION(MaxOp)
FUSEAU_VERIFY_REDUCTION(MinOp)
FUSEAU_VERIFY_REDUCTION(AnyOp)
FUSEAU_VERIFY_REDUCTION(AllOp)
FUSEAU_VERIFY_REDUCTION(OrderedSumOp)
#undef FUSEAU_VERIFY_REDUCTION

LogicalResult ViewOp::verify() {
  return VerifyWindow(*this, mlir::cast<RankedTensorType>(getX().getType()),
                      mlir::cast<RankedTensorType>(getType()), getOffset(),
                      getStrides());
}

LogicalResult UpdateOp::verify() {
  if (getOld().getType() != getType())
    return emitOpError("the result has the type of the old storage");
  return VerifyWindow(*this, mlir::cast<RankedTensorType>(getType()),
                      mlir::cast<RankedTensorType>(getX().getType()),
                      getOffset(), getStrides());
}

// A view of everything, as it is.
mlir::OpFoldResult ViewOp::fold(FoldAdaptor) {
  auto type = mlir::cast<RankedTensorType>(getType());
  if (getX().getType() == type && getOffset() == 0 &&
      llvm::ArrayRef<int64_t>(DenseStrides(
          type.getShape(), ItemSize(DTypeOf(type.getElementType())))) ==
          getStrides())
    return getX();
  return {};
}

}  // namespace fuseau::ir

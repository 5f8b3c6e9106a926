// The generated classes of the region ops and of dialect `fuseau_exec`.

#include "ir/dialect.h"

#define GET_OP_CLASSES
#include "ir/region_ops.cc.inc"
#define GET_OP_CLASSES
#include "ir/exec_ops.cc.inc"

namespace fuseau::ir {

llvm::LogicalResult FusedOp::verify() {
  const size_t rank = getSpace().size();
  auto check_maps = [&](mlir::ArrayAttr maps, size_t count,
                        const char* what) -> llvm::LogicalResult {
    if (maps.size() != count)
      return emitOpError() << "has " << maps.size() << " " << what << " for "
                           << count << " operands";
    for (mlir::Attribute a : maps) {
      auto map = mlir::dyn_cast<mlir::DenseI64ArrayAttr>(a);
      if (!map || map.size() != static_cast<int64_t>(rank) + 1)
        return emitOpError()
               << what << ": a map needs an offset and " << rank << " strides";
    }
    return llvm::success();
  };
  if (failed(check_maps(getInMaps(), getInputs().size(), "in_maps")) ||
      failed(check_maps(getOutMaps(), getNumResults(), "out_maps")))
    return llvm::failure();
  if (getReduced().size() != rank || getInitOf().size() != getNumResults() ||
      getCombiners().size() != getNumResults())
    return emitOpError(
        "needs one entry per dimension in `reduced` and one per "
        "result in `init_of` and `combiners`");
  mlir::Block& body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError() << "body takes " << body.getNumArguments()
                         << " elements for " << getInputs().size() << " inputs";
  if (body.getTerminator()->getNumOperands() != getNumResults())
    return emitOpError() << "body yields "
                         << body.getTerminator()->getNumOperands()
                         << " elements for " << getNumResults() << " results";
  for (auto [i, init] : llvm::enumerate(getInitOf())) {
    if (init < -1 || init >= static_cast<int>(getInits().size()))
      return emitOpError() << "init_of " << init << " is out of range";
    if (init >= 0 && getInits()[init].getType() != getResult(i).getType())
      return emitOpError("a result has the type of its init");
  }
  return llvm::success();
}

}  // namespace fuseau::ir

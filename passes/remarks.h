// What a pass tells about its decisions, for those who ask (codegen/explain.h).
// Nobody listening, it costs nothing.
#pragma once

#include "ir/mlir_pch.h"
#include "mlir/IR/Remarks.h"

namespace fuseau::passes {

// What happens to the operation's result; the text that follows says why.
inline mlir::remark::detail::InFlightRemark Remark(mlir::Operation* op,
                                                   llvm::StringRef what) {
  return mlir::remark::analysis(
      op->getLoc(), mlir::remark::RemarkOpts::name(what).category("fuseau"));
}

}  // namespace fuseau::passes

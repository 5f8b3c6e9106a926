// Drops what is computed twice, for nothing, or without change.

#include "ir/dialect.h"
#include "ir/op_table.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "passes/passes.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_SIMPLIFYPASS
#include "passes/passes.h.inc"

namespace {

using llvm::failure;
using llvm::LogicalResult;
using llvm::success;

// cast(x) -> x   when the type stays. Not for results of the trace: each has a
// storage of its own.
struct DropSameTypeCast : mlir::OpRewritePattern<ir::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(
      ir::CastOp op, mlir::PatternRewriter& rewriter) const override {
    if (op.getX().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "changes the type");
    rewriter.replaceOp(op, op.getX());
    return success();
  }
};

// Whether a value is read by a routine.
bool FeedsRoutine(mlir::Operation* op) {
  return llvm::any_of(op->getUsers(), [](mlir::Operation* user) {
    auto code = ir::FindOp(user->getName().stripDialect().str());
    return code && ir::RowOf(*code).family == ir::Family::kRoutine;
  });
}

// view(copy(x)) -> view(x): nothing can change x between, since values are
// immutable; the copy was made for an owner of its own.
struct ReadThroughCopy : mlir::OpRewritePattern<ir::CopyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(
      ir::CopyOp op, mlir::PatternRewriter& rewriter) const override {
    bool changed = false;
    // A number or an iota has no memory unless it is copied, and the strides of
    // a copy may decide by which code a routine computes.
    if (FeedsRoutine(op))
      return rewriter.notifyMatchFailure(op, "a routine reads it");
    for (mlir::OpOperand& use : llvm::make_early_inc_range(op->getUses())) {
      mlir::Operation* user = use.getOwner();
      // The old value of an update becomes a buffer; a result needs its own;
      // and a window in another type is one of bytes in memory.
      if (user->hasTrait<mlir::OpTrait::IsTerminator>()) continue;
      if (mlir::isa<ir::UpdateOp>(user) && use.getOperandNumber() == 0)
        continue;
      if (FeedsRoutine(user)) continue;
      if (auto view = mlir::dyn_cast<ir::ViewOp>(user);
          view && mlir::getElementTypeOrSelf(view.getType()) !=
                      mlir::getElementTypeOrSelf(op.getType()))
        continue;
      rewriter.modifyOpInPlace(user, [&] { use.set(op.getX()); });
      changed = true;
    }
    return changed ? success() : failure();
  }
};

struct SimplifyPass : impl::SimplifyPassBase<SimplifyPass> {
  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<DropSameTypeCast, ReadThroughCopy>(&getContext());
    mlir::GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns),
                                           config)))
      signalPassFailure();
    mlir::OpPassManager cse("builtin.module");
    cse.addPass(mlir::createCSEPass());
    if (failed(runPipeline(cse, getOperation()))) signalPassFailure();
  }
};

}  // namespace
}  // namespace fuseau::passes

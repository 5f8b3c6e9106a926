// Several rows a turn. An outer reduction then loads and stores its result once
// for all of them; a nest that reads an operand across its rows uses the
// neighbours in each cache line while they are at hand.

#include "codegen/cpu/kernel_emitter.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

// Elements of a result's row that an outer reduction works on: they stay in the
// L1 cache while the rows are added.
constexpr int64_t kBlock = 2048;
// Elements along a turned nest's inner dimension whose rows are done before the
// next: what they touch stays in the L1 cache.
constexpr int64_t kTurnedBlock = 512;

}  // namespace

void KernelEmitter::EmitRowGroups(const std::vector<llvm::Value*>& bases) {
  const int inner = spec_.InnerDimension();
  const auto range = [&](int d) -> std::pair<llvm::Value*, llvm::Value*> {
    if (d == 0) return {function_->getArg(0), function_->getArg(1)};
    return {I64(0), LoadSlot(d)};
  };
  const int d = spec_.RowDimension();
  const auto [from, to] = range(d);
  const auto [first, last] = range(inner);
  llvm::Value* end = from;
  if (spec_.rows > 1) {
    llvm::Value* rest = b_.CreateURem(b_.CreateSub(to, from), I64(spec_.rows));
    end = b_.CreateSub(to, rest);
  }
  auto all_rows = [&, from = from, to = to](
                      const std::vector<llvm::Value*>& start, llvm::Value* n) {
    if (spec_.rows > 1)
      For(from, end, spec_.rows,
          [&](llvm::Value* index) { EmitRowGroup(Moved(start, d, index), n); });
    For(end, to, 1,
        [&](llvm::Value* index) { EmitRow(Moved(start, d, index), n); });
  };
  if (spec_.reduction != Reduction::kOuter && !spec_.turned) {
    all_rows(bases, last);
    return;
  }
  const int64_t block = spec_.turned ? kTurnedBlock : kBlock;
  For(first, last, block, [&, last = last](llvm::Value* offset) {
    llvm::Value* count = b_.CreateBinaryIntrinsic(
        llvm::Intrinsic::smin, b_.CreateSub(last, offset), I64(block));
    all_rows(Moved(bases, inner, offset), count);
  });
}

void KernelEmitter::EmitRowGroup(const std::vector<llvm::Value*>& bases,
                                 llvm::Value* n) {
  FUSEAU_CHECK(!HasCalls());
  struct RowState {
    std::vector<Row> rows;
    llvm::DenseMap<mlir::Value, Val> uniform_scalar, uniform_splat;
  };
  std::vector<RowState> group;
  for (int r = 0; r < spec_.rows; ++r) {
    bases_ = r == 0 ? bases : Moved(bases, spec_.RowDimension(), I64(r));
    MakeRows();
    EmitUniform();
    group.push_back({rows_, uniform_scalar_, uniform_splat_});
  }
  auto enter = [&](const RowState& state) {
    rows_ = block_rows_ = state.rows;
    uniform_scalar_ = state.uniform_scalar;
    uniform_splat_ = state.uniform_splat;
  };
  const int last = static_cast<int>(stages_.size()) - 1;
  const size_t inputs = spec_.inputs.size();
  mlir::Operation* yield = spec_.body->getTerminator();
  auto map = [&](const Step& step) {
    for (const RowState& state : group) {
      enter(state);
      Env env;
      EmitStage(last, step, env);
      StoreOutputs(step, env);
    }
  };
  auto join = [&](const Step& step) {
    llvm::SmallVector<Val> values;
    for (size_t i = 0; i < spec_.outputs.size(); ++i)
      values.push_back(Load(group[0].rows[inputs + i], step));
    for (const RowState& state : group) {
      enter(state);
      Env env;
      EmitStage(last, step, env);
      for (size_t i = 0; i < spec_.outputs.size(); ++i)
        values[i] = Combine(b_, spec_.combiners[i], spec_.outputs[i].dtype,
                            values[i], Read(yield->getOperand(i), step, env));
    }
    for (size_t i = 0; i < spec_.outputs.size(); ++i)
      Store(group[0].rows[inputs + i], step, values[i]);
  };
  llvm::SmallVector<Row> aligned = RowsToAlign(group[0].rows);
  if (spec_.Streams())
    for (size_t r = 1; r < group.size(); ++r)
      llvm::append_range(aligned, RowsToAlign(group[r].rows));
  if (spec_.reduction == Reduction::kOuter)
    ForSteps(I64(0), n, 1, join, aligned);
  else
    ForSteps(I64(0), n, 1, map, aligned);
}

}  // namespace fuseau::codegen

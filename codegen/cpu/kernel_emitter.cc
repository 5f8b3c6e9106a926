#include "codegen/cpu/kernel_emitter.h"

#include <algorithm>

#include "llvm/IR/IntrinsicsX86.h"
#include "runtime/base/status.h"
#include "runtime/plan.h"

namespace fuseau::codegen {
namespace {

// Bodies longer than this are not unrolled: they keep the processor busy, and
// a second copy costs compile time.
constexpr size_t kUnrollLimit = 40;

// Rows of fewer full steps are not aligned.
constexpr int64_t kLongRow = 4;

// Elements that a call of an inner loop gets at most.
constexpr int64_t kMaxBlock = 512;

// Strided operands are loaded and stored lane by lane. The code generator's
// time grows with the square of a block's instructions, so there are no more
// lanes than this in a step, or the least number for each operand.
constexpr int kStridedLanes = 128;
constexpr int kFewestLanes = 8;

}  // namespace

KernelEmitter::KernelEmitter(const KernelSpec& spec, const Target& target,
                             llvm::Module& module)
    : spec_(spec),
      target_(target),
      module_(module),
      context_(module.getContext()),
      b_(context_) {}

void KernelEmitter::Emit() {
  MakeFunction();
  width_ = NaturalWidth();
  ReadScalars();
  if (!spec_.ReducesInner()) {
    std::vector<int> outputs(spec_.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = i;
    PlanStages(outputs, kMaxBlock);
  }
  ReturnIfEmpty();
  std::vector<llvm::Value*> bases;
  for (int i = 0; i < spec_.OperandCount(); ++i) {
    llvm::Value* base = LoadSlot(runtime::OperandSlot(spec_.rank, i));
    const bool iota =
        i < static_cast<int>(spec_.inputs.size()) && spec_.inputs[i].iota;
    bases.push_back(iota ? base : b_.CreateIntToPtr(base, b_.getPtrTy()));
  }
  EmitDimension(0, std::move(bases));
  // Streamed stores are ordered before what tells others that we are done.
  if (spec_.Streams()) b_.CreateIntrinsic(llvm::Intrinsic::x86_sse_sfence, {});
  b_.CreateRetVoid();
  // Stack memory goes to the first block, which then enters the second.
  b_.SetInsertPoint(allocas_);
  b_.CreateBr(allocas_->getNextNode());
}

void KernelEmitter::MakeFunction() {
  auto* type = llvm::FunctionType::get(
      b_.getVoidTy(), {b_.getInt64Ty(), b_.getInt64Ty(), b_.getPtrTy()},
      /*isVarArg=*/false);
  function_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                     kKernelSymbol, module_);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  function_->addFnAttr("target-cpu", target_.cpu);
  if (!target_.features.empty())
    function_->addFnAttr("target-features", target_.features);
  // Without this LLVM avoids 64-byte vectors on some processors.
  function_->addFnAttr("prefer-vector-width",
                       std::to_string(8 * target_.VectorBytes()));
  args_ = function_->getArg(2);
  allocas_ = llvm::BasicBlock::Create(context_, "stack", function_);
  b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", function_));
}

// Lanes of one vector register of the widest type in the body.
int KernelEmitter::NaturalWidth() const {
  if (spec_.rank == 0) return 1;
  int widest = 1;
  auto see = [&](mlir::Type type) {
    if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
      type = complex.getElementType();
    widest =
        std::max(widest, static_cast<int>(type.getIntOrFloatBitWidth()) / 8);
  };
  for (mlir::BlockArgument argument : spec_.body->getArguments())
    see(argument.getType());
  for (mlir::Operation& op : spec_.body->without_terminator())
    for (mlir::Type type : op.getResultTypes()) see(type);
  // An iota is computed in 64 bits before it is converted.
  int strided = 0;
  for (const OperandSpec& in : spec_.inputs) {
    if (in.iota) widest = 8;
    strided += !in.iota && in.inner == Inner::kStrided;
  }
  for (const OperandSpec& out : spec_.outputs)
    strided += out.inner == Inner::kStrided;
  int width = target_.VectorBytes() / widest;
  // The lanes of an inner reduction are part of its meaning.
  if (!spec_.ReducesInner())
    while (width > kFewestLanes && strided * width > kStridedLanes) width /= 2;
  return width;
}

llvm::Value* KernelEmitter::LoadSlot(int slot) {
  return b_.CreateLoad(b_.getInt64Ty(),
                       b_.CreateConstGEP1_64(b_.getInt64Ty(), args_, slot));
}

void KernelEmitter::ReadScalars() {
  const int first = static_cast<int>(spec_.inputs.size());
  for (size_t i = 0; i < spec_.scalars.size(); ++i) {
    const int slot = runtime::ScalarSlot(spec_.rank, spec_.OperandCount(), i);
    llvm::Value* address = b_.CreateConstGEP1_64(b_.getInt64Ty(), args_, slot);
    scalars_[spec_.body->getArgument(first + i)] =
        LoadElement(TypeInMemory(spec_.scalars[i]), address);
  }
}

// With an empty dimension there is nothing to do, except that a reduction over
// none gives its identity.
void KernelEmitter::ReturnIfEmpty() {
  const int last = spec_.ReducesInner() ? spec_.rank - 1 : spec_.rank;
  if (last <= 1) return;
  llvm::Value* empty = nullptr;
  for (int d = 1; d < last; ++d) {
    llvm::Value* none = b_.CreateICmpSLE(LoadSlot(d), I64(0));
    empty = empty ? b_.CreateOr(empty, none) : none;
  }
  auto* done = llvm::BasicBlock::Create(context_, "empty", function_);
  auto* next = llvm::BasicBlock::Create(context_, "nest", function_);
  b_.CreateCondBr(empty, done, next);
  b_.SetInsertPoint(done);
  b_.CreateRetVoid();
  b_.SetInsertPoint(next);
}

std::vector<llvm::Value*> KernelEmitter::Moved(std::vector<llvm::Value*> bases,
                                               int d, llvm::Value* index) {
  for (int i = 0; i < spec_.OperandCount(); ++i) {
    llvm::Value* stride = LoadSlot(runtime::OperandSlot(spec_.rank, i) + 1 + d);
    llvm::Value* offset = b_.CreateMul(index, stride);
    bases[i] = bases[i]->getType()->isPointerTy()
                   ? b_.CreatePtrAdd(bases[i], offset)
                   : b_.CreateAdd(bases[i], offset);
  }
  return bases;
}

void KernelEmitter::EmitDimension(int d, std::vector<llvm::Value*> bases) {
  llvm::Value *lo = function_->getArg(0), *hi = function_->getArg(1);
  if (spec_.rank == 0) {
    EmitRow(std::move(bases), I64(1));
    return;
  }
  if (spec_.rank == 1) {
    std::vector<llvm::Value*> moved = Moved(bases, 0, lo);
    // The address of a reduction's result does not move.
    if (spec_.ReducesInner())
      std::copy(bases.begin() + spec_.inputs.size(), bases.end(),
                moved.begin() + spec_.inputs.size());
    EmitRow(std::move(moved), b_.CreateSub(hi, lo));
    return;
  }
  if (d + 2 == spec_.rank && (spec_.turned || spec_.rows > 1)) {
    EmitRowGroups(bases);
    return;
  }
  llvm::Value* from = d == 0 ? lo : I64(0);
  llvm::Value* to = d == 0 ? hi : LoadSlot(d);
  For(from, to, 1, [&](llvm::Value* index) {
    std::vector<llvm::Value*> moved = Moved(bases, d, index);
    if (d + 2 < spec_.rank)
      EmitDimension(d + 1, std::move(moved));
    else
      EmitRow(std::move(moved), LoadSlot(d + 1));
  });
}

void KernelEmitter::MakeRows() {
  rows_.clear();
  for (size_t i = 0; i < spec_.inputs.size(); ++i)
    rows_.push_back(MakeRow(spec_.inputs[i], i, bases_[i]));
  for (size_t i = 0; i < spec_.outputs.size(); ++i) {
    const size_t place = spec_.inputs.size() + i;
    rows_.push_back(MakeRow(spec_.outputs[i], place, bases_[place]));
  }
  block_rows_ = rows_;
}

void KernelEmitter::EmitRow(std::vector<llvm::Value*> bases, llvm::Value* n) {
  bases_ = std::move(bases);
  if (spec_.ReducesInner()) {
    EmitReduction(n);
    return;
  }
  MakeRows();
  EmitUniform();
  if (HasCalls()) {
    EmitBlocks(n);
    return;
  }
  const int last = static_cast<int>(stages_.size()) - 1;
  auto body = [&](const Step& step) {
    Env env;
    EmitStage(last, step, env);
    StoreOutputs(step, env);
  };
  if (spec_.rank == 0) {
    body(Step{1, I64(0)});
    return;
  }
  const int unroll = stages_.back().ops.size() > kUnrollLimit ? 1 : 2;
  ForSteps(I64(0), n, unroll, body, RowsToAlign(rows_));
}

void KernelEmitter::EmitBlocks(llvm::Value* n) {
  const int last = static_cast<int>(stages_.size()) - 1;
  For(I64(0), n, block_, [&](llvm::Value* offset) {
    llvm::Value* count = b_.CreateBinaryIntrinsic(
        llvm::Intrinsic::smin, b_.CreateSub(n, offset), I64(block_));
    EmitEarlyStages(offset, count);
    auto body = [&](const Step& step) {
      Env env;
      EmitStage(last, step, env);
      StoreOutputs(step, env);
    };
    // A block is too short to be aligned for anything but streams.
    llvm::SmallVector<Row> aligned;
    if (spec_.Streams()) aligned = RowsToAlign(block_rows_);
    ForSteps(I64(0), count, 1, body, aligned);
  });
}

KernelEmitter::Carried KernelEmitter::For(llvm::Value* from, llvm::Value* to,
                                          int64_t step,
                                          llvm::ArrayRef<llvm::Value*> init,
                                          LoopBody body) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  auto* loop = llvm::BasicBlock::Create(context_, "loop", function_);
  auto* done = llvm::BasicBlock::Create(context_, "done", function_);
  b_.CreateCondBr(b_.CreateICmpSLT(from, to), loop, done);
  b_.SetInsertPoint(loop);
  llvm::PHINode* index = b_.CreatePHI(from->getType(), 2);
  index->addIncoming(from, before);
  Carried current;
  for (llvm::Value* value : init) {
    llvm::PHINode* phi = b_.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    current.push_back(phi);
  }
  const Carried next = body(index, current);
  llvm::Value* next_index = b_.CreateAdd(index, I64(step));
  llvm::BasicBlock* end = b_.GetInsertBlock();
  b_.CreateCondBr(b_.CreateICmpSLT(next_index, to), loop, done);
  index->addIncoming(next_index, end);
  for (size_t i = 0; i < init.size(); ++i)
    llvm::cast<llvm::PHINode>(current[i])->addIncoming(next[i], end);
  done->moveAfter(end);
  b_.SetInsertPoint(done);
  Carried result;
  for (size_t i = 0; i < init.size(); ++i) {
    llvm::PHINode* phi = b_.CreatePHI(init[i]->getType(), 2);
    phi->addIncoming(init[i], before);
    phi->addIncoming(next[i], end);
    result.push_back(phi);
  }
  return result;
}

void KernelEmitter::For(llvm::Value* from, llvm::Value* to, int64_t step,
                        llvm::function_ref<void(llvm::Value*)> body) {
  For(from, to, step, {},
      [&](llvm::Value* index, llvm::ArrayRef<llvm::Value*>) -> Carried {
        body(index);
        return {};
      });
}

Step KernelEmitter::MaskedStep(llvm::Value* index, llvm::Value* to) {
  Step step{width_, index};
  step.rem = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin,
                                      b_.CreateSub(to, index), I64(width_));
  // Lane numbers as wide as the elements, so that one comparison does it.
  llvm::Type* lane = b_.getIntNTy(std::min(64, 512 / width_));
  llvm::SmallVector<llvm::Constant*> lanes;
  for (int i = 0; i < width_; ++i)
    lanes.push_back(llvm::ConstantInt::get(lane, i));
  step.mask =
      b_.CreateICmpULT(llvm::ConstantVector::get(lanes),
                       Splat(b_, b_.CreateTrunc(step.rem, lane), width_));
  return step;
}

// Bytes of the row that one store of a full step writes.
int64_t KernelEmitter::VectorBytes(const Row& row) const {
  return std::min<int64_t>(target_.VectorBytes(), width_ * row.type.size);
}

llvm::SmallVector<Row> KernelEmitter::RowsToAlign(
    llvm::ArrayRef<Row> rows) const {
  llvm::SmallVector<Row> streamed, contiguous;
  for (const Row& row : rows.drop_front(spec_.inputs.size())) {
    if (row.streamed) streamed.push_back(row);
    if (row.inner == Inner::kContiguous) contiguous.push_back(row);
  }
  if (!streamed.empty() || contiguous.empty()) return streamed;
  return {contiguous.front()};
}

// The first index from which on the row's vectors are aligned. Vectors that
// cross cache lines take twice the time in cache.
llvm::Value* KernelEmitter::AlignedStart(const Row& row, llvm::Value* from) {
  llvm::Value* address =
      b_.CreatePtrToInt(ElementAddress(row, from), b_.getInt64Ty());
  llvm::Value* gap =
      b_.CreateAnd(b_.CreateNeg(address), I64(VectorBytes(row) - 1));
  return b_.CreateAdd(from, b_.CreateLShr(gap, llvm::Log2_64(row.type.size)));
}

// The first index from which on all vectors of all these rows are aligned;
// `to`, so that there are no full steps, if there is none.
llvm::Value* KernelEmitter::StreamStart(llvm::ArrayRef<Row> rows,
                                        llvm::Value* from, llvm::Value* to) {
  // The smallest elements allow the fewest starts.
  const Row& smallest = *std::min_element(
      rows.begin(), rows.end(),
      [](const Row& a, const Row& b) { return a.type.size < b.type.size; });
  llvm::Value* start = b_.CreateBinaryIntrinsic(
      llvm::Intrinsic::smin, AlignedStart(smallest, from), to);
  llvm::Value* askew = I64(0);
  for (const Row& row : rows) {
    llvm::Value* address =
        b_.CreatePtrToInt(ElementAddress(row, start), b_.getInt64Ty());
    askew =
        b_.CreateOr(askew, b_.CreateAnd(address, I64(VectorBytes(row) - 1)));
  }
  return b_.CreateSelect(b_.CreateICmpEQ(askew, I64(0)), start, to);
}

void KernelEmitter::ForSteps(llvm::Value* from, llvm::Value* to, int unroll,
                             llvm::function_ref<void(const Step&)> body,
                             llvm::ArrayRef<Row> aligned) {
  const int64_t stride = int64_t{width_} * unroll;
  const bool streams = !aligned.empty() && aligned.front().streamed;
  auto full_steps = [&](llvm::Value* start) {
    llvm::Value* n = b_.CreateSub(to, start);
    llvm::Value* end = b_.CreateAdd(start, b_.CreateAnd(n, I64(-stride)));
    For(start, end, stride, [&](llvm::Value* index) {
      for (int u = 0; u < unroll; ++u) {
        Step step{width_, b_.CreateAdd(index, I64(u * width_))};
        step.aligned = streams;
        body(step);
      }
    });
    return end;
  };
  auto single_steps = [&](llvm::Value* start, llvm::Value* end) {
    if (target_.HasMasks())
      For(start, end, width_,
          [&](llvm::Value* index) { body(MaskedStep(index, end)); });
    else
      For(start, end, 1, [&](llvm::Value* index) { body(Step{1, index}); });
  };
  if (aligned.empty() || (!streams && !target_.HasMasks())) {
    single_steps(full_steps(from), to);
    return;
  }
  llvm::Value* start;
  if (streams) {
    start = StreamStart(aligned, from, to);
  } else {
    llvm::Value* is_long =
        b_.CreateICmpSGE(b_.CreateSub(to, from), I64(kLongRow * stride));
    start = b_.CreateSelect(is_long, AlignedStart(aligned.front(), from), from);
  }
  // One loop of single steps, for the compile time's sake, serves for the start
  // of the row and for its end:  single -> full steps -> single -> done.
  llvm::BasicBlock* before = b_.GetInsertBlock();
  auto* single = llvm::BasicBlock::Create(context_, "single", function_);
  auto* full = llvm::BasicBlock::Create(context_, "full", function_);
  auto* done = llvm::BasicBlock::Create(context_, "row_done", function_);
  b_.CreateBr(single);
  b_.SetInsertPoint(single);
  llvm::PHINode* lo = b_.CreatePHI(b_.getInt64Ty(), 2);
  llvm::PHINode* hi = b_.CreatePHI(b_.getInt64Ty(), 2);
  llvm::PHINode* at_end = b_.CreatePHI(b_.getInt1Ty(), 2);
  lo->addIncoming(from, before);
  hi->addIncoming(start, before);
  at_end->addIncoming(b_.getFalse(), before);
  single_steps(lo, hi);
  b_.CreateCondBr(at_end, done, full);
  full->moveAfter(b_.GetInsertBlock());
  b_.SetInsertPoint(full);
  llvm::Value* end = full_steps(start);
  lo->addIncoming(end, b_.GetInsertBlock());
  hi->addIncoming(to, b_.GetInsertBlock());
  at_end->addIncoming(b_.getTrue(), b_.GetInsertBlock());
  done->moveAfter(b_.GetInsertBlock());
  b_.CreateBr(single);
  b_.SetInsertPoint(done);
}

}  // namespace fuseau::codegen

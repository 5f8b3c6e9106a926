// The body of a kernel: what is the same for a whole row is computed before it,
// and the rest is cut into stages at the calls of inner loops.

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "codegen/cpu/kernel_emitter.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

// Scratch rows together stay in the L1 or at least the L2 cache.
constexpr int64_t kMaxScratch = 32 * 1024;
// A leaf of a pairwise sum is one block.
constexpr int64_t kMinBlock = 128;

}  // namespace

void KernelEmitter::PlanStages(const std::vector<int>& outputs,
                               int64_t max_block) {
  outputs_ = outputs;
  stages_.clear();
  op_stage_.clear();
  kept_in_.clear();
  scratch_offset_.clear();
  PlanNeeded();
  PlanLevels();
  PlanScratch(max_block);
}

// Finds the ops that the outputs depend on and the values that are uniform.
void KernelEmitter::PlanNeeded() {
  needed_.clear();
  uniform_.clear();
  std::vector<mlir::Value> todo;
  for (int output : outputs_)
    todo.push_back(spec_.body->getTerminator()->getOperand(output));
  while (!todo.empty()) {
    mlir::Operation* op = todo.back().getDefiningOp();
    todo.pop_back();
    if (!op || !needed_.insert(op).second) continue;
    for (mlir::Value operand : op->getOperands()) todo.push_back(operand);
  }
  for (auto [i, argument] : llvm::enumerate(spec_.body->getArguments())) {
    if (i >= spec_.inputs.size() || spec_.inputs[i].inner == Inner::kBroadcast)
      uniform_.insert(argument);
  }
  for (mlir::Operation& op : spec_.body->without_terminator()) {
    if (IsNeeded(&op) && !mlir::isa<ir::CallOp>(op) &&
        llvm::all_of(op.getOperands(),
                     [&](mlir::Value v) { return IsUniform(v); }))
      uniform_.insert(op.getResult(0));
  }
}

llvm::SmallVector<int> KernelEmitter::ReadingStages(mlir::Value value) const {
  llvm::SmallVector<int> result;
  mlir::Operation* terminator = spec_.body->getTerminator();
  for (mlir::OpOperand& use : value.getUses()) {
    if (use.getOwner() == terminator) {
      const int output = static_cast<int>(use.getOperandNumber());
      if (llvm::is_contained(outputs_, output))
        result.push_back(static_cast<int>(stages_.size()) - 1);
    } else if (auto it = op_stage_.find(use.getOwner());
               it != op_stage_.end()) {
      result.push_back(it->second);
    }
  }
  return result;
}

// A call runs as early as its operands allow, any other op as late as its
// users allow: so fewer values wait in scratch rows.
void KernelEmitter::PlanLevels() {
  llvm::DenseMap<mlir::Value, int> level;
  int last = 0;
  for (mlir::Operation& op : spec_.body->without_terminator()) {
    if (!IsNeeded(&op) || IsUniform(op.getResult(0))) continue;
    int own = 0;
    for (mlir::Value operand : op.getOperands())
      own = std::max(own, level.lookup(operand));
    const bool call = mlir::isa<ir::CallOp>(op);
    if (call) op_stage_[&op] = own;
    level[op.getResult(0)] = call ? own + 1 : own;
    last = std::max(last, call ? own + 1 : own);
  }
  stages_.resize(last + 1);
  for (mlir::Operation& op : llvm::reverse(spec_.body->without_terminator())) {
    if (!IsNeeded(&op) || IsUniform(op.getResult(0))) continue;
    if (mlir::isa<ir::CallOp>(op)) continue;
    int stage = last;
    for (int reader : ReadingStages(op.getResult(0)))
      stage = std::min(stage, reader);
    op_stage_[&op] = stage;
  }
  for (mlir::Operation& op : spec_.body->without_terminator()) {
    auto it = op_stage_.find(&op);
    if (it == op_stage_.end()) continue;
    if (auto call = mlir::dyn_cast<ir::CallOp>(op))
      stages_[it->second].calls.push_back(call);
    else
      stages_[it->second].ops.push_back(&op);
  }
}

bool KernelEmitter::IsPassedInPlace(mlir::Value value) const {
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
  if (!argument || argument.getArgNumber() >= spec_.inputs.size()) return false;
  const OperandSpec& in = spec_.inputs[argument.getArgNumber()];
  return !in.iota && in.inner != Inner::kBroadcast;
}

void KernelEmitter::PlanScratch(int64_t max_block) {
  if (!HasCalls()) return;
  // Which values get a row, and when it is filled.
  auto keep = [&](mlir::Value value, int stage) {
    if (!kept_in_.try_emplace(value, stage).second) return;
    stages_[stage].kept.push_back(value);
  };
  const int count = static_cast<int>(stages_.size());
  size_t operands = 0;
  for (int s = 0; s < count; ++s) {
    for (mlir::Operation* op : stages_[s].ops) {
      for (int reader : ReadingStages(op->getResult(0)))
        if (reader > s) keep(op->getResult(0), s);
    }
    for (ir::CallOp call : stages_[s].calls) {
      for (mlir::Value operand : call.getOperands())
        if (!IsUniform(operand) && !IsPassedInPlace(operand)) keep(operand, s);
      kept_in_[call.getResult()] = s;
      operands = std::max<size_t>(operands, call.getOperands().size() + 1);
    }
  }
  // Rows by the bytes of one element: the block's length comes last.
  std::map<int, std::vector<int64_t>> free;
  std::vector<std::vector<mlir::Value>> ends(count);
  int64_t bytes = 0;
  for (int s = 0; s < count; ++s) {
    auto allocate = [&](mlir::Value value) {
      const int size = TypeInMemory(value.getType()).size;
      std::vector<int64_t>& rows = free[size];
      if (rows.empty()) {
        rows.push_back(bytes);
        bytes += size;
      }
      scratch_offset_[value] = rows.back();
      rows.pop_back();
      int end = s;
      for (int reader : ReadingStages(value)) end = std::max(end, reader);
      ends[end].push_back(value);
    };
    for (mlir::Value value : stages_[s].kept) allocate(value);
    for (ir::CallOp call : stages_[s].calls) allocate(call.getResult());
    for (mlir::Value value : ends[s])
      free[TypeInMemory(value.getType()).size].push_back(
          scratch_offset_[value]);
  }
  block_ = max_block;
  while (block_ > kMinBlock && block_ * bytes > kMaxScratch) block_ /= 2;
  scratch_ = StackMemory(block_ * bytes, 64);
  call_args_ = StackMemory(8 * operands, 8);
  call_steps_ = StackMemory(8 * operands, 8);
  call_count_ = StackMemory(8, 8);
}

llvm::Value* KernelEmitter::StackMemory(int64_t bytes, int align) {
  llvm::IRBuilder<> b(allocas_);
  auto* memory = b.CreateAlloca(llvm::ArrayType::get(b.getInt8Ty(), bytes));
  memory->setAlignment(llvm::Align(align));
  return memory;
}

Row KernelEmitter::ScratchRow(mlir::Value value) {
  Row row;
  row.type = TypeInMemory(value.getType());
  row.base = b_.CreateConstGEP1_64(b_.getInt8Ty(), scratch_,
                                   scratch_offset_.lookup(value) * block_);
  return row;
}

void KernelEmitter::EmitUniform() {
  uniform_scalar_.clear();
  uniform_splat_.clear();
  uniform_slot_.clear();
  auto add = [&](mlir::Value value, Val scalar) {
    uniform_scalar_[value] = scalar;
    Val splat{Splat(b_, scalar.re, width_)};
    if (scalar.im) splat.im = Splat(b_, scalar.im, width_);
    uniform_splat_[value] = splat;
  };
  const Step one{1, I64(0)};
  for (auto [i, argument] : llvm::enumerate(spec_.body->getArguments())) {
    const bool read =
        llvm::any_of(argument.getUsers(), [&](mlir::Operation* user) {
          return IsNeeded(user) || user == spec_.body->getTerminator();
        });
    if (!IsUniform(argument) || !read) continue;
    add(argument, i < spec_.inputs.size() ? Load(rows_[i], one)
                                          : scalars_.lookup(argument));
  }
  for (mlir::Operation& op : spec_.body->without_terminator()) {
    if (op.getNumResults() != 1 || !IsUniform(op.getResult(0))) continue;
    llvm::SmallVector<Val> operands;
    for (mlir::Value operand : op.getOperands())
      operands.push_back(uniform_scalar_.lookup(operand));
    add(op.getResult(0), EmitScalarOp(b_, 1, op, operands));
  }
  for (Stage& stage : stages_) {
    for (ir::CallOp call : stage.calls) {
      for (mlir::Value operand : call.getOperands()) {
        if (!IsUniform(operand) || uniform_slot_.contains(operand)) continue;
        llvm::Value* slot = StackMemory(16, 16);
        StoreElement(TypeInMemory(operand.getType()), slot,
                     uniform_scalar_.lookup(operand));
        uniform_slot_[operand] = slot;
      }
    }
  }
}

Val KernelEmitter::Read(mlir::Value value, const Step& step, Env& env) {
  if (IsUniform(value))
    return step.width == 1 ? uniform_scalar_.lookup(value)
                           : uniform_splat_.lookup(value);
  auto [it, is_new] = env.try_emplace(value);
  if (!is_new) return it->second;
  Val result;
  auto kept = kept_in_.find(value);
  if (kept != kept_in_.end() && kept->second < stage_) {
    result = Load(ScratchRow(value), step);
  } else {
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
    FUSEAU_CHECK(argument);
    result = Load(block_rows_[argument.getArgNumber()], step);
  }
  env[value] = result;
  return result;
}

void KernelEmitter::EmitStage(int stage, const Step& step, Env& env) {
  stage_ = stage;
  for (mlir::Operation* op : stages_[stage].ops) {
    llvm::SmallVector<Val> operands;
    for (mlir::Value operand : op->getOperands())
      operands.push_back(Read(operand, step, env));
    env[op->getResult(0)] = EmitScalarOp(b_, step.width, *op, operands);
  }
  for (mlir::Value value : stages_[stage].kept)
    Store(ScratchRow(value), step, Read(value, step, env));
}

void KernelEmitter::EmitEarlyStages(llvm::Value* offset, llvm::Value* n) {
  for (size_t i = 0; i < rows_.size(); ++i)
    block_rows_[i] = Advance(rows_[i], offset);
  for (size_t s = 0; s + 1 < stages_.size(); ++s) {
    if (!stages_[s].kept.empty()) {
      ForSteps(I64(0), n, 1, [&](const Step& step) {
        Env env;
        EmitStage(static_cast<int>(s), step, env);
      });
    }
    for (ir::CallOp call : stages_[s].calls) EmitCall(call, n);
  }
}

void KernelEmitter::EmitCall(ir::CallOp call, llvm::Value* n) {
  auto put = [&](size_t i, llvm::Value* address, llvm::Value* step) {
    b_.CreateStore(address,
                   b_.CreateConstGEP1_64(b_.getPtrTy(), call_args_, i));
    b_.CreateStore(step,
                   b_.CreateConstGEP1_64(b_.getInt64Ty(), call_steps_, i));
  };
  size_t i = 0;
  for (mlir::Value operand : call.getOperands()) {
    const int size = TypeInMemory(operand.getType()).size;
    if (IsUniform(operand)) {
      put(i, uniform_slot_.lookup(operand), I64(0));
    } else if (IsPassedInPlace(operand)) {
      auto argument = mlir::cast<mlir::BlockArgument>(operand);
      // With its stride: some of NumPy's loops give other bits for elements
      // that do not lie side by side.
      const Row& row = block_rows_[argument.getArgNumber()];
      put(i, row.base,
          row.stride != nullptr            ? row.stride
          : row.inner == Inner::kBackwards ? I64(-size)
                                           : I64(size));
    } else {
      put(i, ScratchRow(operand).base, I64(size));
    }
    ++i;
  }
  put(i, ScratchRow(call.getResult()).base,
      I64(TypeInMemory(call.getResult().getType()).size));
  b_.CreateStore(n, call_count_);
  llvm::Type* ptr = b_.getPtrTy();
  auto* loop_type = llvm::StructType::get(ptr, ptr);
  llvm::Constant* loop = module_.getOrInsertGlobal(
      absl::StrCat(kLoopPrefix, call.getLoop().str()), loop_type);
  llvm::Value* fn = b_.CreateLoad(ptr, loop);
  llvm::Value* data =
      b_.CreateLoad(ptr, b_.CreateStructGEP(loop_type, loop, 1));
  auto* type = llvm::FunctionType::get(b_.getVoidTy(), {ptr, ptr, ptr, ptr},
                                       /*isVarArg=*/false);
  llvm::CallInst* made =
      b_.CreateCall(type, fn, {call_args_, call_count_, call_steps_, data});
  made->addFnAttr(llvm::Attribute::NoUnwind);
}

// All old values are read before the first new one is written.
void KernelEmitter::StoreOutputs(const Step& step, Env& env) {
  const size_t inputs = spec_.inputs.size();
  llvm::SmallVector<Val> values;
  for (int output : outputs_)
    values.push_back(
        Read(spec_.body->getTerminator()->getOperand(output), step, env));
  if (spec_.reduction == Reduction::kOuter) {
    for (size_t i = 0; i < values.size(); ++i) {
      const int output = outputs_[i];
      const Val old = Load(block_rows_[inputs + output], step);
      values[i] = Combine(b_, spec_.combiners[output],
                          spec_.outputs[output].dtype, old, values[i]);
    }
  }
  for (size_t i = 0; i < values.size(); ++i)
    Store(block_rows_[inputs + outputs_[i]], step, values[i]);
}

}  // namespace fuseau::codegen

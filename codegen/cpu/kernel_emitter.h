// The emitter's state while it writes one kernel. Its methods are grouped by
// file: kernel_emitter.cc (the loop nest), row_groups.cc, memory.cc (loads and
// stores), stages.cc (the body, cut at calls), reductions.cc.
#pragma once

#include <vector>

#include "codegen/cpu/emitter.h"
#include "codegen/cpu/scalar_body.h"
#include "codegen/kernel_spec.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Module.h"

namespace fuseau::codegen {

// An element type in memory: bool is a byte, a complex number two parts.
struct MemType {
  llvm::Type* part = nullptr;  // i8 for bool
  bool complex = false;
  bool boolean = false;
  int size = 0;  // bytes of an element

  int PartSize() const { return complex ? size / 2 : size; }
};

// A run of elements along the inner dimension.
struct Row {
  MemType type;
  Inner inner = Inner::kContiguous;
  bool iota = false;
  bool streamed = false;  // full steps at aligned addresses pass the caches
  llvm::Value* base = nullptr;    // address of element 0; an iota's first value
  llvm::Value* stride = nullptr;  // bytes (an iota: step); null if class tells
  llvm::Value* lanes = nullptr;   // lane * stride, as a vector; or null
};

// `width` consecutive elements from `index` on, of which the first `rem` exist.
// In the lanes after those, each value repeats that of the last element: so
// they raise no floating-point exception of their own, and a store to a clamped
// address writes what belongs there.
struct Step {
  int width = 1;
  llvm::Value* index = nullptr;
  llvm::Value* rem = nullptr;   // null: all
  llvm::Value* mask = nullptr;  // of the elements that exist
  bool aligned = false;         // so are the vectors of all streamed rows
};

// Values of the body that are known in one step.
using Env = llvm::DenseMap<mlir::Value, Val>;

// A part of the body between calls. The values of an earlier stage that a later
// one needs lie in scratch rows.
struct Stage {
  std::vector<mlir::Operation*> ops;
  std::vector<mlir::Value> kept;  // written to their scratch rows
  std::vector<ir::CallOp> calls;  // after the loop over `ops`
};

class KernelEmitter {
 public:
  KernelEmitter(const KernelSpec& spec, const Target& target,
                llvm::Module& module);
  void Emit();

 private:
  using Carried = llvm::SmallVector<llvm::Value*, 8>;
  using LoopBody = llvm::function_ref<Carried(
      llvm::Value* index, llvm::ArrayRef<llvm::Value*> carried)>;

  // --- kernel_emitter.cc
  llvm::Value* I64(int64_t value) { return b_.getInt64(value); }
  llvm::Value* LoadSlot(int slot);
  void MakeFunction();
  void ReadScalars();
  void ReturnIfEmpty();
  // Loops over dimensions d .. rank - 2, then the row.
  void EmitDimension(int d, std::vector<llvm::Value*> bases);
  // The innermost dimension: n elements from the given addresses on.
  void EmitRow(std::vector<llvm::Value*> bases, llvm::Value* n);
  // The addresses after `index` steps along dimension d.
  std::vector<llvm::Value*> Moved(std::vector<llvm::Value*> bases, int d,
                                  llvm::Value* index);
  void MakeRows();
  void EmitBlocks(llvm::Value* n);
  // for (i = from; i < to; i += step), with values carried around.
  Carried For(llvm::Value* from, llvm::Value* to, int64_t step,
              llvm::ArrayRef<llvm::Value*> init, LoopBody body);
  void For(llvm::Value* from, llvm::Value* to, int64_t step,
           llvm::function_ref<void(llvm::Value* index)> body);
  // All elements of [from, to), in order, in steps of `width_` lanes and a
  // rest with a mask or one by one. Full steps start where the vectors of the
  // rows in `aligned` are aligned; if none is streamed, only with masks and in
  // a long row.
  void ForSteps(llvm::Value* from, llvm::Value* to, int unroll,
                llvm::function_ref<void(const Step&)> body,
                llvm::ArrayRef<Row> aligned = {});
  // The streamed outputs among the operands' rows, else the first output that
  // can be aligned: stores gain most from it.
  llvm::SmallVector<Row> RowsToAlign(llvm::ArrayRef<Row> rows) const;
  llvm::Value* AlignedStart(const Row& row, llvm::Value* from);
  llvm::Value* StreamStart(llvm::ArrayRef<Row> rows, llvm::Value* from,
                           llvm::Value* to);
  int64_t VectorBytes(const Row& row) const;
  Step MaskedStep(llvm::Value* index, llvm::Value* to);
  int NaturalWidth() const;

  // --- row_groups.cc
  // Dimensions rank - 2 and rank - 1 of a turned kernel, or of one with several
  // rows a turn.
  void EmitRowGroups(const std::vector<llvm::Value*>& bases);
  void EmitRowGroup(const std::vector<llvm::Value*>& bases, llvm::Value* n);

  // --- memory.cc
  MemType TypeInMemory(mlir::Type type);
  MemType TypeInMemory(DType dtype);
  Row MakeRow(const OperandSpec& operand, int place, llvm::Value* base);
  // The row from element `offset` on.
  Row Advance(const Row& row, llvm::Value* offset);
  Val Load(const Row& row, const Step& step);
  void Store(const Row& row, const Step& step, Val value);
  Val LoadElement(const MemType& type, llvm::Value* address);
  void StoreElement(const MemType& type, llvm::Value* address, Val value);
  llvm::Value* ElementAddress(const Row& row, llvm::Value* index);
  Val LoadIota(const Row& row, const Step& step);
  Val LoadDense(const Row& row, const Step& step);
  Val LoadStrided(const Row& row, const Step& step);
  void StoreDense(const Row& row, const Step& step, Val value);
  void StoreStrided(const Row& row, const Step& step, Val value);
  llvm::Value* DenseAddress(const Row& row, const Step& step);
  llvm::Value* LaneOffsets(const Row& row, const Step& step);
  llvm::Value* LastIndex(const Step& step);
  llvm::Value* Reverse(llvm::Value* vector);

  // --- stages.cc
  // Cuts what `outputs` (indices) need of the body into stages; blocks have at
  // most `max_block` elements.
  void PlanStages(const std::vector<int>& outputs, int64_t max_block);
  void PlanNeeded();
  void PlanLevels();
  void PlanScratch(int64_t max_block);
  bool IsNeeded(mlir::Operation* op) const { return needed_.contains(op); }
  // The stages in which the needed users of a value read it.
  llvm::SmallVector<int> ReadingStages(mlir::Value value) const;
  // A memory operand that a call may read where it lies.
  bool IsPassedInPlace(mlir::Value value) const;
  Row ScratchRow(mlir::Value value);
  llvm::Value* StackMemory(int64_t bytes, int align);
  bool IsUniform(mlir::Value value) const { return uniform_.contains(value); }
  bool HasCalls() const { return stages_.size() > 1; }
  // What is the same for the whole row, computed once before it.
  void EmitUniform();
  Val Read(mlir::Value value, const Step& step, Env& env);
  void EmitStage(int stage, const Step& step, Env& env);
  // The loops of the stages before the last, and their calls, over n elements
  // from `offset` on. Points `rows_` at them.
  void EmitEarlyStages(llvm::Value* offset, llvm::Value* n);
  void EmitCall(ir::CallOp call, llvm::Value* n);
  void StoreOutputs(const Step& step, Env& env);

  // --- reductions.cc
  struct Accumulator;
  using Accumulators = std::vector<Accumulator>;
  void EmitReduction(llvm::Value* n);
  void ReduceRow(const std::vector<int>& outputs, llvm::Value* n);
  Carried InitialState(const Accumulators& accumulators);
  // Joins n elements from `offset` on to the state. `chains` independent
  // accumulators hide the latency of joins whose order is free.
  Carried AccumulateRange(const Accumulators& accumulators, Carried state,
                          llvm::Value* offset, llvm::Value* n, int chains);
  Carried AccumulateTree(const Accumulators& accumulators, llvm::Value* n);
  Val JoinLanes(Combiner combiner, DType dtype, Val value);
  Val EmptyResult(Combiner combiner, DType dtype);
  // `joined`: the value has what the output held already.
  void StoreResult(int output, Val value, bool joined);

  const KernelSpec& spec_;
  const Target& target_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> b_;
  llvm::Function* function_ = nullptr;
  llvm::BasicBlock* allocas_ = nullptr;  // first block, for stack memory
  llvm::Value* args_ = nullptr;
  int width_ = 1;

  llvm::DenseMap<mlir::Value, Val> scalars_;  // the kernel's scalar arguments
  std::vector<llvm::Value*> bases_;  // addresses of the row: inputs, outputs
  std::vector<Row> rows_;
  std::vector<Row> block_rows_;  // of the block at hand

  // Plan of the stages.
  std::vector<int> outputs_;   // that this pass over the row makes
  std::vector<Stage> stages_;  // the last one stores or accumulates
  llvm::DenseSet<mlir::Operation*> needed_;
  llvm::DenseSet<mlir::Value> uniform_;  // the same for all of a row
  llvm::DenseMap<mlir::Operation*, int> op_stage_;
  llvm::DenseMap<mlir::Value, int>
      kept_in_;  // stage that fills the scratch row
  llvm::DenseMap<mlir::Value, int64_t> scratch_offset_;
  int64_t block_ = 0;  // elements in a block
  int stage_ = 0;      // being emitted
  llvm::Value* scratch_ = nullptr;
  llvm::DenseMap<mlir::Value, Val> uniform_scalar_;
  llvm::DenseMap<mlir::Value, Val> uniform_splat_;
  llvm::DenseMap<mlir::Value, llvm::Value*> uniform_slot_;  // for calls
  llvm::Value* call_args_ = nullptr;
  llvm::Value* call_steps_ = nullptr;
  llvm::Value* call_count_ = nullptr;
};

}  // namespace fuseau::codegen

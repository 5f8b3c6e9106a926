// Separates kernels from the plan that launches them.

#include "ir/dialect.h"
#include "mlir/IR/OperationSupport.h"
#include "passes/nest.h"
#include "passes/passes.h"
#include "passes/stream.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_OUTLINEPASS
#include "passes/passes.h.inc"

namespace {

namespace exec = ir::exec;
using mlir::Operation;

// How a kernel walks an operand along its inner dimension.
int32_t InnerClass(const Access& access, int inner, int64_t item_size) {
  const int64_t stride = access.strides[inner];
  if (stride == 0) return 0;
  if (stride == item_size) return 1;
  if (stride == -item_size) return -1;
  return 2;
}

bool HasCalls(exec::RunOp run) {
  return !run.getBody().front().getOps<ir::CallOp>().empty();
}

// Whether vectors had better run along the last but one dimension: the last one
// would leave most lanes empty. Not where loops are called: the bits of some
// depend on how their operands lie.
bool IsTurned(exec::RunOp run, const Dims& space,
              const std::vector<bool>& reduced) {
  constexpr int64_t kShortRow = 4;
  constexpr int64_t kManyRows = 32;
  return space.size() >= 2 && !llvm::is_contained(reduced, true) &&
         run.getLagged().empty() && !HasCalls(run) &&
         space.back() <= kShortRow && space[space.size() - 2] >= kManyRows;
}

// How many rows a kernel should compute together. Rows of a sum over that
// dimension, so that the result's row is loaded and stored once for all; and
// rows that read an operand across, so that its cache lines are used up at
// once. Long bodies would spill registers, and bodies with calls work in blocks
// of a row.
int32_t RowsTogether(exec::RunOp run, const Dims& space,
                     const std::vector<bool>& reduced,
                     const std::vector<Access>& in, bool turned) {
  constexpr int64_t kMostRows = 8;
  constexpr int64_t kMostOps = 32;  // in all rows
  if (space.size() < 2 || reduced.back() || !run.getLagged().empty()) return 1;
  if (HasCalls(run)) return 1;
  mlir::Block& body = run.getBody().front();
  const size_t inner = space.size() - (turned ? 2 : 1);
  const size_t d = space.size() - (turned ? 1 : 2);
  const bool sums = llvm::is_contained(reduced, true);
  bool reads_across = turned;
  for (unsigned i = 0; i < in.size(); ++i) {
    if (run.getKinds()[i] != kMemory) continue;
    const int64_t item = ItemSizeOf(run.getInTypes()[i]);
    reads_across |= std::abs(in[i].strides[d]) == item &&
                    InnerClass(in[i], inner, item) == 2;
  }
  if (sums ? !reduced[d] : !reads_across) return 1;
  int64_t rows =
      std::min(kMostRows, kMostOps / int64_t(1 + body.getOperations().size()));
  // A short dimension is one group, if it can be.
  if (space[d] <= rows) return std::max<int32_t>(1, space[d]);
  return rows < 2 ? 1 : int32_t{1} << llvm::Log2_64(rows);
}

class Outliner {
 public:
  Outliner(mlir::ModuleOp module, Streaming streaming, bool for_gpu)
      : module_(module),
        b_(module.getLoc(), module.getContext()),
        streaming_(std::move(streaming)),
        for_gpu_(for_gpu) {}

  void Outline(exec::RunOp run) {
    Dims space(run.getSpace().begin(), run.getSpace().end());
    std::vector<bool> reduced(run.getReduced().begin(), run.getReduced().end());
    std::vector<Access> in = DecodeMaps(run.getInMaps());
    std::vector<Access> out = DecodeMaps(run.getOutMaps());
    const llvm::ArrayRef<int32_t> kinds = run.getKinds();
    if (space.empty()) GiveOneDimension(run, space, reduced, in, out);
    const bool turned = !for_gpu_ && IsTurned(run, space, reduced);
    const int along = static_cast<int>(space.size()) - (turned ? 2 : 1);

    // Memory and iota inputs first, then scalars.
    mlir::Block& body = run.getBody().front();
    const mlir::Location computed = WhatIsComputed(run);
    llvm::SmallVector<mlir::Attribute> in_types, maps;
    llvm::SmallVector<int32_t> inner, launch_kinds, scalars;
    llvm::SmallVector<unsigned> order;
    int32_t iotas = 0;
    for (unsigned i = 0; i < in.size(); ++i) {
      if (kinds[i] == kScalar) continue;
      const mlir::Attribute type = run.getInTypes()[i];
      const int64_t unit = kinds[i] == kIota ? 1 : ItemSizeOf(type);
      if (kinds[i] == kIota) iotas |= 1 << order.size();
      order.push_back(i);
      in_types.push_back(type);
      inner.push_back(InnerClass(in[i], along, unit));
      maps.push_back(EncodeMap(b_.getContext(), in[i]));
      launch_kinds.push_back(kinds[i]);
    }
    for (unsigned i = 0; i < in.size(); ++i) {
      if (kinds[i] != kScalar) continue;
      order.push_back(i);
      in_types.push_back(run.getInTypes()[i]);
      scalars.push_back(static_cast<int32_t>(in[i].offset));
    }
    for (unsigned i = 0; i < out.size(); ++i) {
      inner.push_back(
          InnerClass(out[i], along, ItemSizeOf(run.getOutTypes()[i])));
      maps.push_back(EncodeMap(b_.getContext(), out[i]));
    }
    const bool inner_reduced = reduced.back();
    const bool outer_reduced = std::find(reduced.begin(), reduced.end() - 1,
                                         true) != reduced.end() - 1;
    const char* reduction = inner_reduced
                                ? (outer_reduced ? "inner_accumulate" : "inner")
                                : (outer_reduced ? "outer" : "none");
    const char* split = !reduced[0]                               ? "rows"
                        : space.size() == 1 && !IsSequential(run) ? "tree"
                                                                  : "serial";

    const int32_t rows =
        for_gpu_ ? 1 : RowsTogether(run, space, reduced, in, turned);
    const uint32_t streamed =
        turned || for_gpu_
            ? 0
            : streaming_.Of(run, {space, reduced, in, out}, rows);

    int64_t joined = 0;
    if (for_gpu_)
      for (size_t d = 0; d < reduced.size(); ++d)
        if (reduced[d]) joined |= int64_t{1} << d;

    b_.setInsertionPointToStart(module_.getBody());
    auto kernel = exec::KernelOp::create(
        b_, "kernel", static_cast<uint32_t>(space.size()),
        static_cast<uint32_t>(iotas), static_cast<uint32_t>(scalars.size()),
        b_.getArrayAttr(in_types), run.getOutTypes(),
        b_.getDenseI32ArrayAttr(inner), b_.getStringAttr(reduction),
        run.getCombiners(), static_cast<uint32_t>(rows), turned, streamed,
        joined);
    mlir::Block* block = new mlir::Block;
    kernel.getBody().push_back(block);
    for (unsigned i : order)
      body.getArgument(i).replaceAllUsesWith(
          block->addArgument(body.getArgument(i).getType(), b_.getLoc()));
    block->getOperations().splice(block->end(), body.getOperations());
    kernel = Share(kernel);

    b_.setInsertionPoint(run);
    b_.setLoc(computed);
    exec::LaunchOp::create(b_, kernel.getSymName(), run.getInputs(),
                           run.getOutputs(), llvm::ArrayRef<int64_t>(space),
                           launch_kinds, b_.getArrayAttr(maps), scalars, split,
                           run.getLagged());
    b_.setLoc(module_.getLoc());
    run.erase();
  }

 private:
  // The places in the trace of all that the nest computes.
  static mlir::Location WhatIsComputed(exec::RunOp run) {
    if (mlir::isa<mlir::UnknownLoc>(run.getLoc())) return run.getLoc();
    llvm::SmallVector<mlir::Location> places{run.getLoc()};
    for (Operation& op : run.getBody().front()) places.push_back(op.getLoc());
    return mlir::FusedLoc::get(run.getContext(), places);
  }

  // A single element is a row of one.
  static void GiveOneDimension(exec::RunOp run, Dims& space,
                               std::vector<bool>& reduced,
                               std::vector<Access>& in,
                               std::vector<Access>& out) {
    space = {1};
    reduced = {false};
    for (size_t i = 0; i < in.size(); ++i)
      if (run.getKinds()[i] != kScalar)
        in[i].strides = {
            run.getKinds()[i] == kIota ? 1 : ItemSizeOf(run.getInTypes()[i])};
    for (size_t i = 0; i < out.size(); ++i)
      out[i].strides = {ItemSizeOf(run.getOutTypes()[i])};
  }

  // An equal kernel that exists already, or this one under a name of its own.
  exec::KernelOp Share(exec::KernelOp kernel) {
    const auto flags = mlir::OperationEquivalence::IgnoreLocations;
    kernel.setSymName("kernel");
    for (exec::KernelOp other : kernels_) {
      const std::string name = other.getSymName().str();
      other.setSymName("kernel");
      const bool equal =
          mlir::OperationEquivalence::isEquivalentTo(kernel, other, flags);
      other.setSymName(name);
      if (!equal) continue;
      kernel.erase();
      return other;
    }
    kernel.setSymName("kernel_" + std::to_string(kernels_.size()));
    kernels_.push_back(kernel);
    return kernel;
  }

  mlir::ModuleOp module_;
  mlir::ImplicitLocOpBuilder b_;
  const Streaming streaming_;
  const bool for_gpu_;
  std::vector<exec::KernelOp> kernels_;
};

struct OutlinePass : impl::OutlinePassBase<OutlinePass> {
  using OutlinePassBase::OutlinePassBase;
  void runOnOperation() override {
    std::vector<exec::RunOp> runs;
    getOperation().walk([&](exec::RunOp run) { runs.push_back(run); });
    Outliner outliner(getOperation(), Streaming(runs, stream_bytes), for_gpu);
    for (exec::RunOp run : runs) outliner.Outline(run);
  }
};

}  // namespace
}  // namespace fuseau::passes

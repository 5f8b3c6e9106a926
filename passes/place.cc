// Gives every value a buffer, and decides which updates run in place.

#include <cstdlib>
#include <limits>
#include <optional>

#include "ir/dialect.h"
#include "passes/cost.h"
#include "passes/nest.h"
#include "passes/passes.h"
#include "passes/remarks.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_PLACEPASS
#include "passes/passes.h.inc"

namespace {

namespace exec = ir::exec;
using mlir::Operation;
using mlir::Type;
using mlir::Value;

// How rows of a write depend on rows that the same nest reads from the same
// buffer.
struct Hazard {
  bool exists = false;  // else no row that is read meets a row that is written
  int64_t behind = 0;   // reading row i touches written rows i - behind ...
  int64_t ahead = 0;    // ... to i + ahead
};

// Nothing when the read can't be ordered row by row against the write.
std::optional<Hazard> RowHazard(const Access& write, const Access& read,
                                const Dims& space, int64_t write_size,
                                int64_t read_size) {
  if (space.empty()) return std::nullopt;
  const int64_t step = write.strides[0];
  if (step <= 0 || read.strides[0] != step) return std::nullopt;
  const ByteRange w = RowExtent(write, space, write_size);
  const ByteRange r = RowExtent(read, space, read_size);
  if (w.hi - w.lo > step) return std::nullopt;  // rows of the write overlap
  // Row i + k of the write meets row i of the read:
  //   k * step + w.lo < r.hi  and  k * step + w.hi > r.lo
  const int64_t low = FloorDiv(r.lo - w.hi, step) + 1;
  const int64_t high = -FloorDiv(-(r.hi - w.lo), step) - 1;
  return Hazard{low <= high, std::max<int64_t>(0, -low),
                std::max<int64_t>(0, high)};
}

class Placer {
 public:
  Placer(mlir::func::FuncOp function, bool in_place, bool may_lag,
         int64_t swap_bytes)
      : function_(function),
        b_(function.getLoc(), function.getContext()),
        in_place_(in_place),
        may_lag_(may_lag),
        swap_bytes_(swap_bytes) {}

  void Run() {
    mlir::Block& block = function_.getBody().front();
    std::vector<Operation*> ops;
    for (Operation& op : block) {
      position_[&op] = static_cast<int>(ops.size());
      ops.push_back(&op);
    }
    for (Operation* op : ops) {
      b_.setInsertionPoint(op);
      b_.setLoc(op->getLoc());
      if (auto input = mlir::dyn_cast<ir::InputOp>(op)) {
        buffer_[input] =
            exec::InputOp::create(b_, BufferType(), input.getIndex(),
                                  ir::StorageBytes(input.getType()));
      } else if (auto fused = mlir::dyn_cast<ir::FusedOp>(op)) {
        Place(fused);
      } else if (auto routine = mlir::dyn_cast<ir::RoutineOp>(op)) {
        Place(routine);
      } else if (op->hasTrait<mlir::OpTrait::IsTerminator>()) {
        Return(op);
      }
    }
    for (Operation* op : llvm::reverse(ops)) op->erase();
    InsertFrees(block);
  }

 private:
  exec::BufferType BufferType() {
    return exec::BufferType::get(b_.getContext());
  }
  Value Allocate(int64_t bytes) {
    return exec::AllocOp::create(b_, BufferType(), bytes);
  }

  // Whether nothing needs the value after `op`, so that its buffer is free for
  // what `op` writes.
  bool DiesAt(Value v, Operation* op) {
    if (auto input = v.getDefiningOp<ir::InputOp>())
      if (!input.getDonated()) return false;
    for (Operation* user : v.getUsers())
      if (position_.lookup(user) > position_.lookup(op)) return false;
    return true;
  }

  exec::RunOp MakeRun(ir::FusedOp op, const Nest& nest,
                      llvm::ArrayRef<Value> outputs,
                      llvm::ArrayRef<int64_t> lagged) {
    llvm::SmallVector<Value> inputs;
    llvm::SmallVector<int32_t> kinds;
    llvm::SmallVector<mlir::Attribute> in_types, in_maps, out_types;
    for (auto [i, v] : llvm::enumerate(op.getInputs())) {
      Access access = nest.in[i];
      const int64_t size =
          ItemSize(ir::DTypeOf(op.getBody().getArgument(i).getType()));
      if (auto scalar = v.getDefiningOp<ir::ScalarOp>()) {
        kinds.push_back(kScalar);
        access = {static_cast<int64_t>(scalar.getIndex()), {}};
      } else if (auto iota = v.getDefiningOp<ir::IotaOp>()) {
        kinds.push_back(kIota);
        access.offset = access.offset / size + iota.getFirst();
        for (int64_t& s : access.strides) s /= size;
      } else {
        kinds.push_back(kMemory);
        inputs.push_back(buffer_.lookup(v));
      }
      in_types.push_back(
          mlir::TypeAttr::get(op.getBody().getArgument(i).getType()));
      in_maps.push_back(EncodeMap(b_.getContext(), access));
    }
    Operation* yield = op.getBody().front().getTerminator();
    for (auto [i, v] : llvm::enumerate(yield->getOperands())) {
      // Joining needs to know of signs, which scalars have not.
      const bool joins =
          mlir::cast<mlir::StringAttr>(op.getCombiners()[i]).getValue() !=
          "none";
      out_types.push_back(mlir::TypeAttr::get(
          joins ? mlir::getElementTypeOrSelf(op.getResult(i).getType())
                : v.getType()));
    }
    auto run = exec::RunOp::create(
        b_, inputs, outputs, llvm::ArrayRef<int64_t>(nest.space),
        b_.getDenseI32ArrayAttr(kinds), b_.getArrayAttr(in_types),
        b_.getArrayAttr(in_maps), b_.getArrayAttr(out_types), op.getOutMaps(),
        op.getCombiners(), op.getReducedAttr(),
        b_.getDenseI64ArrayAttr(lagged));
    run.getBody().takeBody(op.getBody());
    return run;
  }

  // The number of bytes of an element that result `i` writes.
  static int64_t WriteSize(ir::FusedOp op, int i) {
    Value v = op.getBody().front().getTerminator()->getOperand(i);
    return ItemSize(ir::DTypeOf(v.getType()));
  }

  // Tries to write result `i` into the buffer of its init. Fills `lagged` when
  // rows must lag.
  bool RunsInPlace(ir::FusedOp op, const Nest& nest, int i,
                   llvm::SmallVectorImpl<int64_t>& lagged) {
    Value old = op.getInits()[op.getInitOf()[i]];
    if (!in_place_ || !DiesAt(old, op)) return false;
    if (llvm::count(op.getInits(), old) != 1) return false;
    const Access& write = nest.out[i];
    const int64_t write_size = WriteSize(op, i);
    const ByteRange written =
        Extent(write.offset, nest.space, write.strides, write_size);
    Hazard worst;
    llvm::SmallVector<int64_t> readers;
    int64_t memory_operand = 0;
    for (auto [k, v] : llvm::enumerate(op.getInputs())) {
      if (mlir::isa<ir::ScalarOp, ir::IotaOp>(v.getDefiningOp())) continue;
      const int64_t operand = memory_operand++;
      if (v != old) continue;
      const Access& read = nest.in[k];
      const int64_t read_size =
          ItemSize(ir::DTypeOf(op.getBody().getArgument(k).getType()));
      if (read == write && read_size == write_size) continue;
      const ByteRange range =
          Extent(read.offset, nest.space, read.strides, read_size);
      if (!range.Intersects(written)) continue;
      auto hazard = RowHazard(write, read, nest.space, write_size, read_size);
      if (!hazard) return false;
      if (!hazard->exists) continue;
      worst.behind = std::max(worst.behind, hazard->behind);
      worst.ahead = std::max(worst.ahead, hazard->ahead);
      readers.push_back(operand);
    }
    if (readers.empty()) return true;
    if (!may_lag_) return false;
    // One lagged write a launch, and no more waiting rows than half of all.
    if (!lagged.empty() || worst.behind + worst.ahead > nest.space[0] / 2 ||
        Swaps(op, nest, i))
      return false;
    lagged.assign({i, worst.behind, worst.ahead});
    lagged.append(readers);
    return true;
  }

  // The parts of the old value of result `i` that a new buffer needs: all that
  // the nest does not write. Nothing if copying the whole is as good.
  static std::optional<std::vector<Runs>> KeptParts(ir::FusedOp op,
                                                    const Nest& nest, int i) {
    const int64_t bytes = ir::StorageBytes(op.getResult(i).getType());
    auto parts = Untouched(nest.out[i], nest.space, WriteSize(op, i), bytes);
    if (parts && CopyCost(*parts) >= bytes) return std::nullopt;
    return parts;
  }
  // In bytes of one long run.
  static int64_t CopyCost(llvm::ArrayRef<Runs> parts) {
    int64_t cost = 0;
    for (const Runs& part : parts)
      cost += Count(part.sizes) * (part.bytes + kRunBytes);
    return cost;
  }

  // Whether result `i`, which would lag in its own buffer, had better go to
  // another one: in a cache the results that wait cost more than the parts that
  // are only copied.
  bool Swaps(ir::FusedOp op, const Nest& nest, int i) {
    auto parts = KeptParts(op, nest, i);
    const int64_t written = Count(nest.space) * WriteSize(op, i);
    if (!parts || CopyCost(*parts) * kSwapGain > written) return false;
    llvm::MapVector<Value, int64_t> touched;
    for (auto [k, v] : llvm::enumerate(op.getInputs())) {
      if (mlir::isa<ir::ScalarOp, ir::IotaOp>(v.getDefiningOp())) continue;
      touched[v] = ir::StorageBytes(v.getType());
    }
    int64_t bytes = 0;
    for (Value v : op.getOuts()) bytes += ir::StorageBytes(v.getType());
    for (auto [v, n] : touched) bytes += n;
    return bytes <= swap_bytes_;
  }

  // A new buffer for result `i` with what is kept of the old value.
  Value CopyOfOld(ir::FusedOp op, const Nest& nest, int i) {
    Value old = op.getInits()[op.getInitOf()[i]];
    Value target = Allocate(ir::StorageBytes(op.getResult(i).getType()));
    if (old.getDefiningOp<ir::UnsetOp>()) return target;
    auto parts = KeptParts(op, nest, i);
    if (parts && parts->empty()) return target;
    mlir::ArrayAttr attr;
    if (parts) {
      llvm::SmallVector<mlir::Attribute> all;
      for (const Runs& part : *parts) {
        llvm::SmallVector<int64_t> numbers{part.offset, part.bytes};
        for (auto [size, stride] : llvm::zip(part.sizes, part.strides))
          numbers.append({size, stride});
        all.push_back(b_.getDenseI64ArrayAttr(numbers));
      }
      attr = b_.getArrayAttr(all);
    }
    Remark(op, "copied") << "its old value is needed later, or lives on";
    exec::CopyOp::create(b_, buffer_.lookup(old), target, attr);
    return target;
  }

  void Place(ir::FusedOp op) {
    const Nest nest = NestOf(op);
    const bool empty = Count(nest.space) == 0;
    llvm::SmallVector<Value> outputs;
    llvm::SmallVector<int64_t> lagged;
    for (auto [i, result] : llvm::enumerate(op.getOuts())) {
      const int64_t bytes = ir::StorageBytes(result.getType());
      const int32_t init = op.getInitOf()[i];
      Value target;
      if (init >= 0) {
        Value old = op.getInits()[init];
        const bool in_place = !old.getDefiningOp<ir::UnsetOp>() &&
                              (empty ? in_place_ && DiesAt(old, op)
                                     : RunsInPlace(op, nest, i, lagged));
        target = in_place ? buffer_.lookup(old) : CopyOfOld(op, nest, i);
      } else {
        target = Allocate(bytes);
        if (Accumulates(op, nest)) Fill(op, i, target);
      }
      buffer_[result] = target;
      outputs.push_back(target);
    }
    if (!empty) MakeRun(op, nest, outputs, lagged);
  }

  void Place(ir::RoutineOp op) {
    llvm::SmallVector<Value> inputs;
    for (Value v : op.getInputs()) inputs.push_back(buffer_.lookup(v));
    Value target = Allocate(ir::StorageBytes(op.getType()));
    buffer_[op.getResult()] = target;
    exec::RoutineOp::create(b_, op.getName(), inputs, target, op.getSpace(),
                            op.getInTypes(), op.getInMaps(),
                            mlir::getElementTypeOrSelf(op.getType()),
                            op.getReduced(), op.getAttribute());
  }

  // Whether a result is joined with what its buffer holds: unless only the
  // innermost dimension is reduced.
  static bool Accumulates(ir::FusedOp op, const Nest& nest) {
    for (size_t d = 0; d + 1 < nest.reduced.size(); ++d)
      if (nest.reduced[d]) return true;
    return false;
  }

  // What NumPy starts from: the value that changes nothing when joined, but for
  // sums +0.0, so that a sum of -0.0 is 0.0.
  static bool IsSum(llvm::StringRef combiner) {
    return combiner == "sum" || combiner == "ordered_sum";
  }
  void Fill(ir::FusedOp op, int i, Value target) {
    Value v = op.getBody().front().getTerminator()->getOperand(i);
    Type type = v.getType();
    const llvm::StringRef name =
        mlir::cast<mlir::StringAttr>(op.getCombiners()[i]).getValue();
    Type part = type;
    if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
      part = complex.getElementType();
    mlir::TypedAttr value;
    if (mlir::isa<mlir::FloatType>(part)) {
      const double inf = std::numeric_limits<double>::infinity();
      const double v = IsSum(name)      ? 0.0
                       : name == "prod" ? 1.0
                       : name == "max"  ? -inf
                                        : inf;
      value = b_.getFloatAttr(part, v);
    } else {
      const unsigned bits = part.getIntOrFloatBitWidth();
      const bool is_unsigned =
          ir::DTypeOf(
              mlir::cast<mlir::RankedTensorType>(op.getResult(i).getType())
                  .getElementType()) != ir::DTypeOf(part);
      llvm::APInt v(bits, 0);
      if (name == "prod") v = 1;
      if (name == "all") v = llvm::APInt::getAllOnes(bits);
      if (name == "max")
        v = is_unsigned || bits == 1 ? llvm::APInt(bits, 0)
                                     : llvm::APInt::getSignedMinValue(bits);
      if (name == "min")
        v = is_unsigned || bits == 1 ? llvm::APInt::getAllOnes(bits)
                                     : llvm::APInt::getSignedMaxValue(bits);
      value = b_.getIntegerAttr(part, v);
    }
    auto fill = exec::FillOp::create(b_, target, value);
    // A complex one has the imaginary part 0.
    if (part != type) fill->setAttr("imaginary", b_.getFloatAttr(part, 0.0));
  }

  // Every result has a buffer of its own, which is not a buffer of the caller's
  // unless an update turned that into the result.
  void Return(Operation* op) {
    llvm::SmallVector<Value> buffers;
    for (Value v : op->getOperands()) {
      Value buffer = buffer_.lookup(v);
      const bool input = v.getDefiningOp<ir::InputOp>() != nullptr;
      if (input || llvm::is_contained(buffers, buffer)) {
        Value copy = Allocate(ir::StorageBytes(v.getType()));
        exec::CopyOp::create(b_, buffer, copy, mlir::ArrayAttr());
        buffer = copy;
      }
      buffers.push_back(buffer);
    }
    exec::ReturnOp::create(b_, buffers);
  }

  // After the last use of each buffer that is not a result.
  void InsertFrees(mlir::Block& block) {
    llvm::DenseSet<Value> alive;
    for (Value v : block.getTerminator()->getOperands()) alive.insert(v);
    for (Operation& op : llvm::make_early_inc_range(
             llvm::reverse(block.without_terminator()))) {
      auto free_after = [&](Value v) {
        if (!alive.insert(v).second) return;
        b_.setInsertionPointAfter(&op);
        exec::FreeOp::create(b_, v);
      };
      for (Value v : op.getOperands()) free_after(v);
      if (mlir::isa<exec::AllocOp, exec::InputOp>(op))
        free_after(op.getResult(0));
    }
  }

  mlir::func::FuncOp function_;
  mlir::ImplicitLocOpBuilder b_;
  const bool in_place_;
  const bool may_lag_;
  const int64_t swap_bytes_;
  llvm::DenseMap<Operation*, int> position_;
  llvm::DenseMap<Value, Value> buffer_;
};

struct PlacePass : impl::PlacePassBase<PlacePass> {
  using PlacePassBase::PlacePassBase;
  void runOnOperation() override {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      Placer(function, !always_copy, !never_lag, swap_bytes).Run();
      function.setFunctionType(mlir::FunctionType::get(&getContext(), {}, {}));
    }
  }
};

}  // namespace
}  // namespace fuseau::passes

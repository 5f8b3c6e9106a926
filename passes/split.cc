// Reads values that were put together from pieces piece by piece.
//
// Joined, padded and rolled arrays are chains of updates. Where only
// elementwise operations read the outcome, they are split along the edges of
// the pieces, and each part reads the sources: the chain is never made.

#include <algorithm>
#include <optional>

#include "ir/op_table.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "passes/passes.h"
#include "passes/pieces.h"
#include "passes/regions.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_SPLITPASS
#include "passes/passes.h.inc"

namespace {

using ir::Family;
using mlir::Operation;
using mlir::RankedTensorType;
using mlir::Type;
using mlir::Value;

// More parts, or operations in them, cost more to compile than they save.
constexpr int64_t kMaxCells = 27;
constexpr int64_t kMaxClones = 256;

bool IsElementwise(Operation* op) {
  auto code = ir::FindOp(op->getName().stripDialect().str());
  return code && ir::RowOf(*code).family == Family::kElementwise;
}

Type WithShape(Type type, const Dims& shape) {
  return RankedTensorType::get(llvm::ArrayRef<int64_t>(shape),
                               mlir::getElementTypeOrSelf(type));
}

// Elementwise operations of one shape that read each other's elements in place.
struct Component {
  llvm::SetVector<Operation*> ops;
  llvm::SetVector<Operation*> reads;  // views of chains
};

class Splitter {
 public:
  Splitter(mlir::func::FuncOp function, int64_t launch_bytes)
      : function_(function),
        launch_bytes_(launch_bytes),
        block_(function.getBody().front()),
        b_(function.getLoc(), function.getContext()) {}

  void Run() {
    FlattenChains();
    FindLevels();
    FindChains();
    while (!chains_.empty()) {
      FindComponents();
      if (DropUnsplit()) continue;
      for (Component& component : components_)
        if (Refresh(component)) Split(component);
      if (!components_.empty()) mlir::sortTopologically(&block_);
      break;
    }
    SetType();
  }

 private:
  // A value that is only read, by views, and whose last step is an update.
  static bool IsPutTogether(Value v) {
    return v.getDefiningOp<ir::UpdateOp>() && !v.use_empty() &&
           llvm::all_of(v.getUsers(), [](Operation* user) {
             return mlir::isa<ir::ViewOp>(user);
           });
  }

  // An update with a window of a chain becomes updates with its pieces.
  void FlattenChains() {
    for (Operation& op : llvm::make_early_inc_range(block_)) {
      auto update = mlir::dyn_cast<ir::UpdateOp>(op);
      if (!update) continue;
      auto view = update.getX().getDefiningOp<ir::ViewOp>();
      if (!view || !view->hasOneUse() || !IsPutTogether(view.getX())) continue;
      auto chain = PieceChain::Of(view.getX());
      if (!chain) continue;
      auto read = chain->ReadOf(view);
      if (!read) continue;
      Cuts cuts(ShapeOf(view));
      chain->AddCuts(*read, cuts);
      if (cuts.Cells() > kMaxCells) continue;
      b_.setInsertionPoint(update);
      Value old = update.getOld();
      for (const Cell& cell : cuts.All()) {
        int64_t offset = update.getOffset();
        for (size_t d = 0; d < cell.shape.size(); ++d)
          offset += cell.low[d] * update.getStrides()[d];
        old = ir::UpdateOp::create(b_, old.getType(), old,
                                   chain->Read(b_, *read, cell), offset,
                                   update.getStrides());
      }
      update.replaceAllUsesWith(old);
      update.erase();
      view.erase();
    }
  }

  // Between operations of one level there are no paths but those through
  // elementwise operations.
  void FindLevels() {
    for (Operation& op : block_) {
      int level = 0;
      for (Value v : op.getOperands())
        level = std::max(level, level_.lookup(v.getDefiningOp()));
      const bool source =
          mlir::isa<ir::InputOp, ir::ScalarOp, ir::IotaOp>(op) ||
          (mlir::isa<ir::ViewOp>(op) &&
           mlir::isa<ir::InputOp, ir::ScalarOp, ir::IotaOp>(
               op.getOperand(0).getDefiningOp()));
      level_[&op] = source || IsElementwise(&op) ? level : level + 1;
    }
  }

  // Chains of which nothing is left if all that read them are split.
  void FindChains() {
    for (Operation& op : block_) {
      if (op.getNumResults() == 0) continue;
      Value v = op.getResult(0);
      if (!IsPutTogether(v)) continue;
      const bool splits = llvm::all_of(v.getUsers(), [](Operation* view) {
        return llvm::all_of(view->getUsers(), IsElementwise);
      });
      if (!splits) continue;
      if (auto chain = PieceChain::Of(v))
        chains_.insert({v, *std::move(chain)});
    }
  }

  void FindComponents() {
    components_.clear();
    llvm::DenseSet<Operation*> seen;
    for (auto& [value, chain] : chains_) {
      for (Operation* view : value.getUsers())
        for (Operation* op : view->getUsers())
          if (!seen.contains(op)) components_.push_back(Collect(op, seen));
    }
  }

  // All that is joined with `first`: who reads a chain, directly or not, and
  // what is computed for these alone.
  Component Collect(Operation* first, llvm::DenseSet<Operation*>& seen) {
    Component c;
    llvm::SmallVector<Operation*> todo{first};
    const int level = level_.lookup(first);
    while (!todo.empty()) {
      Operation* op = todo.pop_back_val();
      if (!seen.insert(op).second) continue;
      c.ops.insert(op);
      for (Operation* user : op->getUsers())
        if (IsElementwise(user) && level_.lookup(user) == level)
          todo.push_back(user);
      for (Value v : op->getOperands()) {
        Operation* from = v.getDefiningOp();
        if (mlir::isa<ir::ViewOp>(from)) {
          if (!chains_.contains(from->getOperand(0))) continue;
          c.reads.insert(from);
          for (Operation* user : from->getUsers()) todo.push_back(user);
        } else if (IsElementwise(from) && level_.lookup(from) == level) {
          todo.push_back(from);
        }
      }
    }
    AddProducers(c, seen);
    return c;
  }

  // What is computed for the component alone, whatever its level.
  static void AddProducers(Component& c, llvm::DenseSet<Operation*>& seen) {
    for (size_t i = 0; i < c.ops.size(); ++i) {
      for (Value v : c.ops[i]->getOperands()) {
        Operation* from = v.getDefiningOp();
        if (!IsElementwise(from) || seen.contains(from)) continue;
        const bool alone = llvm::all_of(from->getUsers(), [&](Operation* user) {
          return c.ops.contains(user);
        });
        if (!alone) continue;
        seen.insert(from);
        c.ops.insert(from);
      }
    }
  }

  // Gives up the chains of components that cannot be split; whether there were
  // any.
  bool DropUnsplit() {
    llvm::SetVector<Value> dropped;
    for (const Component& c : components_) {
      if (CutsOf(c)) continue;
      for (Operation* read : c.reads) dropped.insert(read->getOperand(0));
    }
    for (Value chain : dropped) chains_.erase(chain);
    return !dropped.empty();
  }

  // Where to cut a component, if it can be and that pays.
  std::optional<Cuts> CutsOf(const Component& c) {
    Cuts cuts(ShapeOf(c.ops.front()->getResult(0)));
    llvm::DenseSet<Value> chains;
    int64_t saved = 0, launches = 0;
    for (Operation* op : c.reads) {
      const PieceChain& chain = chains_.find(op->getOperand(0))->second;
      auto read = chain.ReadOf(mlir::cast<ir::ViewOp>(op));
      if (!read) return std::nullopt;
      chain.AddCuts(*read, cuts);
      if (!chains.insert(op->getOperand(0)).second) continue;
      saved += 2 * ir::StorageBytes(op->getOperand(0).getType());
      launches += chain.size();
    }
    // What is put together anew only to be read again.
    for (Operation* op : c.ops)
      if (IsTemporary(op, c))
        saved -= 2 * ir::StorageBytes(op->getResult(0).getType());
    const int64_t cells = cuts.Cells();
    if (cells > kMaxCells ||
        cells * static_cast<int64_t>(c.ops.size()) > kMaxClones)
      return std::nullopt;
    if ((cells - launches) * launch_bytes_ > saved) return std::nullopt;
    return cuts;
  }

  // Looks at the component's chains again: what they are made of may have been
  // split meanwhile. Whether the component can still be split.
  bool Refresh(const Component& c) {
    for (Operation* read : c.reads) {
      Value value = read->getOperand(0);
      auto chain = PieceChain::Of(value);
      if (!chain) return false;
      chains_.find(value)->second = *std::move(chain);
    }
    return CutsOf(c).has_value();
  }

  // Whether a result would be computed inside its readers if it were not split.
  static bool IsTemporary(Operation* op, const Component& c) {
    bool read = false;
    for (mlir::OpOperand& use : op->getUses()) {
      Operation* user = use.getOwner();
      if (c.ops.contains(user)) continue;
      if (user->hasTrait<mlir::OpTrait::IsTerminator>()) return false;
      if (mlir::isa<ir::UpdateOp>(user) && use.getOperandNumber() == 0)
        return false;
      read = true;
    }
    return read;
  }

  // One copy of the component for each part, which together make its results.
  void Split(const Component& c) {
    const Cuts cuts = *CutsOf(c);
    llvm::SmallVector<Operation*> ops(c.ops.begin(), c.ops.end());
    llvm::sort(
        ops, [](Operation* x, Operation* y) { return x->isBeforeInBlock(y); });
    b_.setInsertionPointAfter(ops.back());
    auto outside = [&](mlir::OpOperand& use) {
      return !c.ops.contains(use.getOwner());
    };
    llvm::MapVector<Operation*, Value> results;
    for (Operation* op : ops)
      if (llvm::any_of(op->getUses(), outside))
        results[op] = ir::UnsetOp::create(b_, op->getResult(0).getType());
    for (const Cell& cell : cuts.All()) {
      llvm::DenseMap<Value, Value> made;
      for (Operation* op : ops) Clone(op, c, cell, made);
      for (auto& [op, result] : results) {
        Value y = op->getResult(0);
        const Dims dense = DenseStrides(ShapeOf(y), ItemSize(ElementOf(y)));
        int64_t offset = 0;
        for (size_t d = 0; d < dense.size(); ++d)
          offset += cell.low[d] * dense[d];
        result = ir::UpdateOp::create(b_, y.getType(), result, made[y], offset,
                                      llvm::ArrayRef<int64_t>(dense));
      }
    }
    for (auto& [op, result] : results)
      op->getResult(0).replaceUsesWithIf(result, outside);
    for (Operation* op : llvm::reverse(ops)) op->erase();
  }

  void Clone(Operation* op, const Component& c, const Cell& cell,
             llvm::DenseMap<Value, Value>& made) {
    mlir::OperationState state(op->getLoc(), op->getName());
    for (Value v : op->getOperands()) {
      Value& element = made[v];
      if (!element) element = CellOf(v, c, cell);
      state.operands.push_back(element);
    }
    state.addAttributes(op->getAttrs());
    state.addTypes(WithShape(op->getResult(0).getType(), cell.shape));
    made[op->getResult(0)] = b_.create(state)->getResult(0);
  }

  // A part of a value that the component reads.
  Value CellOf(Value v, const Component& c, const Cell& cell) {
    if (auto view = v.getDefiningOp<ir::ViewOp>()) {
      if (c.reads.contains(view)) {
        const PieceChain& chain = chains_.find(view.getX())->second;
        return chain.Read(b_, *chain.ReadOf(view), cell);
      }
      return Window(view.getX(), WindowOf(view), v.getType(), cell);
    }
    return Window(v, DenseAccess(ShapeOf(v), ItemSize(ElementOf(v))),
                  v.getType(), cell);
  }

  Value Window(Value storage, Access access, Type type, const Cell& cell) {
    for (size_t d = 0; d < cell.low.size(); ++d)
      access.offset += cell.low[d] * access.strides[d];
    return ir::ViewOp::create(b_, WithShape(type, cell.shape), storage,
                              access.offset,
                              llvm::ArrayRef<int64_t>(access.strides));
  }

  void SetType() {
    function_.setFunctionType(mlir::FunctionType::get(
        b_.getContext(), {}, block_.getTerminator()->getOperandTypes()));
  }

  mlir::func::FuncOp function_;
  const int64_t launch_bytes_;
  mlir::Block& block_;
  mlir::ImplicitLocOpBuilder b_;
  llvm::DenseMap<Operation*, int> level_;
  llvm::MapVector<Value, PieceChain> chains_;
  std::vector<Component> components_;
};

struct SplitPass : impl::SplitPassBase<SplitPass> {
  using SplitPassBase::SplitPassBase;
  void runOnOperation() override {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      Splitter(function, launch_bytes).Run();
  }
};

}  // namespace
}  // namespace fuseau::passes

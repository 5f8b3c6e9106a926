// Decides which operations become loop nests and which are computed inside the
// nests that read them. Walks the function backwards: when an operation is
// reached, all places that read it are known.

#include "passes/cost.h"
#include "passes/passes.h"
#include "passes/regions.h"
#include "passes/remarks.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_FUSEPASS
#include "passes/passes.h.inc"

namespace {

using ir::Family;
using ir::OpCode;
using mlir::Operation;
using mlir::Value;

// Limits of one nest: more would spill registers and exceed what the compiler
// handles in milliseconds. A long loop makes nests as long as they may be, so
// the first is a fraction of the operations that are recorded together
// (FUSEAU_WINDOW): then its nests are alike and one kernel does for all.
constexpr int kMaxOps = 128;
constexpr int kMaxSources = 28;
// Places at which a cheap operation (passes/cost.h) is computed again.
constexpr int kMaxCopies = 4;
// Nests looked at as partners of a new result.
constexpr int kMaxCandidates = 32;

// One place where a value is read.
struct Use {
  int group;
  Access access;            // to the value's dense storage
  DType dtype;              // of the elements read
  bool as_storage = false;  // the old value of an update: must exist in memory

  bool operator==(const Use& o) const {
    return group == o.group && dtype == o.dtype && as_storage == o.as_storage &&
           access == o.access;
  }
};

class Fuser {
 public:
  Fuser(mlir::func::FuncOp function, bool one_by_one)
      : function_(function), one_by_one_(one_by_one) {}

  Grouping Run() {
    mlir::Block& block = function_.getBody().front();
    for (Operation& op : block) cone_[&op] = ConeFlops(&op);
    for (Value v : block.getTerminator()->getOperands())
      if (Operation* op = v.getDefiningOp()) results_.insert(op);
    for (Operation& op : llvm::reverse(block.without_terminator())) Visit(&op);
    return std::move(grouping_);
  }

 private:
  // The work of an element, with everything it is computed from.
  int ConeFlops(Operation* op) {
    if (op->hasTrait<mlir::OpTrait::IsTerminator>() ||
        mlir::isa<ir::UnsetOp>(op))
      return 0;
    const ir::OpRow& row = ir::RowOf(CodeOf(op));
    int flops = row.family == Family::kElementwise ? row.flops : 0;
    if (row.family == Family::kReduction || row.family == Family::kRoutine ||
        mlir::isa<ir::UpdateOp>(op))
      return 0;  // read from memory
    for (Value v : op->getOperands()) {
      flops += cone_[v.getDefiningOp()];
      if (calls_.contains(v.getDefiningOp())) calls_.insert(op);
    }
    if (row.family == Family::kElementwise && row.flops >= kCallFlops)
      calls_.insert(op);
    return std::min(flops, 1000);
  }

  void Visit(Operation* op) {
    std::vector<Use> uses;
    if (auto it = uses_.find(op); it != uses_.end())
      uses = std::move(it->second);
    const bool is_result = results_.contains(op);
    if (uses.empty() && !is_result) return;
    if (mlir::isa<ir::InputOp, ir::ScalarOp, ir::IotaOp, ir::UnsetOp>(op))
      return;
    const char* obstacle = is_result ? "asked for" : Obstacle(op, uses);
    if (obstacle == nullptr) {
      for (const Use& use : uses) Inline(op, use);
      return;
    }
    Remark(op, "stored") << obstacle;
    MakeRoot(op, uses);
  }

  // Why the operation is not computed where it is read; null if it can be.
  const char* Obstacle(Operation* op, llvm::ArrayRef<Use> uses) {
    const bool view = mlir::isa<ir::ViewOp>(op);
    const Family family = ir::RowOf(CodeOf(op)).family;
    const bool elementwise = family == Family::kElementwise;
    if (family == Family::kReduction) return "a reduction";
    if (family == Family::kRoutine) return "computed by a routine";
    if (!view && !elementwise) return "an update in memory";
    if (one_by_one_ && !view) return "fusion is disabled";
    if (elementwise && RepeatsTooMuch(op, uses))
      return "read at several places, and computed once for all";
    for (const Use& use : uses) {
      Group& group = grouping_.groups[use.group];
      if (use.as_storage) return "read as a whole from memory";
      // A view adds nothing to it.
      if (elementwise && (group.ops >= kMaxOps ||
                          static_cast<int>(group.sources.size()) > kMaxSources))
        return "its reader is full";
      if (elementwise && RepeatsWork(op, use.access, group.space))
        return "a broadcast would compute it again";
      auto read = ReadAs(use.access, use.dtype, ElementOf(op->getResult(0)));
      if (!read) return "its bytes are read as another type";
      if (view) {
        if (!Through(mlir::cast<ir::ViewOp>(op), read->access, group.space))
          return "the views together are not strided";
        continue;
      }
      // Each operand that is a view must be readable at this place.
      for (Value v : op->getOperands()) {
        auto window = v.getDefiningOp<ir::ViewOp>();
        if (window &&
            !Through(window, OperandAccess(*read, op, v), group.space))
          return "the views together are not strided";
      }
    }
    return nullptr;
  }

  // Whether what is read at several places had better be computed once. Places
  // that read but a rim of it, such as the edges of a padded array, hardly
  // count.
  bool RepeatsTooMuch(Operation* op, llvm::ArrayRef<Use> uses) {
    const bool cheap = cone_[op] <= kCheapFlops;
    if (uses.size() <= 1 || cone_[op] == 0) return false;
    if (cheap && uses.size() <= kMaxCopies) return false;
    if (uses.size() > kMaxCandidates) return true;
    const int64_t size = Count(ShapeOf(op->getResult(0)));
    int64_t points = 0;
    for (const Use& use : uses)
      points += Count(grouping_.groups[use.group].space);
    return points > size * (cheap ? kMaxCopies : 1) + size / kRimPart;
  }

  // Whether a nest over `space` that reads `op` through a broadcast had better
  // read it from memory than compute it again for each point. What is the same
  // along the innermost dimension is computed once for it, calls excepted.
  bool RepeatsWork(Operation* op, const Access& access, const Dims& space) {
    const int cone = cone_[op];
    int64_t repeats = 1, inner = 1;
    bool innermost = true;
    for (int d = static_cast<int>(space.size()) - 1; d >= 0; --d) {
      if (space[d] <= 1) continue;
      if (access.strides[d] == 0) {
        repeats *= space[d];
        if (innermost && !calls_.contains(op)) inner = space[d];
      }
      innermost = false;
    }
    if (repeats == 1 || cone <= kFreeFlops * inner) return false;
    return cone > kCheapFlops * inner ||
           cone * (Count(space) / inner) > kLaunchFlops;
  }

  // The access to an operand of the same shape as the operation.
  static Access OperandAccess(const ElementRead& read, Operation* op,
                              Value operand) {
    return Rescaled(read.access, ItemSize(ElementOf(op->getResult(0))),
                    ItemSize(ElementOf(operand)));
  }

  static std::optional<Access> Through(ir::ViewOp view, const Access& access,
                                       absl::Span<const int64_t> space) {
    return Compose(access, space, ShapeOf(view.getResult()),
                   ItemSize(ElementOf(view.getResult())), WindowOf(view));
  }

  void Inline(Operation* op, const Use& use) {
    Group& group = grouping_.groups[use.group];
    const ElementRead read =
        *ReadAs(use.access, use.dtype, ElementOf(op->getResult(0)));
    if (auto view = mlir::dyn_cast<ir::ViewOp>(op)) {
      AddUse(view.getX(), {use.group, *Through(view, read.access, group.space),
                           ElementOf(view.getResult())});
      return;
    }
    ++group.ops;
    group.sources.erase(op->getResult(0));
    for (Value v : op->getOperands())
      AddUse(v, {use.group, OperandAccess(read, op, v), ElementOf(v)});
  }

  void AddUse(Value v, Use use) {
    Group& group = grouping_.groups[use.group];
    Normalize(use.access, group.space);
    Operation* op = v.getDefiningOp();
    Value source = v;
    while (auto view = source.getDefiningOp<ir::ViewOp>()) source = view.getX();
    if (!source.getDefiningOp<ir::ScalarOp>()) group.sources.insert(source);
    std::vector<Use>& uses = uses_[op];
    if (!llvm::is_contained(uses, use)) uses.push_back(std::move(use));
  }

  // A routine is a group of its own, and what it reads is in memory.
  void MakeRoutine(Operation* op, llvm::ArrayRef<Use> uses) {
    const int g = static_cast<int>(grouping_.groups.size());
    Group& group = grouping_.groups.emplace_back();
    group.routine = true;
    group.space.assign(ShapeOf(op->getOperand(0)).begin(),
                       ShapeOf(op->getOperand(0)).end());
    group.roots.push_back(op);
    grouping_.group_of[op] = g;
    for (const Use& use : uses)
      grouping_.groups[use.group].reads_from.insert(g);
    for (Value v : op->getOperands()) {
      Access access = DenseAccess(group.space, ItemSize(ElementOf(v)));
      const DType dtype = ElementOf(v);
      if (auto view = v.getDefiningOp<ir::ViewOp>()) {
        access = WindowOf(view);
        v = view.getX();
      }
      AddUse(v, {g, access, dtype, /*as_storage=*/true});
    }
  }

  // A result of a nest: one that exists, or a new one.
  void MakeRoot(Operation* op, llvm::ArrayRef<Use> uses) {
    const Family family = ir::RowOf(CodeOf(op)).family;
    if (family == Family::kRoutine) return MakeRoutine(op, uses);
    const bool reduction = family == Family::kReduction;
    Value domain = op->getResult(0);
    if (reduction) domain = op->getOperand(0);
    if (auto update = mlir::dyn_cast<ir::UpdateOp>(op)) domain = update.getX();
    Dims space(ShapeOf(domain).begin(), ShapeOf(domain).end());
    llvm::SmallVector<bool> reduced;
    if (reduction) {
      auto flags = op->getAttrOfType<mlir::DenseBoolArrayAttr>("reduced");
      reduced.assign(flags.asArrayRef().begin(), flags.asArrayRef().end());
    }

    int g = FindGroup(op, uses, space, reduced);
    if (g < 0) {
      g = static_cast<int>(grouping_.groups.size());
      Group& group = grouping_.groups.emplace_back();
      group.space = space;
      group.reduced = reduced;
    }
    Group& group = grouping_.groups[g];
    group.roots.push_back(op);
    grouping_.group_of[op] = g;
    ++group.ops;
    for (const Use& use : uses)
      if (use.group != g) grouping_.groups[use.group].reads_from.insert(g);

    if (auto update = mlir::dyn_cast<ir::UpdateOp>(op)) {
      AddUse(update.getX(), {g, DenseAccess(space, ItemSize(ElementOf(domain))),
                             ElementOf(domain)});
      AddUse(update.getOld(),
             {g, {0, Dims(space.size(), 0)}, ElementOf(update.getOld()), true});
    } else if (auto view = mlir::dyn_cast<ir::ViewOp>(op)) {
      AddUse(view.getX(), {g, WindowOf(view), ElementOf(view.getResult())});
    } else {
      for (Value v : op->getOperands())
        AddUse(v,
               {g, DenseAccess(space, ItemSize(ElementOf(v))), ElementOf(v)});
    }
  }

  // A nest over the same space that may also compute `op`, or -1.
  int FindGroup(Operation* op, llvm::ArrayRef<Use> uses, const Dims& space,
                llvm::ArrayRef<bool> reduced) {
    if (one_by_one_) return -1;
    const int count = static_cast<int>(grouping_.groups.size());
    int sibling = -1;
    for (int g = count - 1; g >= std::max(0, count - kMaxCandidates); --g) {
      Group& group = grouping_.groups[g];
      if (group.routine || group.space != space ||
          llvm::ArrayRef<bool>(group.reduced) != reduced ||
          group.ops >= kMaxOps / 2 ||
          static_cast<int>(group.sources.size()) > kMaxSources / 2)
        continue;
      bool reads = false, legal = true;
      for (const Use& use : uses) {
        if (use.group != g) {
          legal &= !DependsOn(g, use.group);
          continue;
        }
        reads = true;
        legal &= IsPointwise(op, use, space);
      }
      if (!legal) continue;
      if (reads) return g;
      if (sibling < 0 && SharesSource(op, group)) sibling = g;
    }
    return sibling;
  }

  // Whether `op` is a reduction of another order than those of the nest. Sums
  // along rows are taken in the order of NumPy's tree, by which other
  // reductions have to wait for each other: both are as quick as the loads only
  // in nests of their own, which may pass through memory together (sweep).
  static bool HasOtherOrder(Operation* op, const Group& group) {
    if (group.reduced.empty() || !group.reduced.back()) return false;
    auto is_sum = [](Operation* root) {
      return ir::RowOf(CodeOf(root)).combiner == Combiner::kSum;
    };
    return llvm::any_of(group.roots, [&](Operation* root) {
      return is_sum(root) != is_sum(op);
    });
  }

  // Whether a nest that reads `op` reads just the element it computes.
  static bool IsPointwise(Operation* op, const Use& use, const Dims& space) {
    if (mlir::isa<ir::UpdateOp>(op) || use.as_storage) return false;
    if (ir::RowOf(CodeOf(op)).family != Family::kElementwise &&
        !mlir::isa<ir::ViewOp>(op))
      return false;
    const DType made = ElementOf(op->getResult(0));
    auto read = ReadAs(use.access, use.dtype, made);
    return read && read->access == DenseAccess(space, ItemSize(made));
  }

  // Whether both read a value from memory, or one that would have to go there.
  bool SharesSource(Operation* op, const Group& group) {
    const bool other_order = HasOtherOrder(op, group);
    for (Value v : op->getOperands()) {
      while (auto view = v.getDefiningOp<ir::ViewOp>()) v = view.getX();
      if (!group.sources.contains(v)) continue;
      if (!other_order || cone_[v.getDefiningOp()] > 0) return true;
    }
    return false;
  }

  // Whether group `g` reads, directly or not, what group `on` computes.
  bool DependsOn(int g, int on) {
    return Reaches(g, on, [&](int h) -> const auto& {
      return grouping_.groups[h].reads_from;
    });
  }

  mlir::func::FuncOp function_;
  const bool one_by_one_;
  Grouping grouping_;
  llvm::DenseMap<Operation*, int> cone_;
  llvm::DenseSet<Operation*> calls_;  // whose cones have calls
  llvm::DenseMap<Operation*, std::vector<Use>> uses_;
  llvm::DenseSet<Operation*> results_;
};

struct FusePass : impl::FusePassBase<FusePass> {
  using FusePassBase::FusePassBase;
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(
             getOperation().getOps<mlir::func::FuncOp>())) {
      Grouping grouping = Fuser(function, one_by_one).Run();
      EmitGroups(function, grouping);
    }
  }
};

}  // namespace
}  // namespace fuseau::passes

#include "passes/regions.h"

#include <map>
#include <queue>

#include "absl/container/flat_hash_map.h"
#include "passes/nest.h"
#include "passes/scalar_forms.h"

namespace fuseau::passes {

using ir::Family;
using ir::OpCode;
using mlir::Operation;
using mlir::RankedTensorType;
using mlir::Type;
using mlir::Value;

llvm::ArrayRef<int64_t> ShapeOf(Value v) {
  return mlir::cast<RankedTensorType>(v.getType()).getShape();
}
DType ElementOf(Value v) {
  return ir::DTypeOf(
      mlir::cast<RankedTensorType>(v.getType()).getElementType());
}
OpCode CodeOf(Operation* op) {
  auto code = ir::FindOp(op->getName().stripDialect().str());
  if (!code)
    llvm::report_fatal_error(llvm::Twine("not in the table of operations: ") +
                             op->getName().getStringRef());
  return *code;
}

std::optional<ElementRead> ReadAs(const Access& access, DType read,
                                  DType made) {
  const int64_t size = ItemSize(made);
  Part part = Part::kWhole;
  Access whole = access;
  if (read != made) {
    if (!IsComplex(made) || PartType(made) != read) return std::nullopt;
    const int64_t within = ((access.offset % size) + size) % size;
    if (within != 0 && within != ItemSize(read)) return std::nullopt;
    part = within == 0 ? Part::kReal : Part::kImaginary;
    whole.offset -= within;
  }
  if (whole.offset % size != 0) return std::nullopt;
  for (int64_t s : whole.strides)
    if (s % size != 0) return std::nullopt;
  return ElementRead{whole, part};
}

namespace {

// Builds one `fuseau.fused`.
class RegionBuilder {
 public:
  RegionBuilder(mlir::ImplicitLocOpBuilder& builder, const Grouping& grouping,
                int index, const llvm::DenseMap<Value, Value>& replaced)
      : b_(builder),
        grouping_(grouping),
        index_(index),
        group_(grouping.groups[index]),
        replaced_(replaced) {}

  ir::FusedOp Build() {
    mlir::Region region;
    body_ = new mlir::Block;
    region.push_back(body_);
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(body_);

    llvm::SmallVector<Value> yields, inits;
    llvm::SmallVector<int32_t> init_of;
    llvm::SmallVector<mlir::Attribute> out_maps, combiners;
    llvm::SmallVector<Type> types;
    // In the order of the program.
    for (Operation* root : llvm::reverse(group_.roots)) {
      Value element;
      Access out;
      int32_t init = -1;
      if (auto update = mlir::dyn_cast<ir::UpdateOp>(root)) {
        element = DenseElement(update.getX());
        out = WindowOf(update);
        init = static_cast<int32_t>(inits.size());
        inits.push_back(Materialised(update.getOld()));
      } else if (group_.IsReduction()) {
        element = DenseElement(root->getOperand(0));
        out = ReducedAccess(ItemSize(ElementOf(root->getResult(0))));
      } else {
        element = DenseElement(root->getResult(0));
        out =
            DenseAccess(group_.space, ItemSize(ElementOf(root->getResult(0))));
      }
      Normalize(out, group_.space);
      yields.push_back(element);
      init_of.push_back(init);
      out_maps.push_back(MapAttr(out));
      combiners.push_back(b_.getStringAttr(
          group_.IsReduction() ? root->getName().stripDialect() : "none"));
      types.push_back(root->getResult(0).getType());
    }
    ir::YieldOp::create(b_, yields);

    llvm::SmallVector<bool> reduced = group_.reduced;
    reduced.resize(group_.space.size(), false);
    b_.setInsertionPointAfter(anchor_);
    auto fused = ir::FusedOp::create(
        b_, types, inputs_, inits, llvm::ArrayRef<int64_t>(group_.space),
        b_.getArrayAttr(in_maps_), b_.getArrayAttr(out_maps),
        b_.getDenseI32ArrayAttr(init_of), b_.getArrayAttr(combiners),
        b_.getDenseBoolArrayAttr(reduced));
    fused.getBody().takeBody(region);
    return fused;
  }

  void set_anchor(Operation* op) { anchor_ = op; }

 private:
  struct Key {
    Value value;
    Access access;
    DType dtype;
    bool operator==(const Key& o) const {
      return value == o.value && dtype == o.dtype && access == o.access;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.value.getAsOpaquePointer(), k.dtype,
                        k.access);
    }
  };

  mlir::Attribute MapAttr(const Access& a) {
    llvm::SmallVector<int64_t> map{a.offset};
    map.append(a.strides.begin(), a.strides.end());
    return b_.getDenseI64ArrayAttr(map);
  }

  // The results of a reduction are dense over the dimensions that stay.
  Access ReducedAccess(int64_t item_size) {
    Access out{0, Dims(group_.space.size(), 0)};
    int64_t step = item_size;
    for (int d = static_cast<int>(group_.space.size()) - 1; d >= 0; --d) {
      if (group_.reduced[d]) continue;
      out.strides[d] = step;
      step *= group_.space[d];
    }
    return out;
  }

  // The value that stands for `v` now that other groups have been built.
  Value Materialised(Value v) const {
    auto it = replaced_.find(v);
    return it == replaced_.end() ? v : it->second;
  }

  Value DenseElement(Value v) {
    return Element(v, DenseAccess(group_.space, ItemSize(ElementOf(v))),
                   ElementOf(v));
  }

  // The scalar that `v` has at `access`, read as `dtype`.
  Value Element(Value v, Access access, DType dtype) {
    Normalize(access, group_.space);
    const Key key{v, access, dtype};
    if (auto it = memo_.find(key); it != memo_.end()) return it->second;
    Value element = Make(v, access, dtype);
    memo_.emplace(key, element);
    return element;
  }

  Value Make(Value v, const Access& access, DType dtype) {
    Operation* op = v.getDefiningOp();
    auto it = grouping_.group_of.find(op);
    const bool elsewhere =
        it != grouping_.group_of.end() && it->second != index_;
    if (elsewhere || mlir::isa<ir::InputOp>(op)) return Input(v, access, dtype);

    const DType made = ElementOf(v);
    if (mlir::isa<ir::ScalarOp, ir::IotaOp>(op) && dtype == made)
      return Input(v, access, dtype);
    const ElementRead read = *ReadAs(access, dtype, made);
    if (read.part != Part::kWhole) {
      Value z = Element(v, read.access, made);
      if (read.part == Part::kReal) return mlir::complex::ReOp::create(b_, z);
      return mlir::complex::ImOp::create(b_, z);
    }
    if (auto view = mlir::dyn_cast<ir::ViewOp>(op)) {
      auto source = Compose(read.access, group_.space, ShapeOf(v),
                            ItemSize(made), WindowOf(view));
      return Element(view.getX(), *source, made);
    }
    llvm::SmallVector<Value> operands;
    llvm::SmallVector<DType> types;
    for (Value o : op->getOperands()) {
      const Access a =
          Rescaled(read.access, ItemSize(made), ItemSize(ElementOf(o)));
      operands.push_back(Element(o, a, ElementOf(o)));
      types.push_back(ElementOf(o));
    }
    const mlir::Location outer = b_.getLoc();
    b_.setLoc(op->getLoc());
    Value element = ScalarForm(b_, CodeOf(op), operands, types, made);
    b_.setLoc(outer);
    if (!element) {
      op->emitError("has no scalar form for these element types");
      element = Input(v, access, dtype);  // keeps the body well formed
    }
    return element;
  }

  Value Input(Value v, const Access& access, DType dtype) {
    inputs_.push_back(Materialised(v));
    in_maps_.push_back(MapAttr(access));
    return body_->addArgument(ir::ScalarType(b_.getContext(), dtype),
                              b_.getLoc());
  }

  mlir::ImplicitLocOpBuilder& b_;
  const Grouping& grouping_;
  const int index_;
  const Group& group_;
  const llvm::DenseMap<Value, Value>& replaced_;
  Operation* anchor_ = nullptr;
  mlir::Block* body_ = nullptr;
  llvm::SmallVector<Value> inputs_;
  llvm::SmallVector<mlir::Attribute> in_maps_;
  absl::flat_hash_map<Key, Value> memo_;
};

// The `fuseau.routine` of an operation of that family.
ir::RoutineOp BuildRoutine(mlir::ImplicitLocOpBuilder& b, const Group& group,
                           const llvm::DenseMap<Value, Value>& replaced) {
  Operation* root = group.roots.front();
  llvm::SmallVector<Value> inputs;
  llvm::SmallVector<mlir::Attribute> types, maps;
  for (Value v : root->getOperands()) {
    Access access = DenseAccess(group.space, ItemSize(ElementOf(v)));
    types.push_back(mlir::TypeAttr::get(mlir::getElementTypeOrSelf(v)));
    if (auto view = v.getDefiningOp<ir::ViewOp>()) {
      access = WindowOf(view);
      v = view.getX();
    }
    Normalize(access, group.space);
    maps.push_back(EncodeMap(b.getContext(), access));
    auto it = replaced.find(v);
    inputs.push_back(it == replaced.end() ? v : it->second);
  }
  return ir::RoutineOp::create(
      b, root->getResult(0).getType(),
      b.getStringAttr(root->getName().stripDialect()), inputs,
      b.getDenseI64ArrayAttr(group.space), b.getArrayAttr(types),
      b.getArrayAttr(maps),
      root->getAttrOfType<mlir::DenseBoolArrayAttr>("reduced"),
      root->getAttrOfType<mlir::IntegerAttr>("attribute"));
}

// An order in which the groups can run. Where the data leaves a choice, readers
// of a value come before the update that replaces it, so that it can be done in
// place, and else the order is that of the program.
std::vector<int> Order(const Grouping& grouping,
                       const llvm::DenseMap<Operation*, int>& position) {
  const int count = static_cast<int>(grouping.groups.size());
  std::vector<absl::flat_hash_set<int>> before(count);  // must have run
  for (int g = 0; g < count; ++g) before[g] = grouping.groups[g].reads_from;

  auto runs_after = [&](int g, int on) {
    return Reaches(g, on, [&](int h) -> const auto& { return before[h]; });
  };
  for (int g = 0; g < count; ++g) {
    for (Operation* root : grouping.groups[g].roots) {
      auto update = mlir::dyn_cast<ir::UpdateOp>(root);
      if (!update) continue;
      for (int r = 0; r < count; ++r)
        if (r != g && grouping.groups[r].sources.contains(update.getOld()) &&
            !runs_after(r, g))
          before[g].insert(r);
    }
  }

  std::vector<int> first(count, INT_MAX), missing(count);
  std::vector<std::vector<int>> after(count);
  for (int g = 0; g < count; ++g) {
    for (Operation* root : grouping.groups[g].roots)
      first[g] = std::min(first[g], position.lookup(root));
    missing[g] = static_cast<int>(before[g].size());
    for (int h : before[g]) after[h].push_back(g);
  }
  using Entry = std::pair<int, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> ready;
  for (int g = 0; g < count; ++g)
    if (missing[g] == 0) ready.push({first[g], g});
  std::vector<int> order;
  while (!ready.empty()) {
    const int g = ready.top().second;
    ready.pop();
    order.push_back(g);
    for (int h : after[g])
      if (--missing[h] == 0) ready.push({first[h], h});
  }
  if (static_cast<int>(order.size()) != count)
    llvm::report_fatal_error("fuse: groups depend on each other in a circle");
  return order;
}

}  // namespace

void EmitGroups(mlir::func::FuncOp function, Grouping& grouping) {
  mlir::Block& block = function.getBody().front();
  llvm::DenseMap<Operation*, int> position;
  std::vector<Operation*> old;
  for (Operation& op : block.without_terminator()) {
    position[&op] = static_cast<int>(old.size());
    old.push_back(&op);
  }
  Operation* terminator = block.getTerminator();
  mlir::ImplicitLocOpBuilder builder(function.getLoc(), function.getContext());
  llvm::DenseMap<Value, Value> replaced;
  Operation* last = old.empty() ? nullptr : old.back();
  for (int g : Order(grouping, position)) {
    const Group& group = grouping.groups[g];
    builder.setLoc(group.roots.front()->getLoc());
    if (group.routine) {
      builder.setInsertionPointAfter(last);
      last = BuildRoutine(builder, group, replaced);
      replaced[group.roots.front()->getResult(0)] = last->getResult(0);
      continue;
    }
    RegionBuilder region(builder, grouping, g, replaced);
    region.set_anchor(last);
    ir::FusedOp fused = region.Build();
    last = fused;
    for (auto [i, root] : llvm::enumerate(llvm::reverse(group.roots)))
      replaced[root->getResult(0)] = fused.getResult(i);
  }
  for (mlir::OpOperand& o : terminator->getOpOperands())
    if (auto it = replaced.find(o.get()); it != replaced.end())
      o.set(it->second);
  for (Operation* op : llvm::reverse(old))
    if (op->use_empty()) op->erase();
}

}  // namespace fuseau::passes

#include "passes/partition/sums.h"

#include <algorithm>
#include <utility>

#include "passes/partition/slots.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// Part of a sum, and the slot that its result goes to.
struct Leaf {
  int64_t first = 0;
  int64_t count = 0;
  int owner = 0;
  int64_t slot = 0;
};

// NumPy's rule: runs of at most 128 numbers are one leaf, others are cut in the
// middle, at a multiple of 8. A complex element is two numbers.
class Tree {
 public:
  Tree(const TraceNode& node, const std::vector<RowRange>& rows)
      : numbers_(IsComplex(node.dtype) ? 2 : 1), rows_(rows) {
    // Of what is cut between two ranks, one rank sums all below this size: the
    // elements that it fetches for that are few against its own.
    constexpr int64_t kParts = 32;
    largest_ = node.shape[0] / (kParts * static_cast<int64_t>(rows.size()));
    Visit(0, node.shape[0]);
  }
  std::vector<Leaf>& leaves() { return leaves_; }

  // The left part of a run that is no leaf of NumPy's.
  int64_t Half(int64_t count) const {
    const int64_t half = count * numbers_ / 2;
    return (half - half % 8) / numbers_;
  }

 private:
  int OwnerOf(int64_t i) const {
    for (size_t r = 0; r < rows_.size(); ++r)
      if (rows_[r].first <= i && i < rows_[r].last) return static_cast<int>(r);
    return 0;
  }
  void Visit(int64_t first, int64_t count) {
    const int owner = OwnerOf(first);
    if (owner == OwnerOf(first + count - 1)) {
      leaves_.push_back({first, count, owner});
    } else if (count * numbers_ <= 128 || count <= largest_) {
      leaves_.push_back({first, count, OwnerOf(first + count / 2)});
    } else {
      const int64_t half = Half(count);
      Visit(first, half);
      Visit(first + half, count - half);
    }
  }

  const int64_t numbers_;
  const std::vector<RowRange>& rows_;
  int64_t largest_ = 0;
  std::vector<Leaf> leaves_;  // in the order of the elements
};

void EraseDimension(TraceNode& node, size_t d) {
  const auto at = static_cast<int64_t>(d);
  node.shape.erase(node.shape.begin() + at);
  node.reduced.erase(node.reduced.begin() + at);
  for (TraceOperand& o : node.operands) o.strides.erase(o.strides.begin() + at);
}

}  // namespace

void NormalizeSum(TraceNode& node) {
  const auto only_reduced = [&](size_t d) {
    return node.reduced[d] &&
           std::count(node.reduced.begin(), node.reduced.end(), true) == 1;
  };
  for (size_t d = node.shape.size() - 1; d-- > 0;) {
    if (node.shape[d] == 1 && !only_reduced(d)) EraseDimension(node, d);
  }
  const size_t last = node.shape.size() - 1;
  if (last == 0 || node.shape[last] != 1 || only_reduced(last)) return;
  // One element in each row: rows are added one after the other.
  if (node.op == OpCode::kSum) node.op = OpCode::kOrderedSum;
  EraseDimension(node, last);
}

TraceNode PlacePartials(const TraceNode& node, int dim,
                        const std::vector<RowRange>& rows, Writer& out) {
  std::vector<int> owners;
  for (size_t r = 0; r < rows.size(); ++r)
    if (rows[r].first < rows[r].last) owners.push_back(static_cast<int>(r));
  Slots slots(owners, ResultBytes(node), out);
  for (size_t i = 0; i < owners.size(); ++i) {
    const TraceNode part = RowsOf(node, dim, rows[owners[i]]);
    slots.Fill(static_cast<int64_t>(i), out.OnRank(part, owners[i]));
  }
  TraceNode join;
  join.op = node.op == OpCode::kBincount ? OpCode::kSum : node.op;
  join.dtype = node.dtype;
  join.watched = node.watched;
  join.shape = {static_cast<int64_t>(owners.size())};
  join.reduced = {true};
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (node.reduced[d]) continue;
    join.shape.push_back(node.shape[d]);
    join.reduced.push_back(false);
  }
  join.operands = {{slots.value(), node.dtype, 0,
                    DenseStrides(join.shape, ItemSize(node.dtype))}};
  return join;
}

int32_t PlaceTreeSum(const TraceNode& node, const std::vector<RowRange>& rows,
                     Writer& out) {
  Tree tree(node, rows);
  std::vector<Leaf*> by_owner;
  for (Leaf& leaf : tree.leaves()) by_owner.push_back(&leaf);
  std::sort(by_owner.begin(), by_owner.end(), [](const Leaf* a, const Leaf* b) {
    return a->owner != b->owner ? a->owner < b->owner : a->first < b->first;
  });
  std::vector<int> owners;
  for (const Leaf* leaf : by_owner) owners.push_back(leaf->owner);
  const int64_t item = ItemSize(node.dtype);
  Slots slots(owners, item, out);
  for (size_t i = 0; i < by_owner.size(); ++i) {
    Leaf& leaf = *by_owner[i];
    leaf.slot = static_cast<int64_t>(i);
    TraceNode part = node;
    part.shape[0] = leaf.count;
    part.operands[0].offset += leaf.first * node.operands[0].strides[0];
    slots.Fill(leaf.slot, out.OnRank(part, leaf.owner));
  }
  // Joins from the leaves up; every rank does.
  const Leaf* next = tree.leaves().data();
  const auto visit = [&](auto&& self, int64_t count) -> TraceOperand {
    if (next->count == count) {
      return {slots.value(), node.dtype, next++->slot * item, {}};
    }
    const int64_t half = tree.Half(count);
    TraceNode add;
    add.op = OpCode::kAdd;
    add.dtype = node.dtype;
    add.watched = node.watched;
    add.operands.push_back(self(self, half));
    add.operands.push_back(self(self, count - half));
    return {out.Everywhere(add), node.dtype, 0, {}};
  };
  const TraceOperand total = visit(visit, node.shape[0]);
  TraceNode copy;
  copy.op = OpCode::kCopy;
  copy.dtype = node.dtype;
  copy.operands = {total};
  return out.Everywhere(copy);
}

}  // namespace fuseau::passes::partition

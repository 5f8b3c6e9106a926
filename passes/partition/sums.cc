#include "passes/partition/sums.h"

#include <algorithm>
#include <utility>

#include "passes/partition/slots.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// Part of a sum that one rank adds up: a node of NumPy's tree.
struct Leaf {
  int64_t first = 0;
  int64_t count = 0;
  int owner = 0;
  bool shared = false;  // others have some of its elements
};

// The elements that each rank has, in the order of the elements.
class Owners {
 public:
  struct Part {
    RowRange rows;
    int rank = 0;
  };

  explicit Owners(const std::vector<RowRange>& rows) {
    for (size_t r = 0; r < rows.size(); ++r) {
      if (rows[r].first < rows[r].last)
        parts_.push_back({rows[r], static_cast<int>(r)});
    }
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return a.rows.first < b.rows.first;
    });
  }

  int RankOf(int64_t element) const { return At(element)->rank; }

  // Calls `f(rank, first, count)` for the parts of a run.
  template <typename F>
  void ForEach(int64_t first, int64_t count, F&& f) const {
    const int64_t end = first + count;
    for (auto part = At(first); first < end; ++part) {
      const int64_t last = std::min(end, part->rows.last);
      f(part->rank, first, last - first);
      first = last;
    }
  }

 private:
  std::vector<Part>::const_iterator At(int64_t element) const {
    return std::upper_bound(
               parts_.begin(), parts_.end(), element,
               [](int64_t e, const Part& p) { return e < p.rows.first; }) -
           1;
  }

  std::vector<Part> parts_;
};

// NumPy's rule: runs of at most 128 numbers are one leaf, others are cut in the
// middle, at a multiple of 8. A complex element is two numbers.
class Tree {
 public:
  Tree(const TraceNode& node, const Owners& owners, int ranks)
      : numbers_(IsComplex(node.dtype) ? 2 : 1), owners_(owners) {
    // Of what is cut between two ranks, one rank sums all below this size: the
    // elements that it fetches for that are few against its own, or a message
    // is no sooner there with fewer.
    constexpr int64_t kParts = 256;
    constexpr int64_t kLittle = 512;
    largest_ = std::max(kLittle, node.shape[0] / (kParts * ranks));
    Visit(0, node.shape[0]);
  }
  // In the order of the elements.
  const std::vector<Leaf>& leaves() const { return leaves_; }

 private:
  void Visit(int64_t first, int64_t count) {
    const int owner = owners_.RankOf(first);
    if (owner == owners_.RankOf(first + count - 1)) {
      leaves_.push_back({first, count, owner, false});
    } else if (count * numbers_ <= 128 || count <= largest_) {
      leaves_.push_back(
          {first, count, owners_.RankOf(first + count / 2), true});
    } else {
      int64_t half = count * numbers_ / 2;
      half = (half - half % 8) / numbers_;
      Visit(first, half);
      Visit(first + half, count - half);
    }
  }

  const int64_t numbers_;
  const Owners& owners_;
  int64_t largest_ = 0;
  std::vector<Leaf> leaves_;
};

// The leaves of a tree, as pieces of the ranks that sum them.
struct Cover {
  // Of operand 0, the elements themselves, and of operand 1, the shared ones.
  std::vector<std::vector<Piece>> sums;
  // What each rank has of the shared elements.
  std::vector<std::vector<Piece>> shared;
  int64_t shared_count = 0;
  std::vector<int64_t> sizes;  // of the leaves
};

Cover CoverOf(const Tree& tree, const Owners& owners, int ranks) {
  Cover cover;
  cover.sums.resize(ranks);
  cover.shared.resize(ranks);
  for (const Leaf& leaf : tree.leaves()) {
    cover.sizes.push_back(leaf.count);
    std::vector<Piece>& sums = cover.sums[leaf.owner];
    if (!leaf.shared) {
      sums.push_back({0, leaf.first, leaf.count});
      continue;
    }
    sums.push_back({1, cover.shared_count, leaf.count});
    owners.ForEach(leaf.first, leaf.count,
                   [&](int rank, int64_t first, int64_t count) {
                     cover.shared[rank].push_back({0, first, count});
                   });
    cover.shared_count += leaf.count;
  }
  return cover;
}

// A vector read from its last element on, as its memory has it: ranks own
// ascending addresses, and what they make follows these.
void Reverse(TraceOperand& operand, int64_t count) {
  operand.offset += (count - 1) * operand.strides[0];
  operand.strides[0] = -operand.strides[0];
}

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
  std::vector<std::vector<Piece>> pieces;
  int64_t parts = 0;
  for (const RowRange& range : rows) {
    std::vector<Piece>& piece = pieces.emplace_back();
    if (range.first == range.last) continue;
    piece.push_back({0, range.first, range.last - range.first});
    ++parts;
  }
  TraceNode join;
  join.op = node.op == OpCode::kBincount ? OpCode::kSum : node.op;
  join.dtype = node.dtype;
  join.watched = node.watched;
  join.shape = {parts};
  join.reduced = {true};
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (node.reduced[d]) continue;
    join.shape.push_back(node.shape[d]);
    join.reduced.push_back(false);
  }
  join.operands = {{out.Pieces(node, dim, std::move(pieces)), node.dtype, 0,
                    DenseStrides(join.shape, ItemSize(node.dtype))}};
  return join;
}

int32_t PlaceTreeSum(const TraceNode& node, const std::vector<RowRange>& rows,
                     Writer& out) {
  const int64_t n = node.shape[0], item = ItemSize(node.dtype);
  const Owners owners(rows);
  const Tree tree(node, owners, out.ranks());
  Cover cover = CoverOf(tree, owners, out.ranks());
  const bool reversed = node.operands[0].strides[0] < 0;
  if (reversed) {
    for (auto& pieces : cover.sums) std::reverse(pieces.begin(), pieces.end());
    for (auto& pieces : cover.shared) {
      std::reverse(pieces.begin(), pieces.end());
      for (Piece& piece : pieces) piece.first = n - piece.first - piece.count;
    }
  }
  TraceNode sums = node;
  if (cover.shared_count > 0) {
    TraceNode copy;
    copy.op = OpCode::kCopy;
    copy.dtype = node.dtype;
    copy.shape = {n};
    copy.operands = node.operands;
    if (reversed) Reverse(copy.operands[0], n);
    TraceOperand& shared = sums.operands.emplace_back();
    shared = {
        out.Pieces(copy, 0, std::move(cover.shared)), node.dtype, 0, {item}};
    if (reversed) Reverse(shared, cover.shared_count);
  }
  const auto leaves = static_cast<int64_t>(cover.sizes.size());
  TraceNode join;
  join.op = OpCode::kTreeSum;
  join.dtype = node.dtype;
  join.watched = node.watched;
  join.shape = {leaves};
  join.reduced = {true};
  join.operands = {
      {out.Pieces(sums, 0, std::move(cover.sums)), node.dtype, 0, {item}},
      {out.Table(std::move(cover.sizes)), DType::kInt64, 0, {8}}};
  if (reversed) Reverse(join.operands[0], leaves);
  return out.Everywhere(join);
}

}  // namespace fuseau::passes::partition

#include "passes/partition/sorts.h"

#include <algorithm>
#include <utility>

#include "passes/partition/places.h"
#include "passes/partition/slots.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// A sorted part of a line, on one rank.
struct Block {
  int64_t count = 0;
  int32_t value = -1;  // places, if there are any, then keys; or a copy of both
};

// A network that sorts elements sorts blocks of equal size, too, if to compare
// is to merge two blocks and to split the result in halves. A shorter last
// block is one that is filled up with elements larger than all: none of them
// ever leaves it, since the larger ones stay at the higher place, so they need
// not exist.
//
// A network does not keep the order of equal elements. Where these can be told
// apart (by their places, which are wanted, or by their bits: zeros of both
// signs) keys go with their places, and no two pairs are equal.
class LineSorter {
 public:
  // `line` has one dimension.
  LineSorter(const TraceNode& line, int64_t block, Writer& out)
      : line_(line),
        block_(block),
        dtype_(line.operands[0].dtype),
        placed_(line.op == OpCode::kStableArgsort || IsFloat(dtype_) ||
                IsComplex(dtype_)),
        out_(out) {}

  void Run() {
    const int64_t n = line_.shape[0];
    for (int64_t first = 0; first < n; first += block_)
      SortOwn(first, std::min(block_, n - first));
    for (const auto& [low, high] :
         SortingNetwork(static_cast<int>(blocks_.size())))
      MergeAndSplit(low, high);
  }

  // Block r is on rank r.
  int count() const { return static_cast<int>(blocks_.size()); }
  int64_t CountOf(int r) const { return blocks_[r].count; }
  TraceOperand ResultOf(int r) const {
    return line_.op == OpCode::kStableArgsort
               ? PlacesOf(blocks_[r].value)
               : KeysOf(blocks_[r].value, blocks_[r].count);
  }

 private:
  int64_t BytesOf(int64_t count) const {
    return count * (ItemSize(dtype_) + (placed_ ? kPlaceBytes : 0));
  }
  TraceOperand PlacesOf(int32_t value) const {
    return {value, DType::kInt64, 0, {kPlaceBytes}};
  }
  TraceOperand KeysOf(int32_t value, int64_t count) const {
    return {
        value, dtype_, placed_ ? count * kPlaceBytes : 0, {ItemSize(dtype_)}};
  }

  void SortOwn(int64_t first, int64_t count) {
    const int rank = this->count();
    TraceNode part = RowsOf(line_, 0, {first, first + count});
    Block& block = blocks_.emplace_back();
    block.count = count;
    if (!placed_) {
      block.value = out_.OnRank(part, rank);
      return;
    }
    part.op = OpCode::kStableArgsort;
    part.dtype = DType::kInt64;
    const int32_t order = out_.OnRank(part, rank);
    TraceOperand source = part.operands[0];
    source.strides.insert(source.strides.begin(), 0);
    const int32_t keys =
        out_.OnRank(GatherAt({count}, count, std::move(source), order), rank);
    const int32_t places = PlaceShifted(order, count, first, rank, out_);
    const int32_t room = out_.OnRank(Unset(BytesOf(count)), rank);
    const std::vector<int64_t> cuts = out_.at(room).cuts;
    block.value = out_.Update(Store(room, 0, PlacesOf(places), count), cuts);
    block.value =
        out_.Update(Store(block.value, KeysOf(-1, count).offset,
                          {keys, dtype_, 0, {ItemSize(dtype_)}}, count),
                    cuts);
  }

  // The smaller elements of two blocks go to the lower one.
  void MergeAndSplit(int low, int high) {
    Block& a = blocks_[low];
    Block& b = blocks_[high];
    const Block b_at_low{b.count, Copy(b, low)};
    const Block a_at_high{a.count, Copy(a, high)};
    const int32_t smaller = Merge(a, b_at_low, a.count, /*end=*/0, low);
    const int32_t larger = Merge(a_at_high, b, b.count, /*end=*/1, high);
    a.value = smaller;
    b.value = larger;
  }

  int32_t Copy(const Block& block, int rank) {
    TraceNode copy;
    copy.op = OpCode::kCopy;
    copy.dtype = DType::kUInt8;
    copy.shape = {BytesOf(block.count)};
    copy.operands = {{block.value, DType::kUInt8, 0, {1}}};
    return out_.OnRank(copy, rank);
  }

  int32_t Merge(const Block& a, const Block& b, int64_t count, int64_t end,
                int rank) {
    TraceNode merge;
    merge.op = OpCode::kMerge;
    merge.dtype = DType::kUInt8;
    merge.shape = {BytesOf(count), a.count, b.count};
    merge.reduced = {false, true, true};
    merge.attribute = end;
    const auto along = [&](TraceOperand o, size_t dim) {
      const int64_t step = o.strides[0];
      o.strides = {0, 0, 0};
      o.strides[dim] = step;
      merge.operands.push_back(std::move(o));
    };
    along(KeysOf(a.value, a.count), 1);
    along(KeysOf(b.value, b.count), 2);
    if (placed_) {
      along(PlacesOf(a.value), 1);
      along(PlacesOf(b.value), 2);
    }
    return out_.OnRank(merge, rank);
  }

  const TraceNode& line_;
  const int64_t block_;
  const DType dtype_;
  const bool placed_;
  Writer& out_;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<std::pair<int, int>> SortingNetwork(int count) {
  std::vector<std::pair<int, int>> pairs;
  int top = 1;
  while (2 * top < count) top *= 2;
  for (int p = top; p > 0; p /= 2) {
    // Sorted are elements that are 2 p apart; then those that are p apart.
    int q = top, rest = 0, distance = p;
    while (true) {
      for (int i = 0; i + distance < count; ++i)
        if ((i & p) == rest) pairs.push_back({i, i + distance});
      if (q == p) break;
      distance = q - p;
      q /= 2;
      rest = p;
    }
  }
  return pairs;
}

int32_t PlaceSort(const TraceNode& node, Writer& out) {
  const auto axis = static_cast<size_t>(node.attribute);
  const int64_t n = node.shape[axis], ranks = out.ranks();
  const int64_t block = (n + ranks - 1) / ranks;
  const int64_t item = ItemSize(node.dtype);
  Dims rest = node.shape, steps = node.operands[0].strides;
  rest.erase(rest.begin() + node.attribute);
  steps.erase(steps.begin() + node.attribute);
  const int64_t lines = Count(rest);
  std::vector<int64_t> cuts;
  for (int64_t r = 0; r <= ranks; ++r)
    cuts.push_back(std::min(n, r * block) * lines * item);
  int32_t result = out.Rows(Unset(cuts.back()), 0, cuts);
  for (int64_t l = 0; l < lines; ++l) {
    TraceNode line = node;
    line.shape = {n};
    line.reduced = {false};
    line.attribute = 0;
    TraceOperand& source = line.operands[0];
    source.offset = PlaceOf(l, rest, steps, source.offset);
    source.strides = {node.operands[0].strides[axis]};
    LineSorter sorter(line, block, out);
    sorter.Run();
    for (int r = 0; r < sorter.count(); ++r) {
      result =
          out.Update(Store(result, (r * block * lines + l) * item,
                           sorter.ResultOf(r), sorter.CountOf(r), lines * item),
                     cuts);
    }
  }
  return result;
}

}  // namespace fuseau::passes::partition

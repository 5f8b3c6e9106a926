#include "passes/partition/chains.h"

#include <utility>

#include "runtime/base/status.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// The lines that a rank joins: `carry`, if there is one, and its rows, each a
// number of lines of the kept elements.
class Lines {
 public:
  // `kept[d]`: dimension d is along a line.
  Lines(const TraceNode& node, absl::InlinedVector<bool, 4> kept, Writer& out)
      : node_(node), kept_(std::move(kept)), out_(out) {
    for (size_t d = 0; d < node.shape.size(); ++d)
      (kept_[d] ? width_ : height_) *= node.shape[d];
    height_ /= node.shape[0];
  }

  // Elements of a line.
  int64_t width() const { return width_; }
  int64_t line_bytes() const { return width_ * ItemSize(node_.dtype); }
  // Lines of the rows, and one of the carry.
  int64_t CountOf(const RowRange& rows, bool carry) const {
    return (rows.last - rows.first) * height_ + (carry ? 1 : 0);
  }

  // On one rank. `carry` has value -1 if there is none.
  int32_t Place(const RowRange& rows, const TraceOperand& carry, int rank) {
    const bool carries = carry.value >= 0;
    const int64_t bytes = CountOf(rows, carries) * line_bytes();
    int32_t room = out_.OnRank(Unset(bytes), rank);
    const std::vector<int64_t> cuts = out_.at(room).cuts;
    if (carries) room = out_.Update(Store(room, 0, carry, width_), cuts);
    TraceNode store;
    store.op = OpCode::kUpdate;
    store.dtype = node_.dtype;
    store.shape = node_.shape;
    store.shape[0] = rows.last - rows.first;
    store.write_offset = carries ? line_bytes() : 0;
    store.write_strides.assign(node_.shape.size(), 0);
    int64_t along = ItemSize(node_.dtype), across = line_bytes();
    for (size_t d = node_.shape.size(); d-- > 0;) {
      int64_t& step = kept_[d] ? along : across;
      store.write_strides[d] = step;
      step *= store.shape[d];
    }
    TraceOperand source = node_.operands[0];
    source.offset += rows.first * source.strides[0];
    store.operands = {{room, DType::kUInt8, 0, {}}, source};
    FUSEAU_CHECK(CollapseUpdate(store));
    return out_.Update(store, cuts);
  }

 private:
  const TraceNode& node_;
  const absl::InlinedVector<bool, 4> kept_;
  Writer& out_;
  int64_t width_ = 1;
  int64_t height_ = 1;  // lines of a row
};

// A chain of all ranks, one after the other.
int32_t PlaceLink(const TraceNode& node, const std::vector<RowRange>& rows,
                  Writer& out) {
  int32_t value = -1;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].first == rows[r].last) continue;
    TraceNode part = RowsOf(node, 0, rows[r]);
    if (value < 0) {
      if (node.op == OpCode::kSum) part.op = OpCode::kOrderedSum;
    } else {
      part.op =
          node.op == OpCode::kProd ? OpCode::kFoldProduct : OpCode::kFoldSum;
      TraceOperand& before = part.operands.emplace_back();
      before = {value, node.dtype, 0, Dims(node.shape.size(), 0)};
      int64_t step = ItemSize(node.dtype);
      for (size_t d = node.shape.size(); d-- > 0;) {
        if (node.reduced[d]) continue;
        before.strides[d] = step;
        step *= node.shape[d];
      }
    }
    value = out.OnRank(part, static_cast<int>(r));
  }
  return value;
}

}  // namespace

int32_t PlaceChain(const TraceNode& node, const std::vector<RowRange>& rows,
                   int64_t blocks, Writer& out) {
  const int64_t item = ItemSize(node.dtype);
  const int dim = CutDimension(node);  // of which blocks have some steps each
  const int64_t width = dim >= 0 ? node.shape[dim] : 1;
  const int64_t bytes = ResultBytes(node);
  int last = 0;
  for (size_t r = 0; r < rows.size(); ++r)
    if (rows[r].first < rows[r].last) last = static_cast<int>(r);
  int32_t result = blocks > 1 ? out.OnRank(Unset(bytes), last) : -1;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = width * b / blocks;
    TraceNode block = node;
    if (dim >= 0) {
      block.shape[dim] = width * (b + 1) / blocks - first;
      block.operands[0].offset += first * node.operands[0].strides[dim];
    }
    const int32_t joined = PlaceLink(block, rows, out);
    if (blocks == 1) return joined;
    const std::vector<int64_t> cuts = out.at(result).cuts;
    result = out.Update(
        Store(result, bytes / width * first, {joined, node.dtype, 0, {}},
              ResultBytes(block) / item),
        cuts);
  }
  return result;
}

int32_t PlaceRunningChain(const TraceNode& node,
                          const std::vector<RowRange>& rows, Writer& out) {
  absl::InlinedVector<bool, 4> kept(node.shape.size(), true);
  kept[0] = false;
  Lines lines(node, std::move(kept), out);
  const int64_t item = ItemSize(node.dtype);
  std::vector<int64_t> cuts = {0};
  for (const RowRange& range : rows)
    cuts.push_back(cuts.back() +
                   (range.last - range.first) * lines.line_bytes());
  int32_t result = out.Rows(Unset(cuts.back()), 0, cuts);
  TraceOperand carry{-1, node.dtype, 0, {}};
  for (size_t r = 0; r < rows.size(); ++r) {
    const int64_t own = rows[r].last - rows[r].first;
    if (own == 0) continue;
    const int rank = static_cast<int>(r);
    const int64_t carried = carry.value >= 0 ? 1 : 0;
    const int32_t value = lines.Place(rows[r], carry, rank);
    TraceNode part;
    part.op = node.op;
    part.dtype = node.dtype;
    part.watched = node.watched;
    part.shape = {own + carried, lines.width()};
    part.reduced = {false, false};
    part.operands = {{value, node.dtype, 0, {lines.line_bytes(), item}}};
    if (lines.width() == 1) {
      // As NumPy's loops see it: along the axis.
      part.shape.pop_back();
      part.reduced.pop_back();
      part.operands[0].strides.pop_back();
    }
    const int32_t running = out.OnRank(part, rank);
    const TraceOperand mine{
        running, node.dtype, carried * lines.line_bytes(), {}};
    result =
        out.Update(Store(result, cuts[r], mine, own * lines.width()), cuts);
    carry.value = running;
    carry.offset = (own + carried - 1) * lines.line_bytes();
  }
  return result;
}

}  // namespace fuseau::passes::partition

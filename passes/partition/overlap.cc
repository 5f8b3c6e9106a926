#include "passes/partition/overlap.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;

// By rank, in bytes of a value.
using Ranges = std::vector<ByteRange>;

int64_t FloorTo(int64_t n, int64_t step) {
  return n / step * step - (n % step < 0 ? step : 0);
}

// Bytes on either side of what a rank owns that it may compute again. They
// shrink from step to step, so on average the work is half of both sides. A
// step reads `reach` bytes beyond what it computes.
int64_t MostExtra(int64_t owned, int64_t share, int64_t reach) {
  // So little is computed sooner than a message comes.
  constexpr int64_t kCheap = int64_t{256} << 10;
  // More pays where the steps between exchanges go through memory together. The
  // rows of three of them, which are further apart than what they reach, have
  // to be in a usual shared cache (runtime/bands.h).
  constexpr int64_t kTogether = int64_t{768} << 10;
  const int64_t more = reach <= kTogether ? owned / 32 : 0;
  return std::min(owned / share, std::max(more, kCheap));
}

// Goes backwards and adds up what is needed of each value: by operations that
// compute more than is owned, too. Where that becomes too much there is an
// exchange, and what comes before it begins anew.
class Widener {
 public:
  Widener(Program* program, int64_t share)
      : program_(*program),
        share_(share),
        ranks_(program->ranks),
        needs_(program->nodes.size()),
        last_(program->nodes.size(), -1),
        exchanged_(program->nodes.size(), false),
        reach_(program->nodes.size(), 0) {}

  void Run() {
    FindReach();
    for (int32_t i = Count() - 1; i >= 0; --i) {
      Placed& placed = program_.nodes[i];
      if (IsWider(i, needs_[i])) Decide(i);
      for (size_t k = 0; k < placed.node.operands.size(); ++k)
        AddNeed(i, static_cast<int>(k));
    }
  }

 private:
  int32_t Count() const { return static_cast<int32_t>(program_.nodes.size()); }

  bool IsWider(int32_t value, const Ranges& ranges) const {
    const Placed& placed = program_.nodes[value];
    for (size_t r = 0; r < ranges.size(); ++r) {
      if (!Covers(placed.owned(static_cast<int>(r)), ranges[r])) return true;
    }
    return false;
  }
  static bool Covers(ByteRange range, ByteRange part) {
    return part.Empty() || (range.lo <= part.lo && part.hi <= range.hi);
  }

  void FindReach() {
    for (const Placed& placed : program_.nodes) {
      for (size_t k = 0; k < placed.node.operands.size(); ++k) {
        const int32_t value = placed.node.operands[k].value;
        if (!program_.nodes[value].cut()) continue;
        reach_[value] = std::max(
            reach_[value], Reach(value, NeedOf(placed, static_cast<int>(k))));
      }
    }
  }

  // How far the needs of a rank go beyond what it owns, at most.
  int64_t Reach(int32_t value, const Ranges& needs) const {
    int64_t reach = 0;
    for (int r = 0; r < ranks_; ++r) {
      const ByteRange owned = program_.nodes[value].owned(r);
      if (Covers(owned, needs[r])) continue;
      reach = std::max({reach, owned.lo - needs[r].lo, needs[r].hi - owned.hi});
    }
    return reach;
  }

  // What ranks own of an operand's value, and what they need for all that they
  // compute of the operation.
  Ranges NeedOf(const Placed& placed, int operand) const {
    const ir::TraceOperand& o = placed.node.operands[operand];
    const Placed& read = program_.nodes[o.value];
    const bool old = placed.node.op == OpCode::kUpdate && operand == 0;
    Ranges needs(ranks_);
    for (int r = 0; r < ranks_; ++r) {
      needs[r] = read.owned(r);
      if (old) {
        if (placed.cut()) needs[r] = Join(needs[r], placed.computed(r));
        continue;
      }
      // Where a rank owns nothing, it stays at that place.
      const ByteRange hull = HullRead(placed, r, operand);
      if (!hull.Empty()) needs[r] = Join(needs[r], hull);
    }
    return needs;
  }

  // Whether what ranks need of a value is little more than what they own.
  bool IsNear(int32_t value, const Ranges& needs) const {
    for (int r = 0; r < ranks_; ++r) {
      const ByteRange owned = program_.nodes[value].owned(r);
      if (Covers(owned, needs[r])) continue;
      const int64_t most =
          MostExtra(owned.hi - owned.lo, share_, reach_[value]);
      if (owned.lo - needs[r].lo > most || needs[r].hi - owned.hi > most)
        return false;
    }
    return true;
  }

  void AddNeed(int32_t index, int operand) {
    const Placed& placed = program_.nodes[index];
    const int32_t value = placed.node.operands[operand].value;
    if (!program_.nodes[value].cut()) return;
    const Ranges needs = NeedOf(placed, operand);
    if (!IsWider(value, needs)) return;
    if (!IsNear(value, needs)) {
      exchanged_[value] = true;
      return;
    }
    if (!placed.wider.empty()) last_[value] = std::max(last_[value], index);
    Merge(needs, needs_[value]);
  }

  static void Merge(const Ranges& more, Ranges& ranges) {
    if (ranges.empty()) ranges.resize(more.size());
    for (size_t r = 0; r < more.size(); ++r)
      ranges[r] = Join(ranges[r], more[r]);
  }

  // Computes what is needed of a value, or leaves it to an exchange.
  void Decide(int32_t index) {
    // Before an exchange of one value, what later steps need of others is
    // exchanged as well: two grids that take turns would else each bring the
    // other to its limit every other step.
    if (exchanged_[index] || last_[index] > frontier_) return;
    std::optional<Ranges> wider = Widened(index, needs_[index]);
    if (!wider) return;
    switch (Try(index)) {
      case Trial::kSaves:
        program_.nodes[index].wider = *std::move(wider);
        break;
      case Trial::kTooFar:
        frontier_ = index;
        break;
      case Trial::kSavesNothing:
        break;
    }
  }

  // The least that covers `needs` and is computed in one piece; none if the
  // operation is not computed elsewhere.
  std::optional<Ranges> Widened(int32_t index, Ranges needs) {
    const Placed& placed = program_.nodes[index];
    const TraceNode& node = placed.node;
    const ir::Family family = ir::RowOf(node.op).family;
    if (placed.work.kind == Work::kWrites) {
      for (int r = 0; r < ranks_; ++r)
        needs[r] = WholeRows(placed, placed.owned(r), needs[r]);
    } else if (placed.work.kind == Work::kRows && placed.work.dim == 0 &&
               family == ir::Family::kElementwise) {
      const int64_t row = placed.bytes / node.shape[0];
      for (ByteRange& range : needs)
        range = {FloorTo(range.lo, row), -FloorTo(-range.hi, row)};
    } else {
      return std::nullopt;
    }
    return WritesWholeElements(placed, needs) ? std::optional(needs)
                                              : std::nullopt;
  }

  // A range that begins or ends in a row that an update writes, beyond what the
  // rank owns, gets all of the row.
  static ByteRange WholeRows(const Placed& placed, ByteRange owned,
                             ByteRange range) {
    const TraceNode& node = placed.node;
    if (node.shape.empty()) return range;
    const int64_t step = node.write_strides[0];
    const absl::Span<const int64_t> shape = node.shape;
    const absl::Span<const int64_t> strides = node.write_strides;
    const ByteRange row = Extent(node.write_offset, shape.subspan(1),
                                 strides.subspan(1), ItemSize(node.dtype));
    // The row that begins at a place or is the last one to begin before it.
    const auto row_at = [&](int64_t place) -> ByteRange {
      const int64_t i =
          std::clamp<int64_t>((place - row.lo) / step, 0, node.shape[0] - 1);
      return {row.lo + i * step, row.hi + i * step};
    };
    const ByteRange first = row_at(range.lo), last = row_at(range.hi);
    if (range.lo < owned.lo && first.lo < range.lo && range.lo < first.hi)
      range.lo = first.lo;
    if (range.hi > owned.hi && last.lo < range.hi && range.hi < last.hi)
      range.hi = last.hi;
    return range;
  }

  bool WritesWholeElements(const Placed& placed, const Ranges& ranges) const {
    if (placed.work.kind != Work::kWrites) return true;
    Placed wider = placed;
    wider.wider = ranges;
    for (int r = 0; r < ranks_; ++r) {
      for (const Region& region : RegionsOf(wider, r)) {
        if (region.run_bytes != ItemSize(placed.node.dtype)) return false;
      }
    }
    return true;
  }

  enum class Trial {
    kSaves,         // another value's exchange grows, and this one's goes
    kSavesNothing,  // an exchange would only move
    kTooFar,        // other exchanges would grow beyond the limit
  };

  // What comes of computing a value where it is needed: its operands are
  // followed back to inputs and values that are exchanged anyway.
  Trial Try(int32_t index) {
    constexpr int kMostOperations = 128;
    bool saves = false;
    std::map<int32_t, Ranges, std::greater<>> todo;
    todo[index] = needs_[index];
    for (int n = 0; !todo.empty(); ++n) {
      const int32_t i = todo.begin()->first;
      std::optional<Ranges> wider = Widened(i, todo.begin()->second);
      todo.erase(todo.begin());
      if (!wider || n == kMostOperations) return Trial::kSavesNothing;
      Placed placed = program_.nodes[i];
      placed.wider = *std::move(wider);
      for (size_t k = 0; k < placed.node.operands.size(); ++k) {
        const int32_t value = placed.node.operands[k].value;
        const Placed& read = program_.nodes[value];
        if (!read.cut()) continue;
        const Ranges needs = NeedOf(placed, static_cast<int>(k));
        if (!IsWider(value, needs)) continue;
        if (!IsNear(value, needs)) return Trial::kTooFar;
        saves |= reach_[value] > 0;
        if (reach_[value] == 0 && read.node.op != OpCode::kInput)
          Merge(needs, todo[value]);
      }
    }
    return saves ? Trial::kSaves : Trial::kSavesNothing;
  }

  Program& program_;
  const int64_t share_;
  const int ranks_;
  // By value.
  std::vector<Ranges> needs_;    // empty: nothing but what is owned
  std::vector<int32_t> last_;    // reader that computes more than it owns
  std::vector<bool> exchanged_;  // some reader needs much more
  // Bytes that readers need around it, whatever is computed: where it is not 0
  // an exchange would be without wide halos.
  std::vector<int64_t> reach_;
  // The first value, in the order of the program, that is exchanged since the
  // limit was reached.
  int32_t frontier_ = std::numeric_limits<int32_t>::max();
};

}  // namespace

void WidenWork(Program* program, int64_t share) {
  if (program->ranks > 1) Widener(program, share).Run();
}

}  // namespace fuseau::passes::partition

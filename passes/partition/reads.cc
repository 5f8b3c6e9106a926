#include "passes/partition/reads.h"

#include <algorithm>

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceOperand;

int64_t Size(ByteRange range) {
  return std::max<int64_t>(0, range.hi - range.lo);
}

class Planner {
 public:
  Planner(const Program& program, const std::vector<int32_t>& outputs)
      : program_(program), outputs_(outputs) {
    plan_.reaches.resize(program.nodes.size());
    plan_.halos.resize(program.nodes.size());
  }

  ReadPlan Run() {
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
      const Placed& placed = program_.nodes[i];
      for (size_t k = 0; k < placed.node.operands.size(); ++k)
        plan_.reaches[i].push_back(Choose(placed, static_cast<int>(k)));
    }
    plan_.rooms = plan_.halos;
    MakeRoomInOutputs();
    for (size_t i = program_.nodes.size(); i-- > 0;) {
      const Placed& placed = program_.nodes[i];
      if (placed.work.kind != Work::kWrites) continue;
      Widen(plan_.rooms[i], plan_.rooms[placed.node.operands[0].value]);
    }
    return std::move(plan_);
  }

 private:
  static void Widen(const std::vector<ByteRange>& by,
                    std::vector<ByteRange>& ranges) {
    if (ranges.empty()) ranges.resize(by.size());
    for (size_t r = 0; r < by.size(); ++r) ranges[r] = Join(ranges[r], by[r]);
  }

  // A loop reads its results as it has read the values before. In a buffer with
  // room they need not be moved then.
  void MakeRoomInOutputs() {
    for (const int32_t output : outputs_) {
      const Placed& made = program_.nodes[output];
      if (!made.cut() || made.node.op == OpCode::kInput) continue;
      for (size_t i = 0; i < program_.nodes.size(); ++i) {
        if (plan_.halos[i].empty() || program_.nodes[i].cuts != made.cuts)
          continue;
        Widen(plan_.halos[i], plan_.rooms[output]);
      }
    }
  }

  Reach Choose(const Placed& placed, int operand) {
    const int32_t value = placed.node.operands[operand].value;
    const Placed& read = program_.nodes[value];
    if (!read.cut() || Count(placed.node.shape) == 0) return Reach::kOwn;
    if (placed.node.op == OpCode::kUpdate && operand == 0) {
      return placed.work.kind == Work::kWrites ? ChooseOld(placed, value)
                                               : Reach::kWhole;
    }
    if (OwnsAll(placed, operand, read)) return Reach::kOwn;
    // Of a value for its neighbours, a rank takes what is meant for it.
    if (placed.work.kind == Work::kPieces) return Reach::kPacked;
    const Wants wants = WantsOf(program_, placed, operand, Reach::kPacked);
    bool halo = true, whole = true;
    std::vector<ByteRange> needs(program_.ranks);
    for (int r = 0; r < program_.ranks; ++r) {
      const ByteRange owned = read.owned(r);
      needs[r] = read.computed(r);
      whole &= 4 * Bytes(wants[r]) >= 3 * read.bytes;
      if (Covers(needs[r], wants[r])) continue;
      for (const Box& box : wants[r]) needs[r] = Join(needs[r], box.hull());
      halo &= IsHalo(owned, needs[r], wants[r]);
    }
    if (halo) {
      Widen(needs, plan_.halos[value]);
      return Reach::kHalo;
    }
    return whole ? Reach::kWhole : Reach::kPacked;
  }

  // What an update does not replace stays, also around what a rank owns.
  Reach ChooseOld(const Placed& update, int32_t old) {
    const Placed& read = program_.nodes[old];
    bool has_all = true;
    std::vector<ByteRange> needs(program_.ranks);
    for (int r = 0; r < program_.ranks; ++r) {
      needs[r] = Join(read.computed(r), update.computed(r));
      has_all &= Covers(read.computed(r), update.computed(r));
    }
    if (has_all) return Reach::kOwn;
    Widen(needs, plan_.halos[old]);
    return Reach::kHalo;
  }

  // Whether every rank has what it reads. Most do, so this is quick.
  bool OwnsAll(const Placed& placed, int operand, const Placed& read) const {
    for (int r = 0; r < program_.ranks; ++r) {
      if (!Covers(read.computed(r), HullRead(placed, r, operand))) return false;
    }
    return true;
  }

  // Whether what lacks is little against what is there, and not much more than
  // what is read of it.
  static bool IsHalo(ByteRange owned, ByteRange needs,
                     const std::vector<Box>& wants) {
    const int64_t lacks = Size(needs) - Size(owned);
    if (2 * lacks > Size(owned)) return false;
    int64_t read = 0;
    for (const ByteRange gap :
         {ByteRange{needs.lo, owned.lo}, ByteRange{owned.hi, needs.hi}}) {
      for (const Box& box : wants)
        for (const Region& region : Clip(box, gap))
          read += region.run_bytes * Count(region.count);
    }
    return lacks <= 4 * read;
  }

  const Program& program_;
  const std::vector<int32_t>& outputs_;
  ReadPlan plan_;
};

}  // namespace

std::vector<Packing> AccessesOf(const Placed& placed, int operand, int rank) {
  const TraceOperand& o = placed.node.operands[operand];
  std::vector<Packing> accesses;
  for (const Region& region : RegionsRead(placed, rank, operand)) {
    accesses.push_back(
        Pack(OffsetOf(o, region), region.count, o.strides, ItemSize(o.dtype)));
  }
  return accesses;
}

Wants WantsOf(const Program& program, const Placed& placed, int operand,
              Reach reach) {
  Wants wants(program.ranks);
  for (int r = 0; r < program.ranks; ++r) {
    if (reach == Reach::kWhole) {
      const Placed& read = program.nodes[placed.node.operands[operand].value];
      wants[r] = {RangeBox({0, read.bytes})};
      continue;
    }
    for (Packing& access : AccessesOf(placed, operand, r))
      wants[r].push_back(std::move(access.box));
  }
  return wants;
}

ReadPlan PlanReads(const Program& program,
                   const std::vector<int32_t>& outputs) {
  return Planner(program, outputs).Run();
}

}  // namespace fuseau::passes::partition

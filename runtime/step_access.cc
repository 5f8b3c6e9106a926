#include "runtime/step_access.h"

#include <algorithm>
#include <utility>

#include "runtime/base/dims.h"

namespace fuseau::runtime {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }

class Reader {
 public:
  explicit Reader(const Plan& plan) : plan_(plan) {}

  std::vector<Access> Take() { return std::move(accesses_); }

  void Add(const Step& step) {
    switch (step.kind) {
      case Step::kAllocate:
      case Step::kFree:
      case Step::kFill:
        AddWhole(step.buffer, /*writes=*/true);
        break;
      case Step::kCopy:
        AddCopy(step);
        break;
      case Step::kLaunch:
        AddLaunch(plan_.launches[step.launch]);
        break;
      case Step::kRoutine:
      case Step::kStart: {
        const RoutineCall& call = plan_.routines[step.launch];
        for (size_t i = 0; i < call.operands.size(); ++i) {
          const bool writes = i + 1 == call.operands.size();
          // The second operand of an exchange only tells the order.
          if (step.kind == Step::kStart && i == 1) continue;
          AddOperand(call.operands[i], call.sizes, writes);
        }
        break;
      }
      case Step::kFinish: {
        const RoutineCall& call = plan_.routines[step.launch];
        AddOperand(call.output(), call.sizes, /*writes=*/true);
        break;
      }
      case Step::kMove: {
        const Move& move = plan_.moves[step.launch];
        Add(step.source, {move.from, move.from + move.bytes}, false);
        Add(step.buffer, {move.to, move.to + move.bytes}, true);
        break;
      }
      case Step::kBands:
        for (const BandMember& member : plan_.groups[step.group].members)
          AddLaunch(plan_.launches[member.launch]);
        break;
      case Step::kSweep:
        for (const int32_t launch : plan_.sweeps[step.launch].launches)
          AddLaunch(plan_.launches[launch]);
        break;
    }
  }

 private:
  void Add(int32_t buffer, ByteRange range, bool writes) {
    if (!range.Empty()) accesses_.push_back({buffer, range, writes});
  }
  void AddWhole(int32_t buffer, bool writes) {
    Add(buffer, {0, plan_.buffers[buffer].bytes}, writes);
  }
  void AddOperand(const PlanOperand& operand, const Dims& sizes, bool writes) {
    if (operand.buffer == kIotaBuffer) return;
    Add(operand.buffer,
        Extent(operand.offset, sizes, operand.strides, ItemSize(operand.dtype)),
        writes);
  }
  void AddLaunch(const Launch& launch) {
    for (size_t i = 0; i < launch.operands.size(); ++i) {
      AddOperand(launch.operands[i], launch.sizes,
                 static_cast<int32_t>(i) >= launch.input_count);
    }
  }
  void AddCopy(const Step& step) {
    if (step.launch < 0) {
      AddWhole(step.source, /*writes=*/false);
      AddWhole(step.buffer, /*writes=*/true);
      return;
    }
    for (const CopyPart& part : plan_.copies[step.launch]) {
      const ByteRange range =
          Extent(part.offset, part.sizes, part.strides, part.bytes);
      Add(step.source, range, /*writes=*/false);
      Add(step.buffer, range, /*writes=*/true);
    }
  }

  const Plan& plan_;
  std::vector<Access> accesses_;
};

// Parts whose ranges meet `range`. They follow each other, since all move the
// same way.
PartRange Meeting(int64_t count, const PartAccess& part, ByteRange range) {
  const ByteRange first = part.first.range;
  const int64_t step = part.step;
  if (step == 0)
    return first.Intersects(range) ? PartRange{0, count} : PartRange{};
  // first.hi + i * step > range.lo and first.lo + i * step < range.hi.
  int64_t begin, end;
  if (step > 0) {
    begin = FloorDiv(range.lo - first.hi, step) + 1;
    end = FloorDiv(range.hi - first.lo - 1, step) + 1;
  } else {
    begin = FloorDiv(first.lo - range.hi, -step) + 1;
    end = FloorDiv(first.hi - range.lo - 1, -step) + 1;
  }
  return {std::clamp<int64_t>(begin, 0, count),
          std::clamp<int64_t>(end, 0, count)};
}

}  // namespace

std::vector<Access> AccessesOf(const Plan& plan, const Step& step) {
  Reader reader(plan);
  reader.Add(step);
  return reader.Take();
}

bool Conflict(absl::Span<const Access> a, absl::Span<const Access> b) {
  return std::any_of(a.begin(), a.end(), [&](const Access& x) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Access& y) { return Conflict(x, y); });
  });
}

PartRange FreeParts(int64_t count, absl::Span<const PartAccess> parts,
                    absl::Span<const Access> others) {
  std::vector<PartRange> bound;
  for (const PartAccess& part : parts) {
    for (const Access& other : others) {
      if (part.first.buffer != other.buffer ||
          !(part.first.writes || other.writes)) {
        continue;
      }
      const PartRange meeting = Meeting(count, part, other.range);
      if (meeting.size() > 0) bound.push_back(meeting);
    }
  }
  std::sort(bound.begin(), bound.end(),
            [](PartRange a, PartRange b) { return a.begin < b.begin; });
  bound.push_back({count, count});
  PartRange best;
  int64_t free = 0;  // all before it is looked at
  for (const PartRange& range : bound) {
    if (range.begin - free > best.size()) best = {free, range.begin};
    free = std::max(free, range.end);
  }
  return best;
}

}  // namespace fuseau::runtime

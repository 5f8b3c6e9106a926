#include "runtime/overlap.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/settings.h"
#include "runtime/cpu/launch.h"
#include "runtime/routine.h"
#include "runtime/step_access.h"

namespace fuseau::runtime {
namespace {

// What waits for exchanges is compared with each later step.
constexpr size_t kMostWaiting = 64;
constexpr double kCopyBytesPerSecond = 10e9;
// To have one more at a time does no harm.
constexpr int64_t kSmallBuffer = int64_t{1} << 20;
// Saved rows begin where they did in a cache line.
constexpr int64_t kLine = 64;

Step MakeStep(Step::Kind kind, int32_t buffer, int32_t launch = -1) {
  Step step{};
  step.kind = kind;
  step.buffer = buffer;
  step.launch = launch;
  return step;
}

// Steps [start, start + size) of dimension d of a launch.
Launch PieceOf(const Launch& launch, int d, PartRange part) {
  Launch piece = launch;
  const double share =
      static_cast<double>(part.size()) / static_cast<double>(launch.sizes[d]);
  piece.sizes[d] = part.size();
  for (PlanOperand& operand : piece.operands)
    operand.offset += part.begin * operand.strides[d];
  piece.bytes = static_cast<int64_t>(static_cast<double>(launch.bytes) * share);
  piece.flops = launch.flops * share;
  return piece;
}

ByteRange ExtentOf(const Launch& launch, int operand) {
  const PlanOperand& o = launch.operands[operand];
  return Extent(o.offset, launch.sizes, o.strides, ItemSize(o.dtype));
}

class Overlapper {
 public:
  Overlapper(Plan* plan, const OverlapLimits& limits)
      : plan_(*plan), limits_(limits) {}

  void Run() {
    const std::vector<Step> steps = std::move(plan_.steps);
    plan_.steps.clear();
    for (const Step& step : steps) {
      const bool exchange = step.kind == Step::kRoutine &&
                            IsExchange(plan_.routines[step.launch]);
      if (exchange && !IsRoute(plan_.routines[step.launch])) {
        Start(step);
      } else if (exchange) {
        // Ranks begin exchanges in one order: none may begin while this waits.
        Close();
        plan_.steps.push_back(step);
      } else if (started_ == 0) {
        plan_.steps.push_back(step);
      } else {
        Add(step);
      }
    }
    Close();
  }

 private:
  // A launch in three pieces along a dimension. The inner one does not depend
  // on anything that waits.
  struct Cut {
    int d = 0;
    PartRange inner;
  };

  std::vector<Access> AccessesOf(const Step& step) const {
    return runtime::AccessesOf(plan_, step);
  }

  double SecondsOf(const Step& step) const {
    if (step.kind == Step::kLaunch)
      return EstimateSeconds(plan_.launches[step.launch]);
    if (step.kind == Step::kAllocate || step.kind == Step::kFree) return 0;
    int64_t bytes = 0;
    for (const Access& access : AccessesOf(step))
      bytes += access.range.hi - access.range.lo;
    return static_cast<double>(bytes) / kCopyBytesPerSecond;
  }

  void Start(const Step& exchange) {
    Step start = exchange;
    start.kind = Step::kStart;
    if (started_ > 0 && Conflict(AccessesOf(start), waiting_accesses_)) Close();
    Step finish = exchange;
    finish.kind = Step::kFinish;
    const int64_t bytes = plan_.routines[exchange.launch].sizes[0];
    wanted_ = std::max(wanted_, limits_.latency + static_cast<double>(bytes) *
                                                      limits_.byte_seconds);
    if (started_++ == 0) start_at_ = plan_.steps.size();
    plan_.steps.push_back(start);
    Wait(finish);
  }

  // A step behind a start.
  void Add(const Step& step) {
    if (!Conflict(AccessesOf(step), waiting_accesses_)) {
      // Memory that waiting steps free could serve this buffer.
      if (step.kind == Step::kAllocate && frees_ &&
          plan_.buffers[step.buffer].bytes > kSmallBuffer) {
        Close();
      }
      RunNow(step);
      return;
    }
    if (wanted_ <= done_ || waiting_.size() >= kMostWaiting) {
      Close();
      plan_.steps.push_back(step);
      return;
    }
    if (step.kind == Step::kLaunch) {
      AddLaunch(step);
    } else if (step.kind == Step::kCopy && step.launch >= 0) {
      AddCopy(step);
    } else {
      Wait(step);
    }
  }

  void RunNow(const Step& step) {
    plan_.steps.push_back(step);
    if (started_ > 0) done_ += SecondsOf(step);
  }

  void Wait(const Step& step) {
    waiting_.push_back(step);
    frees_ |= step.kind == Step::kFree;
    for (const Access& access : AccessesOf(step))
      waiting_accesses_.push_back(access);
  }

  void Close() {
    if (started_ == 0) return;
    size_t first = 0;
    if (started_ == 1 && done_ < limits_.least_seconds) {
      // Nothing was found to do meanwhile.
      plan_.steps[start_at_].kind = Step::kRoutine;
      first = 1;
    }
    plan_.steps.insert(plan_.steps.end(),
                       waiting_.begin() + static_cast<std::ptrdiff_t>(first),
                       waiting_.end());
    waiting_.clear();
    waiting_accesses_.clear();
    frees_ = false;
    started_ = 0;
    wanted_ = done_ = 0;
  }

  // --- Launches in pieces --------------------------------------------------

  void AddLaunch(const Step& step) {
    // A copy: pieces are added to the plan.
    const Launch launch = plan_.launches[step.launch];
    const std::optional<Cut> cut = FindCut(launch);
    if (!cut || !Divide(launch, *cut)) Wait(step);
  }

  std::optional<Cut> FindCut(const Launch& launch) const {
    if (launch.split != Split::kRows || Count(launch.sizes) == 0)
      return std::nullopt;
    std::optional<Cut> best;
    double share = 0;
    for (size_t d = 0; d < launch.sizes.size(); ++d) {
      if ((ParallelDims(launch) >> d & 1) == 0) continue;
      if (d > 0 && !launch.lagged.empty()) break;
      const PartRange inner = InnerOf(launch, static_cast<int>(d));
      const double part = static_cast<double>(inner.size()) /
                          static_cast<double>(launch.sizes[d]);
      if (part <= share) continue;
      share = part;
      best = {static_cast<int>(d), inner};
    }
    if (share * EstimateSeconds(launch) < limits_.least_seconds || share == 0)
      return std::nullopt;
    return best;
  }

  PartRange InnerOf(const Launch& launch, int d) const {
    Dims one = launch.sizes;
    one[d] = 1;
    std::vector<PartAccess> parts;
    for (size_t i = 0; i < launch.operands.size(); ++i) {
      const PlanOperand& o = launch.operands[i];
      if (o.buffer == kIotaBuffer) continue;
      const ByteRange range =
          Extent(o.offset, one, o.strides, ItemSize(o.dtype));
      const bool writes = static_cast<int32_t>(i) >= launch.input_count;
      parts.push_back({{o.buffer, range, writes}, o.strides[d]});
    }
    return FreeParts(launch.sizes[d], parts, waiting_accesses_);
  }

  // The inner piece runs now, the outer ones wait. False, and nothing happens,
  // if they could not run later or it does not pay.
  bool Divide(const Launch& launch, const Cut& cut) {
    const size_t buffers = plan_.buffers.size(), moves = plan_.moves.size();
    if (DivideAndSave(launch, cut)) return true;
    plan_.buffers.resize(buffers);
    plan_.moves.resize(moves);
    return false;
  }

  bool DivideAndSave(const Launch& launch, const Cut& cut) {
    Launch inner = PieceOf(launch, cut.d, cut.inner);
    std::vector<Launch> outer;
    const int64_t size = launch.sizes[cut.d];
    for (const PartRange part :
         {PartRange{0, cut.inner.begin}, PartRange{cut.inner.end, size}}) {
      if (part.size() > 0) outer.push_back(PieceOf(launch, cut.d, part));
    }
    std::vector<Step> before, after, frees;
    if (!launch.lagged.empty()) {
      for (Launch& piece : outer) {
        if (!Save(inner, &piece, &before, &after, &frees)) return false;
      }
    }
    double cost = limits_.piece_seconds * static_cast<double>(1 + outer.size());
    for (const std::vector<Step>* steps : {&before, &after}) {
      for (const Step& step : *steps) {
        if (step.kind != Step::kMove) continue;
        cost += limits_.saved_byte_seconds *
                static_cast<double>(plan_.moves[step.launch].bytes);
      }
    }
    if (2 * cost > std::min(wanted_ - done_, EstimateSeconds(inner)))
      return false;
    for (const Step& step : before) RunNow(step);
    RunNow(AddToPlan(std::move(inner)));
    for (const Step& step : after) Wait(step);
    for (Launch& piece : outer) Wait(AddToPlan(std::move(piece)));
    for (const Step& step : frees) Wait(step);
    return true;
  }

  Step AddToPlan(Launch launch) {
    plan_.launches.push_back(std::move(launch));
    return MakeStep(Step::kLaunch, /*buffer=*/-1,
                    static_cast<int32_t>(plan_.launches.size()) - 1);
  }

  // The piece reads old elements that the inner one, which overwrites them,
  // runs before. So it reads a copy of all that its readers see: of what is
  // overwritten `before` that, of the rest `after` what it waits for.
  bool Save(const Launch& inner, Launch* piece, std::vector<Step>* before,
            std::vector<Step>* after, std::vector<Step>* frees) {
    const LaggedWrite lag = piece->lagged[0];
    const ByteRange written = ExtentOf(inner, lag.output);
    ByteRange seen = ExtentOf(*piece, lag.readers[0]);
    for (const int32_t reader : lag.readers) {
      const ByteRange range = ExtentOf(*piece, reader);
      seen = {std::min(seen.lo, range.lo), std::max(seen.hi, range.hi)};
    }
    const ByteRange old = {std::max(seen.lo, written.lo),
                           std::min(seen.hi, written.hi)};
    if (old.Empty()) return true;  // lagged as before
    const int32_t buffer = piece->operands[lag.output].buffer;
    const int64_t shift = seen.lo - seen.lo % kLine;
    if (seen.hi - shift > inner.bytes / 2) return false;
    if (Conflict({{buffer, old, /*writes=*/false}}, waiting_accesses_))
      return false;

    const auto saved = static_cast<int32_t>(plan_.buffers.size());
    plan_.buffers.push_back({BufferKind::kNew, 0, seen.hi - shift});
    before->push_back(MakeStep(Step::kAllocate, saved));
    AddMove(buffer, old, saved, shift, before);
    AddMove(buffer, {seen.lo, old.lo}, saved, shift, after);
    AddMove(buffer, {old.hi, seen.hi}, saved, shift, after);
    frees->push_back(MakeStep(Step::kFree, saved));
    for (const int32_t reader : lag.readers) {
      piece->operands[reader].buffer = saved;
      piece->operands[reader].offset -= shift;
    }
    piece->lagged.clear();
    return true;
  }

  void AddMove(int32_t source, ByteRange range, int32_t target, int64_t shift,
               std::vector<Step>* steps) {
    if (range.Empty()) return;
    plan_.moves.push_back({range.lo, range.lo - shift, range.hi - range.lo});
    Step step = MakeStep(Step::kMove, target,
                         static_cast<int32_t>(plan_.moves.size()) - 1);
    step.source = source;
    steps->push_back(step);
  }

  // --- Copies in pieces ----------------------------------------------------

  void AddCopy(const Step& step) {
    std::vector<CopyPart> now, later;
    for (const CopyPart& part : plan_.copies[step.launch])
      DividePart(step, part, &now, &later);
    if (!now.empty()) RunNow(CopyOf(step, std::move(now)));
    if (!later.empty()) Wait(CopyOf(step, std::move(later)));
  }

  void DividePart(const Step& step, const CopyPart& part,
                  std::vector<CopyPart>* now,
                  std::vector<CopyPart>* later) const {
    if (part.sizes.empty() || Count(part.sizes) == 0) {
      const ByteRange range =
          Extent(part.offset, part.sizes, part.strides, part.bytes);
      const Access both[] = {{step.source, range, false},
                             {step.buffer, range, true}};
      (Conflict(both, waiting_accesses_) ? later : now)->push_back(part);
      return;
    }
    Dims one = part.sizes;
    one[0] = 1;
    const ByteRange row = Extent(part.offset, one, part.strides, part.bytes);
    const PartAccess parts[] = {
        {{step.source, row, /*writes=*/false}, part.strides[0]},
        {{step.buffer, row, /*writes=*/true}, part.strides[0]}};
    const PartRange inner = FreeParts(part.sizes[0], parts, waiting_accesses_);
    const auto add = [&](PartRange range, std::vector<CopyPart>* to) {
      if (range.size() == 0) return;
      CopyPart& piece = to->emplace_back(part);
      piece.offset += range.begin * part.strides[0];
      piece.sizes[0] = range.size();
    };
    add({0, inner.begin}, later);
    add(inner, now);
    add({inner.end, part.sizes[0]}, later);
  }

  Step CopyOf(const Step& copy, std::vector<CopyPart> parts) {
    plan_.copies.push_back(std::move(parts));
    Step step = copy;
    step.launch = static_cast<int32_t>(plan_.copies.size()) - 1;
    return step;
  }

  Plan& plan_;
  const OverlapLimits limits_;
  int started_ = 0;      // exchanges that are not finished
  size_t start_at_ = 0;  // the step of the first of them
  double wanted_ = 0;    // seconds of work while they are under way
  double done_ = 0;      // of it that was found
  // What runs after their finish.
  std::vector<Step> waiting_;
  std::vector<Access> waiting_accesses_;
  bool frees_ = false;  // some of it frees memory
};

}  // namespace

OverlapLimits OverlapLimits::FromSettings() {
  OverlapLimits limits;
  const int64_t least = SettingInt("FUSEAU_OVERLAP_NS", -1);
  if (least < 0) return limits;
  limits.latency = 1;
  limits.least_seconds = static_cast<double>(least) * 1e-9;
  limits.piece_seconds = limits.saved_byte_seconds = 0;
  return limits;
}

void OverlapExchanges(Plan* plan, const OverlapLimits& limits) {
  Overlapper(plan, limits).Run();
}

}  // namespace fuseau::runtime

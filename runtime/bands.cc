#include "runtime/bands.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/base/settings.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kDetail = 16;
// Each launch is compared with those before it.
constexpr size_t kMaxMembers = 128;
// A group is worth while if its launches move so many times its arrays.
constexpr double kReuse = 1.5;

int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - ((a % b != 0) && ((a % b < 0) != (b < 0)));
}

RowSpan SpanOf(const Launch& launch, const PlanOperand& operand) {
  const ByteRange row = Extent(
      operand.offset, absl::MakeConstSpan(launch.sizes).subspan(1),
      absl::MakeConstSpan(operand.strides).subspan(1), ItemSize(operand.dtype));
  return {row.lo, row.hi, operand.strides[0], launch.sizes[0]};
}

// The bytes of rows [first, rows).
ByteRange BytesFrom(const RowSpan& span, int64_t first) {
  const int64_t a = span.step * first;
  const int64_t b = span.step * (span.rows - 1);
  return {span.lo + std::min(a, b), span.hi + std::max(a, b)};
}

// What a launch does to one buffer.
struct Access {
  int32_t buffer = 0;
  bool writes = false;
  RowSpan span;
};

// Reads that take the same steps count as one: fewer edges, and windows of one
// array are close to each other.
std::vector<Access> AccessesOf(const Launch& launch) {
  std::vector<Access> accesses;
  for (size_t i = 0; i < launch.operands.size(); ++i) {
    const PlanOperand& operand = launch.operands[i];
    if (operand.buffer == kIotaBuffer) continue;
    const bool writes = static_cast<int32_t>(i) >= launch.input_count;
    const RowSpan span = SpanOf(launch, operand);
    auto same =
        std::find_if(accesses.begin(), accesses.end(), [&](const Access& a) {
          return a.buffer == operand.buffer && a.writes == writes &&
                 a.span.step == span.step;
        });
    if (same == accesses.end()) {
      accesses.push_back({operand.buffer, writes, span});
    } else {
      same->span.lo = std::min(same->span.lo, span.lo);
      same->span.hi = std::max(same->span.hi, span.hi);
    }
  }
  return accesses;
}

bool SameRows(const Launch& a, const Launch& b) {
  return a.sizes == b.sizes &&
         std::equal(a.operands.begin(), a.operands.end(), b.operands.begin(),
                    b.operands.end(),
                    [](const PlanOperand& x, const PlanOperand& y) {
                      return x.buffer == y.buffer && x.offset == y.offset &&
                             x.strides == y.strides && x.dtype == y.dtype;
                    });
}

bool CanAdvanceByRows(const Launch& launch) {
  return launch.split == Split::kRows && !launch.sizes.empty() &&
         Count(launch.sizes) > 0 &&
         std::all_of(launch.combiners.begin(), launch.combiners.end(),
                     [](Combiner c) { return c == Combiner::kNone; });
}

int64_t Behind(const Launch& launch) {
  return launch.lagged.empty() ? 0
                               : std::max<int64_t>(launch.lagged[0].behind, 0);
}

// A group in the making.
class Group {
 public:
  Group(const Plan& plan, const BandLimits& limits)
      : plan_(plan), limits_(limits) {}

  bool empty() const { return members_.empty(); }

  // Adds a launch; false, and nothing happens, if it does not suit the group.
  bool Add(int32_t index) {
    const Launch& launch = plan_.launches[index];
    if (!CanAdvanceByRows(launch) || members_.size() >= kMaxMembers) {
      return false;
    }
    Member member;
    member.launch = index;
    member.accesses = AccessesOf(launch);
    const int64_t largest = std::max(largest_, launch.bytes);
    const bool large = !IsDetail(launch, largest);
    if (large && !empty() && !SharesBuffers(member)) return false;
    FindEdges(&member);
    Simulate(&member, large);
    const int64_t allowed =
        large_ < limits_.few ? limits_.shared_bytes : limits_.core_bytes;
    if (!empty() && Footprint(member, large) > allowed) return false;
    lag_ = std::max(lag_, Lag(member, large));
    largest_ = largest;
    moved_ += launch.bytes;
    large_ += large;
    rings_ += RingBytes(member);
    if (large) {
      rows_ = std::max(rows_, launch.sizes[0]);
      AddBuffers(member);
    }
    members_.push_back(std::move(member));
    return true;
  }

  bool WorthWhile() const {
    return LargeLaunches() >= 2 && buffer_bytes_ >= limits_.min_bytes_alone &&
           static_cast<double>(moved_) >=
               kReuse * static_cast<double>(buffer_bytes_);
  }

  BandGroup Take() {
    BandGroup group;
    for (Member& member : members_) {
      group.members.push_back({member.launch, std::move(member.edges)});
    }
    group.large = LargeLaunches();
    group.alone = buffer_bytes_ < limits_.min_bytes;
    group.bands = std::clamp<int64_t>(buffer_bytes_ / limits_.band_bytes, 1,
                                      std::max<int64_t>(rows_, 1));
    return group;
  }

 private:
  struct Member {
    int32_t launch = 0;
    std::vector<Access> accesses;
    std::vector<BandEdge> edges;
    // How far it is when launches that wait for nobody are half done.
    int64_t computed = 0;
    int64_t written = 0;
  };

  // Those that came before the largest one may be details beside it.
  int32_t LargeLaunches() const {
    return static_cast<int32_t>(std::count_if(
        members_.begin(), members_.end(), [&](const Member& member) {
          return !IsDetail(LaunchOf(member), largest_);
        }));
  }

  const Launch& LaunchOf(const Member& member) const {
    return plan_.launches[member.launch];
  }

  bool SharesBuffers(const Member& member) const {
    return std::any_of(
        member.accesses.begin(), member.accesses.end(),
        [&](const Access& access) { return buffers_.contains(access.buffer); });
  }

  void AddBuffers(const Member& member) {
    for (const Access& access : member.accesses) {
      if (buffers_.insert(access.buffer).second) {
        buffer_bytes_ += plan_.buffers[access.buffer].bytes;
      }
    }
  }

  void FindEdges(Member* member) const {
    std::vector<const Launch*> seen;
    for (int i = static_cast<int>(members_.size()) - 1; i >= 0; --i) {
      // A launch that writes the same rows as a later one is never behind that
      // one, so to wait for the later one is enough.
      const Launch& launch = LaunchOf(members_[i]);
      if (std::any_of(seen.begin(), seen.end(), [&](const Launch* other) {
            return SameRows(launch, *other);
          })) {
        continue;
      }
      seen.push_back(&launch);
      for (const Access& before : members_[i].accesses) {
        for (const Access& after : member->accesses) {
          if (before.buffer != after.buffer ||
              !(before.writes || after.writes)) {
            continue;
          }
          if (!BytesFrom(before.span, 0).Intersects(BytesFrom(after.span, 0))) {
            continue;
          }
          member->edges.push_back({i, before.writes, before.span, after.span});
        }
      }
    }
  }

  void Simulate(Member* member, bool large) const {
    const Launch& launch = LaunchOf(*member);
    member->computed = large ? (launch.sizes[0] + 1) / 2 : launch.sizes[0];
    for (const BandEdge& edge : member->edges) {
      const Member& from = members_[edge.from];
      member->computed =
          std::min(member->computed,
                   RowLimit(edge, edge.written ? from.written : from.computed));
    }
    member->written = std::max<int64_t>(0, member->computed - Behind(launch));
  }

  // By which part of its rows a large launch stays behind the first ones.
  double Lag(const Member& member, bool large) const {
    if (!large) return 0;
    return 0.5 - static_cast<double>(member.computed) /
                     static_cast<double>(LaunchOf(member).sizes[0]);
  }

  // Of the results that wait between two bands.
  int64_t RingBytes(const Member& member) const {
    const Launch& launch = LaunchOf(member);
    if (launch.lagged.empty()) return 0;
    const RowSpan span =
        SpanOf(launch, launch.operands[launch.lagged[0].output]);
    return Behind(launch) * (span.hi - span.lo);
  }

  // The bytes between the first launch and the last one, if this one joins.
  int64_t Footprint(const Member& member, bool large) const {
    int64_t bytes = buffer_bytes_;
    if (large) {
      std::unordered_set<int32_t> added;
      for (const Access& access : member.accesses) {
        if (!buffers_.contains(access.buffer) &&
            added.insert(access.buffer).second) {
          bytes += plan_.buffers[access.buffer].bytes;
        }
      }
    }
    const double lag = std::max(lag_, Lag(member, large));
    return static_cast<int64_t>(lag * static_cast<double>(bytes)) + rings_ +
           RingBytes(member);
  }

  const Plan& plan_;
  const BandLimits& limits_;
  std::vector<Member> members_;
  std::unordered_set<int32_t> buffers_;  // that large launches touch
  int64_t buffer_bytes_ = 0;
  int64_t rings_ = 0;
  int64_t largest_ = 0;
  int64_t moved_ = 0;
  int64_t rows_ = 0;
  int32_t large_ = 0;  // as seen when they joined
  double lag_ = 0;
};

class Grouper {
 public:
  Grouper(Plan* plan, const BandLimits& limits)
      : plan_(*plan), limits_(limits) {
    group_.emplace(plan_, limits_);
  }

  void Run() {
    const std::vector<Step> steps = std::move(plan_.steps);
    plan_.steps.clear();
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      const bool fills_next =
          i + 1 < steps.size() && (steps[i + 1].kind == Step::kFill ||
                                   steps[i + 1].kind == Step::kCopy);
      switch (step.kind) {
        case Step::kLaunch:
          AddLaunch(step);
          break;
        case Step::kAllocate:
          // Memory that the group frees could serve this buffer.
          if (fills_next || !frees_.empty()) Close();
          Add(step, &allocations_);
          break;
        case Step::kFree:
          Add(step, &frees_);
          break;
        case Step::kCopy:
        case Step::kFill:
        case Step::kRoutine:
        case Step::kStart:
        case Step::kFinish:
        case Step::kMove:
        case Step::kSweep:
        case Step::kBands:
          Close();
          plan_.steps.push_back(step);
          break;
      }
    }
    Close();
  }

 private:
  // A step that moves before or behind the group, if there is one.
  void Add(const Step& step, std::vector<Step>* moved) {
    if (group_->empty()) {
      plan_.steps.push_back(step);
    } else {
      moved->push_back(step);
      pending_.push_back(step);
    }
  }

  void AddLaunch(const Step& step) {
    if (!group_->Add(step.launch)) {
      Close();
      if (!group_->Add(step.launch)) {
        plan_.steps.push_back(step);
        return;
      }
    }
    pending_.push_back(step);
  }

  void Close() {
    if (group_->empty()) return;
    if (group_->WorthWhile()) {
      Append(allocations_);
      Step step{};
      step.kind = Step::kBands;
      step.group = static_cast<int32_t>(plan_.groups.size());
      plan_.steps.push_back(step);
      plan_.groups.push_back(group_->Take());
      Append(frees_);
    } else {
      Append(pending_);
    }
    pending_.clear();
    allocations_.clear();
    frees_.clear();
    group_.emplace(plan_, limits_);
  }

  void Append(const std::vector<Step>& steps) {
    plan_.steps.insert(plan_.steps.end(), steps.begin(), steps.end());
  }

  Plan& plan_;
  const BandLimits limits_;
  std::optional<Group> group_;  // always there
  std::vector<Step> pending_;   // since the group began, as they were
  std::vector<Step> allocations_;
  std::vector<Step> frees_;
};

}  // namespace

int64_t RowLimit(const BandEdge& edge, int64_t done) {
  const RowSpan& after = edge.after;
  if (done >= edge.before.rows) return after.rows;
  const ByteRange open = BytesFrom(edge.before, done);
  // The first row that is not before (or, going down, behind) the open bytes.
  int64_t row = 0;
  if (after.step > 0 && after.hi <= open.lo) {
    row = FloorDiv(open.lo - after.hi, after.step) + 1;
  } else if (after.step < 0 && after.lo >= open.hi) {
    row = FloorDiv(after.lo - open.hi, -after.step) + 1;
  }
  if (row >= after.rows) return after.rows;
  const int64_t start = row * after.step;
  return open.Intersects({after.lo + start, after.hi + start}) ? row
                                                               : after.rows;
}

bool IsDetail(const Launch& launch, int64_t largest_bytes) {
  return launch.bytes < largest_bytes / kDetail;
}

BandLimits BandLimits::For(const CacheSizes& caches) {
  BandLimits limits;
  limits.min_bytes = caches.shared / 3;
  limits.min_bytes_alone = caches.shared / 8;
  limits.core_bytes = caches.core / 5 * 3;
  limits.shared_bytes = caches.shared / 6;
  limits.band_bytes = caches.first * 2;
  return limits;
}

BandLimits BandLimits::FromSettings() {
  BandLimits limits = For(Caches());
  const int64_t least = SettingInt("FUSEAU_BAND_MIN_BYTES", -1);
  if (least < 0) return limits;
  limits.min_bytes = limits.min_bytes_alone = least;
  limits.band_bytes = std::clamp<int64_t>(least / 16, 64, limits.band_bytes);
  return limits;
}

void GroupBands(Plan* plan, const BandLimits& limits) {
  int64_t bytes = 0;
  for (const PlanBuffer& buffer : plan->buffers) bytes += buffer.bytes;
  if (bytes < limits.min_bytes_alone) return;
  Grouper(plan, limits).Run();
}

}  // namespace fuseau::runtime

#include "runtime/cpu/band_run.h"

#include <sched.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "runtime/bands.h"
#include "runtime/base/status.h"
#include "runtime/cpu/lagged_sweep.h"
#include "runtime/cpu/pause.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

// After so many fruitless looks for work a thread lets others run.
constexpr int kLooks = 256;

// Band b of a launch may run once the launches it waits for have done their
// band b, whatever rows those bands had. In the last band all launches reach
// their end. The launch that is furthest behind is taken first, so that
// rows are used while they are in the cache.
class BandRun {
 public:
  BandRun(const BandGroup& group, const std::vector<BoundLaunch>& launches,
          const RunContext& context)
      : group_(group),
        context_(context),
        threads_(context.pool->thread_count()),
        members_(launches.size()),
        unfinished_(static_cast<int>(launches.size())) {
    int64_t largest = 0;
    for (const BoundLaunch& bound : launches) {
      largest = std::max(largest, bound.launch->bytes);
    }
    for (size_t i = 0; i < members_.size(); ++i) {
      Member& m = members_[i];
      m.bound = &launches[i];
      m.detail = IsDetail(*m.bound->launch, largest);
      m.rows = m.bound->args.size(0);
      if (!m.bound->launch->lagged.empty()) {
        m.ring.emplace(*m.bound->launch, m.bound->args, LaggedTuning{});
      }
    }
  }

  absl::Status Run() {
    FUSEAU_RETURN_IF_ERROR(MakeRings());
    context_.pool->ParallelFor(
        threads_, [&](int64_t thread) { Work(static_cast<int>(thread)); });
    return context_.Check();
  }

 private:
  struct Member {
    const BoundLaunch* bound = nullptr;
    std::optional<LaggedRing> ring;
    std::optional<LaggedSweep> sweep;
    char* store = nullptr;  // for what waits in the sweep
    int64_t rows = 0;
    bool detail = false;
    // Under mutex_.
    int64_t band = 0;      // the next one
    int64_t computed = 0;  // rows that it reads no more
    int64_t written = 0;   // rows that it has written
    bool busy = false;
  };

  // A ring for each thread, which stays in its first-level cache, and for each
  // launch room for the rows that wait from one band to the next.
  absl::Status MakeRings() {
    int64_t bytes = 0;
    for (const Member& m : members_) {
      if (!m.ring) continue;
      bytes += m.ring->waiting_bytes;
      ring_bytes_ = std::max(ring_bytes_, m.ring->bytes);
    }
    if (ring_bytes_ == 0) return absl::OkStatus();
    FUSEAU_ASSIGN_OR_RETURN(
        rings_, context_.arena->Allocate(bytes + threads_ * ring_bytes_));
    char* store = rings_->data() + threads_ * ring_bytes_;
    for (Member& m : members_) {
      if (!m.ring) continue;
      Increment(Counter::kLaggedWrites);
      m.sweep.emplace(*m.ring, m.bound->args, context_, /*first_row=*/0);
      m.store = store;
      store += m.ring->waiting_bytes;
    }
    return absl::OkStatus();
  }

  void Work(int thread) {
    int looks = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (unfinished_ > 0 && !context_.Cancelled()) {
      const int picked = Pick(thread);
      if (picked < 0) {
        lock.unlock();
        if (++looks % kLooks == 0) sched_yield();
        Pause();
        lock.lock();
        continue;
      }
      looks = 0;
      Member& m = members_[picked];
      const int64_t end = Target(picked);
      m.busy = true;
      lock.unlock();
      const int64_t written = Advance(thread, &m, end);
      lock.lock();
      m.busy = false;
      m.computed = std::max(m.computed, end);
      m.written = written;
      if (++m.band == group_.bands) --unfinished_;
    }
  }

  // The launch whose turn it is; -1 when all that could run are running. Each
  // thread has a part of the launches, so that rows go from one processor's
  // cache to another's but once; others only when there is nothing else to do.
  int Pick(int thread) const {
    int64_t first = group_.bands;
    for (const Member& m : members_) first = std::min(first, m.band);
    // Nobody runs far ahead: the rows would leave the cache.
    const int64_t end = std::min(group_.bands, first + threads_ + 1);
    const size_t count = members_.size();
    const int own =
        PickOf(count * thread / threads_, count * (thread + 1) / threads_, end);
    return own >= 0 ? own : PickOf(0, count, end);
  }

  // The launch of [from, to) that is furthest behind, before band `end`.
  int PickOf(size_t from, size_t to, int64_t end) const {
    int picked = -1;
    for (size_t i = from; i < to; ++i) {
      const Member& m = members_[i];
      if (m.busy || m.band >= end || !Ready(i)) continue;
      end = m.band;
      picked = static_cast<int>(i);
    }
    return picked;
  }

  bool Ready(size_t i) const {
    const std::vector<BandEdge>& edges = group_.members[i].edges;
    return std::all_of(edges.begin(), edges.end(), [&](const BandEdge& edge) {
      return members_[edge.from].band > members_[i].band;
    });
  }

  int64_t Target(int i) const {
    const Member& m = members_[i];
    // Not rows * band / bands: that may overflow.
    const int64_t band = m.band + 1;
    const int64_t each = m.rows / group_.bands;
    int64_t end = each * band + std::min(band, m.rows % group_.bands);
    if (m.detail || band == group_.bands) end = m.rows;
    for (const BandEdge& edge : group_.members[i].edges) {
      const Member& from = members_[edge.from];
      end = std::min(
          end, RowLimit(edge, edge.written ? from.written : from.computed));
    }
    return end;
  }

  // Computes rows up to `end`; returns how many rows are written.
  int64_t Advance(int thread, Member* m, int64_t end) const {
    if (!m->sweep) {
      if (end <= m->computed) return m->computed;
      m->bound->args.Call(m->computed, end);
      return end;
    }
    if (end > m->computed) {
      m->sweep->Unpark(rings_->data() + thread * ring_bytes_, m->store);
      m->sweep->Compute(m->bound->args, end);
      if (end == m->rows) m->sweep->Finish();
      m->sweep->Park(m->store);
    }
    return m->sweep->written();
  }

  const BandGroup& group_;
  const RunContext& context_;
  const int threads_;
  BufferRef rings_;
  int64_t ring_bytes_ = 0;
  std::mutex mutex_;
  std::vector<Member> members_;
  int unfinished_;  // under mutex_
};

}  // namespace

bool BandsSuit(const BandGroup& group, const RunContext& context) {
  const int threads = context.pool->thread_count();
  return threads == 1 || (!group.alone && group.large >= 2 * threads);
}

absl::Status RunBands(const BandGroup& group,
                      const std::vector<BoundLaunch>& launches,
                      const RunContext& context) {
  Increment(Counter::kBandGroups);
  if (context.pool->thread_count() > 1) Increment(Counter::kLaunchesParallel);
  return BandRun(group, launches, context).Run();
}

}  // namespace fuseau::runtime

#include "passes/partition.h"

#include <algorithm>

#include "passes/partition/emit.h"
#include "passes/partition/overlap.h"
#include "passes/partition/placement.h"
#include "passes/partition/transfers.h"

namespace fuseau::passes {

absl::StatusOr<Partition> PartitionTrace(const ir::Trace& trace,
                                         absl::Span<const Distribution> inputs,
                                         int rank, int ranks,
                                         const PartitionOptions& options) {
  partition::Program program = partition::Place(trace, inputs, ranks, options);
  partition::WidenWork(&program, options.overlap_share);
  return partition::Emit(trace, program, inputs, rank, options);
}

bool IsLarge(int64_t bytes, int ranks, int64_t min_bytes) {
  return bytes > 0 && bytes >= min_bytes * std::min(ranks, 2);
}

int PartsOf(int64_t bytes, int ranks, int64_t min_bytes) {
  if (bytes <= 0) return 1;
  if (min_bytes <= 0) return ranks;
  return static_cast<int>(std::clamp<int64_t>(bytes / min_bytes, 1, ranks));
}

bool WorthCutting(const ir::Trace& trace, absl::Span<const Distribution> inputs,
                  int ranks, const PartitionOptions& options) {
  const auto large = [&](int64_t bytes) {
    return IsLarge(bytes, ranks, options.min_bytes);
  };
  size_t input = 0;
  for (const ir::TraceNode& node : trace.nodes) {
    if (node.op == ir::OpCode::kInput) {
      if (inputs[input++].kind != Distribution::kWhole) return true;
    }
    // An update is as large as the input or operation that it begins with.
    if (node.op == ir::OpCode::kUpdate || node.op == ir::OpCode::kScalar)
      continue;
    if (large(partition::ResultBytes(node))) return true;
  }
  return false;
}

runtime::Transfer Redistribute(int64_t bytes, const Distribution& from,
                               const Distribution& to, int rank, int ranks) {
  // A value that is whole everywhere comes from each rank itself; there is
  // nothing to tell that from a value of which this rank owns all.
  const auto owned = [&](const Distribution& d, int r) -> ByteRange {
    switch (d.kind) {
      case Distribution::kWhole:
        return {0, bytes};
      case Distribution::kRoot:
        return r == 0 ? ByteRange{0, bytes} : ByteRange{bytes, bytes};
      case Distribution::kCut:
        return {d.cuts[r], d.cuts[r + 1]};
    }
    __builtin_unreachable();
  };
  const auto begin = [](const Distribution& d, int r) {
    return d.kind == Distribution::kCut ? d.windows[r].lo : 0;
  };
  if (from.kind == Distribution::kWhole) {
    const ByteRange mine = owned(to, rank);
    runtime::Transfer transfer;
    if (!mine.Empty()) {
      transfer.copies.push_back(
          {{mine.lo, mine.hi - mine.lo, {}, {}},
           {mine.lo - begin(to, rank), mine.hi - mine.lo, {}, {}}});
    }
    return transfer;
  }
  std::vector<int64_t> cuts(ranks + 1);
  for (int r = 0; r < ranks; ++r) cuts[r + 1] = owned(from, r).hi;
  partition::Wants wants(ranks);
  for (int r = 0; r < ranks; ++r) {
    const ByteRange want = owned(to, r);
    if (!want.Empty()) wants[r] = {partition::RangeBox(want)};
  }
  const int64_t source = begin(from, rank);
  const int64_t target = owned(to, rank).lo - begin(to, rank);
  runtime::Transfer transfer =
      partition::Collect(cuts, wants, rank, source, target);
  const ByteRange mine = owned(to, rank);
  // Who owns all it wants already has to move it to the other buffer.
  if (transfer.copies.empty() && transfer.receives.empty() && !mine.Empty()) {
    transfer.copies.push_back({{mine.lo - source, mine.hi - mine.lo, {}, {}},
                               {target, mine.hi - mine.lo, {}, {}}});
  }
  return transfer;
}

}  // namespace fuseau::passes

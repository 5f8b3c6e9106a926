#include "passes/partition/transfers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fuseau::passes::partition {
namespace {

using runtime::CopyPart;
using runtime::Transfer;

int64_t Bytes(const CopyPart& part) { return part.bytes * Count(part.sizes); }

void Add(int peer, CopyPart part, std::vector<Transfer::Message>& messages) {
  if (messages.empty() || messages.back().peer != peer)
    messages.push_back({peer, 0, {}});
  messages.back().bytes += Bytes(part);
  messages.back().parts.push_back(std::move(part));
}

CopyPart Run(ByteRange range, int64_t base) {
  CopyPart part;
  part.offset = range.lo - base;
  part.bytes = range.hi - range.lo;
  return part;
}

ByteRange Common(ByteRange a, ByteRange b) {
  return {std::max(a.lo, b.lo), std::min(a.hi, b.hi)};
}

}  // namespace

bool Covers(ByteRange range, const std::vector<Box>& boxes) {
  return std::all_of(boxes.begin(), boxes.end(),
                     [&](const Box& box) { return Covers(range, box.hull()); });
}

Transfer Collect(absl::Span<const int64_t> cuts, const Wants& wants, int rank,
                 int64_t source, int64_t target) {
  Transfer transfer;
  const ByteRange mine = Owned(cuts, rank);
  const bool takes = !Covers(mine, wants[rank]);
  for (int peer = 0; peer < static_cast<int>(wants.size()); ++peer) {
    const ByteRange theirs = Owned(cuts, peer);
    if (peer != rank && !mine.Empty() && !Covers(theirs, wants[peer])) {
      for (const Box& box : wants[peer]) {
        if (!box.hull().Intersects(mine)) continue;
        for (const Region& region : Clip(box, mine))
          Add(peer, PartOf(box, region, source), transfer.sends);
      }
    }
    if (!takes || theirs.Empty()) continue;
    int64_t base = target;
    for (const Box& box : wants[rank]) {
      if (box.hull().Intersects(theirs)) {
        for (const Region& region : Clip(box, theirs)) {
          CopyPart to = PackedPartOf(box, region, base);
          if (peer == rank) {
            transfer.copies.push_back(
                {PartOf(box, region, source), std::move(to)});
          } else {
            Add(peer, std::move(to), transfer.receives);
          }
        }
      }
      base += box.bytes();
    }
  }
  return transfer;
}

Transfer FillHalo(absl::Span<const HaloWant> wants, int rank, int64_t source,
                  const HaloTarget& target) {
  const auto gaps = [&](int r) {
    const HaloWant& want = wants[r];
    return std::array<ByteRange, 2>{ByteRange{want.needed.lo, want.owned.lo},
                                    ByteRange{want.owned.hi, want.needed.hi}};
  };
  Transfer transfer;
  const ByteRange mine = wants[rank].owned;
  for (int peer = 0; peer < static_cast<int>(wants.size()); ++peer) {
    if (peer == rank) continue;
    for (const ByteRange& gap : gaps(peer)) {
      const ByteRange part = Common(gap, mine);
      if (!part.Empty()) Add(peer, Run(part, source), transfer.sends);
    }
    int64_t packed = 0;  // where a gap begins in the target
    for (const ByteRange& gap : gaps(rank)) {
      const ByteRange part = Common(gap, wants[peer].owned);
      if (!part.Empty()) {
        const int64_t base = target.whole ? target.lo : gap.lo - packed;
        Add(peer, Run(part, base), transfer.receives);
      }
      packed += std::max<int64_t>(0, gap.hi - gap.lo);
    }
  }
  if (target.whole && !mine.Empty())
    transfer.copies.push_back({Run(mine, source), Run(mine, target.lo)});
  return transfer;
}

}  // namespace fuseau::passes::partition

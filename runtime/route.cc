#include "runtime/route.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fuseau::runtime {
namespace {

ByteRange Common(ByteRange a, ByteRange b) {
  return {std::max(a.lo, b.lo), std::min(a.hi, b.hi)};
}

CopyPart Run(ByteRange range, int64_t base) {
  CopyPart part;
  part.offset = range.lo - base;
  part.bytes = range.hi - range.lo;
  return part;
}

}  // namespace

absl::StatusOr<Transfer> Follow(const Route& route, const int64_t* counts,
                                int rank) {
  const ByteRange mine{route.cuts[rank], route.cuts[rank + 1]};
  Transfer transfer;
  int64_t end = 0;
  for (size_t g = 0; g < route.givers.size(); ++g) {
    const ByteRange given{end, end + counts[g] * route.unit};
    end = given.hi;
    const int32_t giver = route.givers[g];
    if (giver != rank) {
      const ByteRange part = Common(given, mine);
      if (part.Empty()) continue;
      transfer.receives.push_back(
          {giver, part.hi - part.lo, {Run(part, mine.lo)}});
      continue;
    }
    for (int32_t peer = 0; peer + 1 < std::ssize(route.cuts); ++peer) {
      const ByteRange part =
          Common(given, {route.cuts[peer], route.cuts[peer + 1]});
      if (part.Empty()) continue;
      if (peer == rank) {
        transfer.copies.push_back({Run(part, given.lo), Run(part, mine.lo)});
      } else {
        transfer.sends.push_back(
            {peer, part.hi - part.lo, {Run(part, given.lo)}});
      }
    }
  }
  if (end != route.cuts.back()) {
    return absl::InternalError(absl::StrCat("ranks have selected ", end,
                                            " bytes where ", route.cuts.back(),
                                            " were expected"));
  }
  return transfer;
}

}  // namespace fuseau::runtime

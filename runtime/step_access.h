// What the steps of a plan touch.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

struct Access {
  int32_t buffer = 0;
  ByteRange range;
  bool writes = false;
};

// A start of an exchange touches its source and its target, its finish the
// target. Who makes or frees a buffer writes all of it.
std::vector<Access> AccessesOf(const Plan& plan, const Step& step);

inline bool Conflict(const Access& a, const Access& b) {
  return a.buffer == b.buffer && (a.writes || b.writes) &&
         a.range.Intersects(b.range);
}
// Whether the order of two steps matters.
bool Conflict(absl::Span<const Access> a, absl::Span<const Access> b);

// The parts of something along one dimension, such as the rows of a launch, as
// they touch a buffer: part i the range of part 0, moved by i * step.
struct PartAccess {
  Access first;
  int64_t step = 0;
};

struct PartRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// The longest range of `count` parts none of which conflicts with `others`.
PartRange FreeParts(int64_t count, absl::Span<const PartAccess> parts,
                    absl::Span<const Access> others);

}  // namespace fuseau::runtime

// Walks over some dimensions of a routine's space, side by side on the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "runtime/cpu/launch.h"
#include "runtime/plan.h"
#include "runtime/run_context.h"

namespace fuseau::runtime {

// The points of the dimensions `dims` of a call, in C order.
class Points {
 public:
  Points(const RoutineCall& call, absl::Span<const int> dims) {
    for (const int d : dims) {
      sizes_.push_back(call.sizes[d]);
      for (const PlanOperand& operand : call.operands) {
        strides_.push_back(operand.strides[d]);
      }
    }
    operands_ = call.operands.size();
    count_ = Count(sizes_);
  }

  int64_t count() const { return count_; }

  // Calls f(pointers) for each of the points [lo, hi); the pointers are those
  // of the operands.
  template <typename F>
  void ForEach(int64_t lo, int64_t hi, absl::Span<char* const> addresses,
               F&& f) const {
    absl::InlinedVector<char*, 5> at(addresses.begin(), addresses.end());
    Dims index(sizes_.size(), 0);
    int64_t rest = lo;
    for (size_t d = sizes_.size(); d-- > 0 && rest > 0;) {
      index[d] = rest % sizes_[d];
      rest /= sizes_[d];
      Move(d, index[d], at);
    }
    for (int64_t i = lo; i < hi; ++i) {
      f(at.data());
      for (size_t d = sizes_.size(); d-- > 0;) {
        Move(d, 1, at);
        if (++index[d] < sizes_[d]) break;
        Move(d, -sizes_[d], at);
        index[d] = 0;
      }
    }
  }

 private:
  template <typename At>
  void Move(size_t d, int64_t steps, At& at) const {
    const int64_t* strides = strides_.data() + d * operands_;
    for (size_t k = 0; k < operands_; ++k) at[k] += steps * strides[k];
  }

  Dims sizes_;
  absl::InlinedVector<int64_t, 12> strides_;  // a row for each dimension
  size_t operands_ = 0;
  int64_t count_ = 1;
};

// Calls f(lo, hi) for pieces of [0, count) that may run side by side; all of
// them together take about `seconds` on one thread.
template <typename F>
absl::Status InPieces(const RunContext& context, double seconds, int64_t count,
                      F&& f) {
  const int64_t sizes[2] = {count, 1};
  const Cut cut =
      ChooseCut(seconds, sizes, /*dims=*/1, context.pool->ThreadsFor(seconds));
  if (cut.chunks <= 1) {
    f(int64_t{0}, count);
    return absl::OkStatus();
  }
  context.pool->ParallelFor(cut.chunks, [&](int64_t chunk) {
    if (context.Cancelled()) return;
    const int64_t lo = chunk * cut.grain;
    f(lo, std::min(lo + cut.grain, count));
  });
  return context.Check();
}

// The dimensions of a call but those in `without`.
inline absl::InlinedVector<int, 4> DimensionsBut(
    const RoutineCall& call, absl::Span<const int> without) {
  absl::InlinedVector<int, 4> dims;
  for (int d = 0; d < static_cast<int>(call.sizes.size()); ++d) {
    if (std::find(without.begin(), without.end(), d) == without.end()) {
      dims.push_back(d);
    }
  }
  return dims;
}

}  // namespace fuseau::runtime

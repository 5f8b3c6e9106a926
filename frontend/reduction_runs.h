// One reduction by rows, in the order of its iteration space.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ir/trace.h"
#include "runtime/inner_loops.h"

namespace fuseau {

class ReductionRuns {
 public:
  static absl::StatusOr<ReductionRuns> Make(const ir::TraceNode& node);

  // Reads the operand at `in`, its offset included, and writes all results.
  void Run(const char* in, char* out) const;

 private:
  ReductionRuns() = default;
  void Start(const char* in, char* out) const;

  Dims shape_;
  Dims in_strides_;
  Dims out_strides_;  // 0 for dimensions that vanish
  uint64_t reduced_ = 0;
  DType dtype_ = DType::kFloat64;
  int64_t results_ = 1;
  Combiner combiner_ = Combiner::kNone;
  runtime::InnerLoop join_;
  runtime::InnerLoop cast_;      // from the element's type to the result's
  runtime::InnerLoop identity_;  // from int64
};

}  // namespace fuseau

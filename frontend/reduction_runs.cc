#include "frontend/reduction_runs.h"

#include "absl/strings/str_cat.h"
#include "frontend/element_loops.h"

namespace fuseau {
namespace {

// Every result starts as its first element where nothing else would do.
bool HasIdentity(Combiner combiner) {
  return combiner != Combiner::kMin && combiner != Combiner::kMax;
}

}  // namespace

absl::StatusOr<ReductionRuns> ReductionRuns::Make(const ir::TraceNode& node) {
  const ir::TraceOperand& operand = node.operands[0];
  ReductionRuns runs;
  runs.shape_ = node.shape;
  runs.in_strides_ = operand.strides;
  runs.dtype_ = node.dtype;
  const int rank = static_cast<int>(node.shape.size());
  runs.out_strides_.assign(rank, 0);
  int64_t step = ItemSize(node.dtype);
  for (int d = rank - 1; d >= 0; --d) {
    if (node.reduced[d]) {
      runs.reduced_ |= uint64_t{1} << d;
    } else {
      runs.out_strides_[d] = step;
      step *= node.shape[d];
      runs.results_ *= node.shape[d];
    }
  }
  runs.combiner_ = ir::RowOf(node.op).combiner;
  const runtime::InnerLoop* join =
      FindJoiningLoop(runs.combiner_, operand.dtype, node.dtype);
  if (join == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("no inner loop for ", ir::RowOf(node.op).name));
  }
  runs.join_ = *join;
  const DType integer[1] = {DType::kInt64};
  const DType element[1] = {operand.dtype};
  runs.identity_ = *FindElementLoop(ir::OpCode::kCast, integer, node.dtype);
  runs.cast_ = *FindElementLoop(ir::OpCode::kCast, element, node.dtype);
  return runs;
}

void ReductionRuns::Start(const char* in, char* out) const {
  const int64_t item = ItemSize(dtype_);
  if (HasIdentity(combiner_)) {
    int64_t number =
        combiner_ == Combiner::kProd || combiner_ == Combiner::kAll ? 1 : 0;
    char* p[2] = {reinterpret_cast<char*>(&number), out};
    const int64_t steps[2] = {0, item};
    identity_.fn(p, &results_, steps, identity_.data);
    return;
  }
  Dims index(shape_.size(), 0);
  const int64_t one = 1;
  const int64_t steps[2] = {0, 0};
  for (int64_t i = 0; i < results_; ++i) {
    char* p[2] = {const_cast<char*>(in), out + i * item};
    cast_.fn(p, &one, steps, cast_.data);
    for (int d = static_cast<int>(shape_.size()) - 1; d >= 0; --d) {
      if ((reduced_ >> d & 1) != 0) continue;
      in += in_strides_[d];
      if (++index[d] < shape_[d]) break;
      in -= in_strides_[d] * shape_[d];
      index[d] = 0;
    }
  }
}

// An innermost dimension that vanishes is one call of the loop, which sums
// floats pairwise.
void ReductionRuns::Run(const char* in, char* out) const {
  Start(in, out);
  const int outer = static_cast<int>(shape_.size()) - 1;
  const bool has_identity = HasIdentity(combiner_);
  const bool inner_reduced = outer >= 0 && (reduced_ >> outer & 1) != 0;
  const int64_t inner = outer >= 0 ? shape_[outer] : 1;
  const int64_t in_step = outer >= 0 ? in_strides_[outer] : 0;
  const int64_t out_step = outer >= 0 ? out_strides_[outer] : 0;
  const int64_t steps[3] = {out_step, in_step, out_step};
  Dims index(outer > 0 ? outer : 0, 0);
  int nonzero = 0;  // indices of outer dimensions that vanish which are not 0
  for (;;) {
    char* p[3] = {out, const_cast<char*>(in), out};
    int64_t n = inner;
    // What Start took is not joined again.
    if (!has_identity && nonzero == 0) {
      n = inner_reduced ? n - 1 : 0;
      p[1] += in_step;
    }
    if (combiner_ == Combiner::kOrderedSum) {
      for (const int64_t one = 1; n > 0; --n) {
        join_.fn(p, &one, steps, join_.data);
        for (int k = 0; k < 3; ++k) p[k] += steps[k];
      }
    } else if (n > 0) {
      join_.fn(p, &n, steps, join_.data);
    }
    int d = outer - 1;
    for (; d >= 0; --d) {
      const bool vanishes = (reduced_ >> d & 1) != 0;
      in += in_strides_[d];
      out += out_strides_[d];
      if (++index[d] < shape_[d]) {
        if (vanishes && index[d] == 1) ++nonzero;
        break;
      }
      in -= in_strides_[d] * shape_[d];
      out -= out_strides_[d] * shape_[d];
      if (vanishes && index[d] > 1) --nonzero;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace fuseau

// Parts of an operation, a rank each, and the room where their results meet.
#pragma once

#include "absl/types/span.h"
#include "ir/trace.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

// The rows [first, last) of a dimension, of one rank.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;
};

// The operation over rows of `dim`, a dimension of its first operand.
ir::TraceNode RowsOf(const ir::TraceNode& node, int dim, const RowRange& rows);

// An update: stores `count` elements that lie dense in `source` from byte `to`
// on, `step` bytes apart; dense if that is 0.
ir::TraceNode Store(int32_t room, int64_t to, const ir::TraceOperand& source,
                    int64_t count, int64_t step = 0);

// Room for results of equal size that the ranks have; slots ascend with ranks.
class Slots {
 public:
  // `owners` has a rank for each slot, ascending.
  Slots(absl::Span<const int> owners, int64_t bytes, Writer& out);

  void Fill(int64_t slot, int32_t result);

  int32_t value() const { return value_; }

 private:
  const int64_t bytes_;
  Writer& out_;
  int32_t value_;
};

}  // namespace fuseau::passes::partition

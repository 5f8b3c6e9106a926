#include "passes/partition/uses.h"

#include <algorithm>
#include <cstdlib>

#include "passes/partition/program.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;

int64_t LongestStep(const Dims& shape, const Dims& strides) {
  int64_t longest = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] > 1) longest = std::max(longest, std::abs(strides[d]));
  }
  return longest;
}

}  // namespace

std::vector<Use> FindUses(const ir::Trace& trace) {
  std::vector<Use> uses(trace.nodes.size());
  for (size_t i = trace.nodes.size(); i-- > 0;) {
    const TraceNode& node = trace.nodes[i];
    const bool update = node.op == OpCode::kUpdate;
    for (size_t k = 0; k < node.operands.size(); ++k) {
      const ir::TraceOperand& operand = node.operands[k];
      Use& use = uses[operand.value];
      if (update && k == 0) {
        use.row_bytes = std::max({use.row_bytes, uses[i].row_bytes,
                                  LongestStep(node.shape, node.write_strides)});
        continue;
      }
      use.row_bytes =
          std::max(use.row_bytes, LongestStep(node.shape, operand.strides));
      const bool elementwise =
          ir::RowOf(node.op).family == ir::Family::kElementwise;
      if (!(update || elementwise) || !ReadsAll(trace, node, operand)) continue;
      const int32_t stored =
          update ? static_cast<int32_t>(i) : uses[i].stored_by;
      // Of several, the first one in the trace.
      if (stored >= 0) use.stored_by = stored;
    }
  }
  return uses;
}

}  // namespace fuseau::passes::partition

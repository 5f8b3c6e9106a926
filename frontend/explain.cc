#include "frontend/evaluate.h"
#include "frontend/reports.h"
#include "runtime/base/status.h"

namespace fuseau {

absl::StatusOr<Explanation> Explain(Node* node) {
  Explanation explanation;
  explanation.pending = node->pending();
  if (!explanation.pending) return explanation;
  ir::Trace trace;
  FUSEAU_RETURN_IF_ERROR(Foresee(node, &trace, &explanation.program));
  FUSEAU_ASSIGN_OR_RETURN(explanation.plan, codegen::ExplainTrace(trace));
  return explanation;
}

}  // namespace fuseau

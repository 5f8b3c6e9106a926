#include "codegen/gpu/show.h"
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

absl::StatusOr<std::string> ShowKernels(Node* node, bool with_prelude) {
  if (!node->pending()) return std::string();
  ir::Trace trace;
  Program::State state;
  FUSEAU_RETURN_IF_ERROR(Foresee(node, &trace, &state));
  return codegen::gpu::ShowKernels(trace, with_prelude);
}

}  // namespace fuseau

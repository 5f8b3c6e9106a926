#include "runtime/executor.h"

#include "runtime/base/status.h"
#include "runtime/cpu/plan_run.h"

namespace fuseau::runtime {

absl::Status Execute(const Plan& plan, absl::Span<const BufferRef> inputs,
                     absl::Span<const ScalarValue> scalars,
                     std::vector<BufferRef>* outputs,
                     const ExecuteOptions& options) {
  outputs->clear();
  PlanRun run(plan, scalars, options);
  FUSEAU_RETURN_IF_ERROR(run.Bind(inputs));
  FUSEAU_RETURN_IF_ERROR(run.Steps());
  run.TakeOutputs(inputs, outputs);
  return absl::OkStatus();
}

}  // namespace fuseau::runtime

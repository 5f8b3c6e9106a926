// The rules that every plan keeps.
#pragma once

#include "absl/status/status.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

// Internal error when a plan names a buffer that does not exist at that step,
// touches bytes outside a buffer, or breaks a rule of plan.h. The compiler
// calls it once per plan: a plan that passed can be run without further checks.
absl::Status CheckPlan(const Plan& plan);

}  // namespace fuseau::runtime

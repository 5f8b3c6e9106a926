// A plan as words: what a program that was compiled ahead of time carries.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/ahead/words.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

using KernelList = std::vector<std::shared_ptr<const Kernel>>;

// Kernels are written as their places in `kernels`, routines and NumPy's loops
// by their names. What is worked out on the machine that runs a plan is not
// written: groups of launches (bands.h) and quick calls. Exchanges with other
// ranks give UnimplementedError.
absl::Status WritePlan(const Plan& plan, const KernelList& kernels,
                       WordWriter& words);

// The plan that was written, and with it the words end. It has not been checked
// yet (plan_check.h). A routine or a loop that this process has not gives
// UnimplementedError.
absl::StatusOr<std::shared_ptr<Plan>> ReadPlan(WordReader& words,
                                               const KernelList& kernels);

}  // namespace fuseau::runtime

// The job that this process belongs to, as its environment tells.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "distrib/join.h"

namespace fuseau::distrib {

// A variable of the environment, or nullptr.
using Lookup = std::function<const char*(const char*)>;

// Nothing if this is a single process. The first of these says how the job is
// found: FUSEAU_STORE; PMIX_NAMESPACE; SLURM_PROCID and SLURM_STEP_NUM_TASKS
// (in a job step, not in the batch script); RANK, WORLD_SIZE, MASTER_ADDR and
// MASTER_PORT. The environment is read at the call, other than settings: a
// program may start ranks while it runs.
absl::StatusOr<std::optional<JoinOptions>> ReadEnvironment();
absl::StatusOr<std::optional<JoinOptions>> ReadEnvironment(
    const Lookup& lookup);

}  // namespace fuseau::distrib

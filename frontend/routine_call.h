// Routines of a trace, called without a plan.
#pragma once

#include <atomic>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ir/trace.h"
#include "runtime/plan.h"
#include "runtime/transfer.h"

namespace fuseau {

// The call that a node of family routine is. An error if there is no such
// routine for its types.
absl::StatusOr<runtime::RoutineCall> RoutineCallOf(const ir::TraceNode& node);

// Runs it; `addresses` are those of the node's operands, then of the result.
absl::Status RunRoutine(const runtime::RoutineCall& call,
                        absl::Span<char* const> addresses,
                        const std::atomic<bool>* cancel,
                        runtime::Exchanger* exchanger = nullptr);

}  // namespace fuseau

// Short launches without a detour: what does not change from run to run is
// worked out once.
#pragma once

#include "runtime/plan.h"

namespace fuseau::runtime {

// Argument blocks up to this size fit the stack of a run.
inline constexpr int kMaxQuickSlots = 192;

// Fills `quick` of each launch that is a step of its own and that one thread
// does in one call.
void PrepareQuickCalls(Plan* plan);

}  // namespace fuseau::runtime

#include "runtime/cpu/quick_call.h"

#include <utility>

#include "runtime/cpu/launch.h"

namespace fuseau::runtime {
namespace {

bool IsQuick(const Launch& launch) {
  const int rank = static_cast<int>(launch.sizes.size());
  const int slots = SlotCount(rank, static_cast<int>(launch.operands.size()),
                              static_cast<int>(launch.scalars.size()));
  return launch.lagged.empty() && slots <= kMaxQuickSlots &&
         Count(launch.sizes) > 0 && EstimateSeconds(launch) < kInlineSeconds;
}

QuickCall MakeQuickCall(const Launch& launch) {
  const Arguments args(launch);
  QuickCall quick;
  quick.block.assign(args.slots().begin(), args.slots().end());
  quick.rows = args.rank() == 0 ? 1 : args.size(0);
  const int operands = static_cast<int>(launch.operands.size());
  for (int i = 0; i < operands; ++i) {
    const int32_t buffer = launch.operands[i].buffer;
    if (buffer == kIotaBuffer) continue;
    quick.addresses.push_back({OperandSlot(args.rank(), i), buffer});
  }
  quick.first_scalar = ScalarSlot(args.rank(), operands, 0);
  return quick;
}

}  // namespace

void PrepareQuickCalls(Plan* plan) {
  for (const Step& step : plan->steps) {
    if (step.kind != Step::kLaunch) continue;
    Launch& launch = plan->launches[step.launch];
    if (IsQuick(launch)) launch.quick = MakeQuickCall(launch);
  }
}

}  // namespace fuseau::runtime

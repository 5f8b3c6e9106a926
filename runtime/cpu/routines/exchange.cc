// Parts of values from other ranks.

#include "runtime/base/status.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/routine.h"
#include "runtime/transfer.h"

namespace fuseau::runtime {

absl::Status CheckExchanger(const RunContext& context) {
  if (context.exchanger != nullptr) return absl::OkStatus();
  return absl::InternalError("an exchange in a run that has no ranks");
}

absl::Status Exchange(const RoutineCall& call, Addresses addresses,
                      const RunContext& context) {
  FUSEAU_RETURN_IF_ERROR(CheckExchanger(context));
  if (IsRoute(call)) {
    return context.exchanger->ExchangeRouted(
        call.attribute, addresses[0],
        reinterpret_cast<const int64_t*>(addresses[2]), addresses[3],
        context.cancel);
  }
  return context.exchanger->Exchange(call.attribute, addresses[0], addresses[2],
                                     context.cancel);
}

}  // namespace fuseau::runtime

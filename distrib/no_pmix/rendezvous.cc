// For builds without the headers of PMIx.
#include "distrib/pmix/rendezvous.h"

#include "absl/status/status.h"

namespace fuseau::distrib {

absl::StatusOr<std::unique_ptr<Rendezvous>> ConnectPmix() {
  return absl::UnimplementedError(
      "this process was started by PMIx (PMIX_NAMESPACE is set), but this "
      "build "
      "of fuseau has no PMIx; use a launcher that sets FUSEAU_STORE");
}

}  // namespace fuseau::distrib

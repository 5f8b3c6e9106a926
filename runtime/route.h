// Exchanges of elements of which each rank has as many as it has selected.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/base/route.h"  // IWYU pragma: export
#include "runtime/base/transfer.h"

namespace fuseau::runtime {

// What `rank` gives and takes where the givers have so many elements. An error
// if these are not as many as all ranks are to get.
absl::StatusOr<Transfer> Follow(const Route& route, const int64_t* counts,
                                int rank);

}  // namespace fuseau::runtime

// What the memory of this machine can do, to compare kernels with.
#pragma once

#include "absl/status/statusor.h"

namespace fuseau::runtime {

// Bytes a second, read and written, of a copy that no cache holds, by all
// threads of the pool: the best of several. Takes about 0.1 s. An error if
// there is no memory for it.
absl::StatusOr<double> MeasureBandwidth();

}  // namespace fuseau::runtime

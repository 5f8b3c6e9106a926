// The trace of one rank.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "passes/partition.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

absl::StatusOr<Partition> Emit(const ir::Trace& trace, const Program& program,
                               absl::Span<const Distribution> inputs, int rank,
                               const PartitionOptions& options);

}  // namespace fuseau::passes::partition

// Decides where the values of a trace are and which rank computes what.
#pragma once

#include "absl/types/span.h"
#include "passes/partition.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

Program Place(const ir::Trace& trace, absl::Span<const Distribution> inputs,
              int ranks, const PartitionOptions& options);

}  // namespace fuseau::passes::partition

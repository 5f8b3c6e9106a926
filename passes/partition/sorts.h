// Stable sorts along a dimension that is cut.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

inline bool IsSort(const ir::TraceNode& node) {
  return node.op == ir::OpCode::kStableSort ||
         node.op == ir::OpCode::kStableArgsort;
}

// The comparisons (lower, higher) that sort `count` elements, in order:
// Batcher's odd-even merges. All of them move the smaller element to the lower
// place.
std::vector<std::pair<int, int>> SortingNetwork(int count);

// Adds a stable sort or argsort along the first dimension of more than one
// element, line by line. Ranks have equal blocks of a line, the last ones
// shorter or none; each sorts its own, and pairs of them merge and split blocks
// as a sorting network compares elements.
int32_t PlaceSort(const ir::TraceNode& node, Writer& out);

}  // namespace fuseau::passes::partition

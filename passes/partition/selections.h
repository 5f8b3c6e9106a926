// What a mask selects, of which each rank has rows. How much that is of them is
// known only when the trace runs: each rank selects, all hear how much each of
// them has, and what is selected goes to who owns it in the result.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

inline bool IsSelection(const ir::TraceNode& node) {
  return node.op == ir::OpCode::kCompress ||
         node.op == ir::OpCode::kCoordinates;
}

// Joins the dimensions of a mask that it and what it selects from walk as one.
// Coordinates have theirs.
void CollapseMask(ir::TraceNode& node);

// The dimension of the mask of which ranks may have rows, so that what they
// select follows each other; -1 if it has one element.
int MaskDimension(const ir::TraceNode& node);

// Adds a selection of which rank r searches the rows [rows[r], rows[r + 1]) of
// a dimension of the mask and owns the bytes [cuts[r], cuts[r + 1]).
int32_t PlaceSelection(const ir::TraceNode& node, int dim,
                       std::vector<int64_t> rows, std::vector<int64_t> cuts,
                       Writer& out);

}  // namespace fuseau::passes::partition

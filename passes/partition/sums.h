// Reductions of which each rank does a part.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/program.h"
#include "passes/partition/slots.h"

namespace fuseau::passes::partition {

// Leaves out dimensions of one element of a reduction whose order matters; one
// that is reduced stays.
void NormalizeSum(ir::TraceNode& node);

// Adds the reductions of each rank's rows of `dim`, a dimension that vanishes.
// Returns the reduction that joins their results, which is not added yet. For
// operations that may join in any order, and for counts.
ir::TraceNode PlacePartials(const ir::TraceNode& node, int dim,
                            const std::vector<RowRange>& rows, Writer& out);

// Adds a sum of floats over one dimension. Ranks sum the largest nodes of
// NumPy's pairwise tree of which they have all, and those that they share with
// a neighbour, once it has sent what it has of them. Every rank gets these sums
// and joins them along the tree. So there are two exchanges for any number of
// ranks, and the bits are those of one rank.
int32_t PlaceTreeSum(const ir::TraceNode& node,
                     const std::vector<RowRange>& rows, Writer& out);

}  // namespace fuseau::passes::partition

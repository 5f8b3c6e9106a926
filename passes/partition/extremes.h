// Places of extremes along a dimension of which each rank has rows.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/slots.h"

namespace fuseau::passes::partition {

// What each rank has found among its rows, in the order of the rows.
struct Extremes {
  int64_t parts = 0;
  ir::TraceOperand values;  // over parts, then the kept dimensions
  ir::TraceOperand places;  // in the dimension as a whole
};

// Adds the search of each rank's rows of `dim`, a dimension that vanishes.
Extremes PlaceExtremes(const ir::TraceNode& node, int dim,
                       const std::vector<RowRange>& rows, Writer& out);

// The search among the results of the ranks, and the reading of the places that
// the winners found: `winners` is the value of the search. Both are operations
// that are not added yet.
ir::TraceNode WinnersOf(const ir::TraceNode& node, int dim,
                        const Extremes& extremes);
ir::TraceNode PlacesOf(const ir::TraceNode& node, int dim,
                       const Extremes& extremes, int32_t winners);

}  // namespace fuseau::passes::partition

// Products of matrices whose right operand is too large for every rank to have,
// and those that sum over what is cut.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/program.h"
#include "passes/partition/slots.h"

namespace fuseau::passes::partition {

// Adds a product of which rank r has the rows [rows[r], rows[r + 1]) of the
// result. Columns of the right operand and of the result go in turns, as many
// as there are ranks, so that a rank has one panel of them at a time.
int32_t PlaceProduct(const ir::TraceNode& node, std::vector<int64_t> rows,
                     Writer& out);

// Adds the products of each rank's rows of the dimension that is summed over.
// Returns the sum of these, which is not added yet.
ir::TraceNode PlacePartialProducts(const ir::TraceNode& node,
                                   const std::vector<RowRange>& rows,
                                   Writer& out);

}  // namespace fuseau::passes::partition

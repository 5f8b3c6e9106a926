// Products of matrices whose right operand is too large for every rank to have.
#pragma once

#include <vector>

#include "ir/trace.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

// Adds a product of which rank r has the rows [rows[r], rows[r + 1]) of the
// result. Columns of the right operand and of the result go in turns, as many
// as there are ranks, so that a rank has one panel of them at a time.
int32_t PlaceProduct(const ir::TraceNode& node, std::vector<int64_t> rows,
                     Writer& out);

}  // namespace fuseau::passes::partition

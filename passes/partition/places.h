// Places: int64 numbers of elements along a dimension.
#pragma once

#include "ir/trace.h"
#include "passes/partition/program.h"

namespace fuseau::passes::partition {

inline constexpr int64_t kPlaceBytes = ItemSize(DType::kInt64);

// Reads the element of `source` at a place along its last dimension, of
// `length` elements, for each point of `shape`. The places lie dense.
ir::TraceNode GatherAt(const Dims& shape, int64_t length,
                       ir::TraceOperand source, int32_t places);

// Adds, on one rank, the places that `count` places of rows from `first` on
// have among all rows.
int32_t PlaceShifted(int32_t places, int64_t count, int64_t first, int rank,
                     Writer& out);

}  // namespace fuseau::passes::partition

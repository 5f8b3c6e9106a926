// Operations that join rows one after the other, rank after rank: each goes on
// from the last result of the one before, so the bits are those of one rank.
#pragma once

#include <vector>

#include "passes/partition/program.h"
#include "passes/partition/sums.h"

namespace fuseau::passes::partition {

// Adds a reduction that joins in order, of which ranks have rows of dimension
// 0, which vanishes. The result is on the last of them. The chain has so many
// blocks of results: a rank goes on with the next one while ranks behind it
// have this one.
int32_t PlaceChain(const ir::TraceNode& node, const std::vector<RowRange>& rows,
                   int64_t blocks, Writer& out);

// Whether elements are joined along dimension 0, and all before them kept.
inline bool IsRunning(const ir::TraceNode& node) {
  using ir::OpCode;
  return (node.op == OpCode::kCumsum || node.op == OpCode::kCumprod ||
          node.op == OpCode::kRunningMax || node.op == OpCode::kRunningMin) &&
         node.attribute == 0;
}

// Adds a running sum, product or extreme along dimension 0. Each rank has the
// results of its rows.
int32_t PlaceRunningChain(const ir::TraceNode& node,
                          const std::vector<RowRange>& rows, Writer& out);

}  // namespace fuseau::passes::partition

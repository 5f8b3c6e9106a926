#include "passes/partition/slots.h"

#include <utility>
#include <vector>

namespace fuseau::passes::partition {

using ir::OpCode;
using ir::TraceNode;

TraceNode RowsOf(const TraceNode& node, int dim, const RowRange& rows) {
  TraceNode part = node;
  part.shape[dim] = rows.last - rows.first;
  part.operands[0].offset += rows.first * node.operands[0].strides[dim];
  return part;
}

Slots::Slots(absl::Span<const int> owners, int64_t bytes, Writer& out)
    : bytes_(bytes), out_(out) {
  std::vector<int64_t> cuts(out.ranks() + 1, 0);
  for (int owner : owners) cuts[owner + 1] += bytes;
  for (int r = 0; r < out.ranks(); ++r) cuts[r + 1] += cuts[r];
  const TraceNode room = Unset(cuts.back());
  value_ = out.Rows(room, 0, std::move(cuts));
}

void Slots::Fill(int64_t slot, int32_t result) {
  const DType dtype = out_.at(result).node.dtype;
  TraceNode store;
  store.op = OpCode::kUpdate;
  store.dtype = dtype;
  store.shape = {bytes_ / ItemSize(dtype)};
  store.write_offset = slot * bytes_;
  store.write_strides = {ItemSize(dtype)};
  store.operands = {{value_, DType::kUInt8, 0, {}},
                    {result, dtype, 0, {ItemSize(dtype)}}};
  value_ = out_.Update(store, out_.at(value_).cuts);
}

}  // namespace fuseau::passes::partition

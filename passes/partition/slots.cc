#include "passes/partition/slots.h"

#include <utility>
#include <vector>

namespace fuseau::passes::partition {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

TraceNode RowsOf(const TraceNode& node, int dim, const RowRange& rows) {
  TraceNode part = node;
  part.shape[dim] = rows.last - rows.first;
  part.operands[0].offset += rows.first * node.operands[0].strides[dim];
  return part;
}

TraceNode Store(int32_t room, int64_t to, const TraceOperand& source,
                int64_t count, int64_t step) {
  const int64_t item = ItemSize(source.dtype);
  TraceNode store;
  store.op = OpCode::kUpdate;
  store.dtype = source.dtype;
  store.shape = {count};
  store.write_offset = to;
  store.write_strides = {step == 0 ? item : step};
  store.operands = {{room, DType::kUInt8, 0, {}}, source};
  store.operands[1].strides = {item};
  return store;
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
  const TraceNode store = Store(value_, slot * bytes_, {result, dtype, 0, {}},
                                bytes_ / ItemSize(dtype));
  value_ = out_.Update(store, out_.at(value_).cuts);
}

}  // namespace fuseau::passes::partition

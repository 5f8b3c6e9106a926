#include "passes/partition/products.h"

#include <algorithm>
#include <iterator>

namespace fuseau::passes::partition {

using ir::OpCode;
using ir::TraceNode;

int32_t PlaceProduct(const TraceNode& node, std::vector<int64_t> rows,
                     Writer& out) {
  const size_t row = node.shape.size() - 3, column = row + 1;
  const int64_t n = node.shape[column], item = ItemSize(node.dtype);
  const int64_t width = (n + out.ranks() - 1) / out.ranks();
  std::vector<int64_t> cuts = rows;
  for (int64_t& cut : cuts) cut *= n * item;
  int32_t result = out.Rows(Unset(cuts.back()), 0, cuts);
  for (int64_t first = 0; first < n; first += width) {
    TraceNode panel = node;
    panel.shape[column] = std::min(width, n - first);
    panel.operands[1].offset += first * node.operands[1].strides[column];
    TraceNode store;
    store.op = OpCode::kUpdate;
    store.dtype = node.dtype;
    store.shape = {node.shape[row], panel.shape[column]};
    store.write_offset = first * item;
    store.write_strides = {n * item, item};
    const int32_t product = out.Rows(panel, static_cast<int>(row), rows);
    store.operands = {
        {result, DType::kUInt8, 0, {}},
        {product, node.dtype, 0, DenseStrides(store.shape, item)}};
    result = out.Update(store, cuts);
  }
  return result;
}

TraceNode PlacePartialProducts(const TraceNode& node,
                               const std::vector<RowRange>& rows, Writer& out) {
  const size_t inner = node.shape.size() - 1;
  std::vector<int> owners;
  for (size_t r = 0; r < rows.size(); ++r)
    if (rows[r].first < rows[r].last) owners.push_back(static_cast<int>(r));
  Slots slots(owners, ResultBytes(node), out);
  for (size_t i = 0; i < owners.size(); ++i) {
    const RowRange& own = rows[owners[i]];
    TraceNode part = node;
    part.shape[inner] = own.last - own.first;
    for (ir::TraceOperand& o : part.operands)
      o.offset += own.first * o.strides[inner];
    slots.Fill(static_cast<int64_t>(i), out.OnRank(part, owners[i]));
  }
  TraceNode sum;
  sum.op = OpCode::kOrderedSum;
  sum.dtype = node.dtype;
  sum.watched = node.watched;
  sum.shape = {std::ssize(owners), node.shape[0], node.shape[1]};
  sum.reduced = {true, false, false};
  sum.operands = {{slots.value(), node.dtype, 0,
                   DenseStrides(sum.shape, ItemSize(node.dtype))}};
  return sum;
}

}  // namespace fuseau::passes::partition

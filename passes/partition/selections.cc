#include "passes/partition/selections.h"

#include <algorithm>
#include <utility>

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// Dimensions 1 to this are those of the mask.
size_t LastOfMask(const TraceNode& node) {
  return node.op == OpCode::kCompress ? static_cast<size_t>(node.attribute)
                                      : node.shape.size() - 1;
}

// How many elements of the mask are true, on each rank that has rows of it.
int32_t PlaceCounts(const TraceNode& node, int dim,
                    const std::vector<int64_t>& rows, Writer& out) {
  const auto last = static_cast<std::ptrdiff_t>(LastOfMask(node));
  const TraceOperand& mask = node.operands.back();
  const auto of_mask = [&](const Dims& dims) {
    return Dims(dims.begin() + 1, dims.begin() + 1 + last);
  };
  TraceNode numbers;
  numbers.op = OpCode::kCast;
  numbers.dtype = DType::kInt64;
  numbers.shape = of_mask(node.shape);
  numbers.operands = {
      {mask.value, mask.dtype, mask.offset, of_mask(mask.strides)}};
  TraceNode sum;
  sum.op = OpCode::kSum;
  sum.dtype = DType::kInt64;
  sum.shape = numbers.shape;
  sum.reduced.assign(sum.shape.size(), true);
  sum.operands = {{out.Rows(numbers, dim - 1, rows), DType::kInt64, 0,
                   DenseStrides(sum.shape, ItemSize(DType::kInt64))}};
  std::vector<std::vector<Piece>> pieces(rows.size() - 1);
  for (size_t r = 0; r < pieces.size(); ++r) {
    if (rows[r] < rows[r + 1])
      pieces[r].push_back({0, rows[r], rows[r + 1] - rows[r]});
  }
  return out.Pieces(sum, dim - 1, std::move(pieces));
}

}  // namespace

void CollapseMask(TraceNode& node) {
  if (node.op != OpCode::kCompress) return;
  for (auto d = static_cast<std::ptrdiff_t>(node.attribute); d > 1; --d) {
    const auto joins = [&](const TraceOperand& o) {
      return o.strides[d - 1] == o.strides[d] * node.shape[d];
    };
    if (!std::all_of(node.operands.begin(), node.operands.end(), joins))
      continue;
    node.shape[d - 1] *= node.shape[d];
    node.shape.erase(node.shape.begin() + d);
    node.reduced.erase(node.reduced.begin() + d);
    for (TraceOperand& o : node.operands) {
      o.strides[d - 1] = o.strides[d];
      o.strides.erase(o.strides.begin() + d);
    }
    --node.attribute;
  }
}

int MaskDimension(const TraceNode& node) {
  for (size_t d = 1; d <= LastOfMask(node); ++d)
    if (node.shape[d] != 1) return static_cast<int>(d);
  return -1;
}

int32_t PlaceSelection(const TraceNode& node, int dim,
                       std::vector<int64_t> rows, std::vector<int64_t> cuts,
                       Writer& out) {
  runtime::Route route;
  route.unit = ResultBytes(node) / node.shape[0];
  int64_t row = 1;  // elements of the mask
  for (size_t d = 1; d <= LastOfMask(node); ++d)
    if (static_cast<int>(d) != dim) row *= node.shape[d];
  std::vector<int64_t> rooms = {0};
  for (int r = 0; r < out.ranks(); ++r) {
    const int64_t most = std::min(node.shape[0], (rows[r + 1] - rows[r]) * row);
    rooms.push_back(rooms.back() + most * route.unit);
    if (most > 0) route.givers.push_back(r);
  }
  route.cuts = std::move(cuts);
  const int32_t counts = PlaceCounts(node, dim, rows, out);
  const int32_t selected =
      out.Selected(node, dim, std::move(rows), std::move(rooms));
  return out.Routed(selected, counts, std::move(route));
}

}  // namespace fuseau::passes::partition

#include "passes/partition/extremes.h"

#include <algorithm>

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

constexpr int64_t kPlaceBytes = ItemSize(DType::kInt64);

Dims KeptShape(const TraceNode& node, int dim) {
  Dims shape = node.shape;
  shape.erase(shape.begin() + dim);
  return shape;
}

// Elements of a source at places along its last dimension, one for each point
// of `shape`.
TraceNode GatherAt(const Dims& shape, int64_t length, TraceOperand source,
                   int32_t places) {
  TraceNode gather;
  gather.op = OpCode::kGather;
  gather.dtype = source.dtype;
  gather.shape = shape;
  gather.shape.push_back(length);
  gather.reduced.assign(gather.shape.size(), false);
  gather.reduced.back() = true;
  TraceOperand index{places, DType::kInt64, 0,
                     DenseStrides(shape, kPlaceBytes)};
  index.strides.push_back(0);
  gather.operands = {std::move(source), std::move(index)};
  return gather;
}

// The values at the places that a part of the search has found.
TraceNode ValuesOf(const TraceNode& part, int dim, int32_t places) {
  TraceOperand source = part.operands[0];
  source.strides.erase(source.strides.begin() + dim);
  source.strides.push_back(part.operands[0].strides[dim]);
  return GatherAt(KeptShape(part, dim), part.shape[dim], std::move(source),
                  places);
}

// Places among rows that begin at `first`, as places among all.
int32_t PlaceShifted(int32_t places, int64_t count, int64_t first, int rank,
                     Writer& out) {
  TraceNode start;
  start.op = OpCode::kIota;
  start.dtype = DType::kInt64;
  start.shape = {1};
  start.attribute = first;
  TraceNode add;
  add.op = OpCode::kAdd;
  add.dtype = DType::kInt64;
  add.shape = {count};
  add.operands = {{places, DType::kInt64, 0, {kPlaceBytes}},
                  {out.OnRank(start, rank), DType::kInt64, 0, {0}}};
  return out.OnRank(add, rank);
}

// What lies in slots in the order of ranks, in the order of rows.
TraceOperand InOrder(const Slots& slots, DType dtype, const Dims& shape,
                     bool backwards) {
  TraceOperand o{slots.value(), dtype, 0, DenseStrides(shape, ItemSize(dtype))};
  if (backwards) {
    o.offset = (shape[0] - 1) * o.strides[0];
    o.strides[0] = -o.strides[0];
  }
  return o;
}

}  // namespace

Extremes PlaceExtremes(const TraceNode& node, int dim,
                       const std::vector<RowRange>& rows, Writer& out) {
  std::vector<int> owners;
  for (size_t r = 0; r < rows.size(); ++r)
    if (rows[r].first < rows[r].last) owners.push_back(static_cast<int>(r));
  const DType dtype = node.operands[0].dtype;
  const Dims kept = KeptShape(node, dim);
  const int64_t count = Count(kept);
  Slots values(owners, count * ItemSize(dtype), out);
  Slots places(owners, count * kPlaceBytes, out);
  for (size_t i = 0; i < owners.size(); ++i) {
    const int rank = owners[i];
    const auto slot = static_cast<int64_t>(i);
    const TraceNode part = RowsOf(node, dim, rows[rank]);
    const int32_t found = out.OnRank(part, rank);
    values.Fill(slot, out.OnRank(ValuesOf(part, dim, found), rank));
    places.Fill(slot, PlaceShifted(found, count, rows[rank].first, rank, out));
  }
  Extremes extremes;
  extremes.parts = static_cast<int64_t>(owners.size());
  Dims shape = kept;
  shape.insert(shape.begin(), extremes.parts);
  const bool backwards = node.operands[0].strides[dim] < 0;
  extremes.values = InOrder(values, dtype, shape, backwards);
  extremes.places = InOrder(places, DType::kInt64, shape, backwards);
  return extremes;
}

TraceNode WinnersOf(const TraceNode& node, int dim, const Extremes& extremes) {
  TraceNode search;
  search.op = node.op;
  search.dtype = node.dtype;
  search.shape = KeptShape(node, dim);
  search.shape.insert(search.shape.begin(), extremes.parts);
  search.reduced.assign(search.shape.size(), false);
  search.reduced[0] = true;
  search.operands = {extremes.values};
  return search;
}

TraceNode PlacesOf(const TraceNode& node, int dim, const Extremes& extremes,
                   int32_t winners) {
  TraceOperand source = extremes.places;
  std::rotate(source.strides.begin(), source.strides.begin() + 1,
              source.strides.end());
  return GatherAt(KeptShape(node, dim), extremes.parts, std::move(source),
                  winners);
}

}  // namespace fuseau::passes::partition

#include "passes/partition/extremes.h"

#include <algorithm>

#include "passes/partition/places.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

Dims KeptShape(const TraceNode& node, int dim) {
  Dims shape = node.shape;
  shape.erase(shape.begin() + dim);
  return shape;
}

// The values at the places that a part of the search has found.
TraceNode ValuesOf(const TraceNode& part, int dim, int32_t places) {
  TraceOperand source = part.operands[0];
  source.strides.erase(source.strides.begin() + dim);
  source.strides.push_back(part.operands[0].strides[dim]);
  return GatherAt(KeptShape(part, dim), part.shape[dim], std::move(source),
                  places);
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

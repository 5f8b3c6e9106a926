#include "passes/partition/places.h"

#include <utility>

namespace fuseau::passes::partition {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

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

int32_t PlaceShifted(int32_t places, int64_t count, int64_t first, int rank,
                     Writer& out) {
  if (first == 0) return places;
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

}  // namespace fuseau::passes::partition

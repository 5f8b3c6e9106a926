// Traces written by hand, and a check of what ranks make of them.
#pragma once

#include <utility>
#include <vector>

#include "ir/trace.h"
#include "passes/partition.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes::testing {

// Float64 arrays and windows of them by index.
class Builder {
 public:
  int32_t Input(Dims shape, bool donated = false) {
    ir::TraceNode node;
    node.op = ir::OpCode::kInput;
    node.dtype = DType::kUInt8;
    node.shape = {Count(shape) * 8};
    node.donated = donated;
    return Add(node);
  }
  int32_t Add(ir::TraceNode node) {
    trace.nodes.push_back(std::move(node));
    return static_cast<int32_t>(trace.nodes.size()) - 1;
  }
  int32_t Compute(ir::OpCode op, Dims shape,
                  absl::InlinedVector<ir::TraceOperand, 3> operands) {
    ir::TraceNode node;
    node.op = op;
    node.dtype = DType::kFloat64;
    node.shape = std::move(shape);
    node.operands = std::move(operands);
    return Add(std::move(node));
  }
  int32_t Reduce(ir::OpCode op, Dims shape,
                 absl::InlinedVector<bool, 4> reduced,
                 ir::TraceOperand operand) {
    ir::TraceNode node;
    node.op = op;
    node.dtype = DType::kFloat64;
    node.shape = std::move(shape);
    node.reduced = std::move(reduced);
    node.operands = {std::move(operand)};
    return Add(std::move(node));
  }
  int32_t Update(int32_t old, Dims shape, int64_t offset, Dims strides,
                 ir::TraceOperand source) {
    ir::TraceNode node;
    node.op = ir::OpCode::kUpdate;
    node.dtype = DType::kFloat64;
    node.shape = std::move(shape);
    node.write_offset = offset;
    node.write_strides = std::move(strides);
    node.operands = {{old, DType::kUInt8, 0, {}}, std::move(source)};
    return Add(std::move(node));
  }

  ir::Trace trace;
};

ir::TraceOperand Read(int32_t value, int64_t offset, Dims strides);

Distribution CutEvenly(int64_t rows, int64_t row_bytes, int ranks);

// Random numbers of different magnitudes.
runtime::BufferRef Numbers(int64_t count);

// Runs a trace on ranks that are interpreted, and compares with it as a whole.
Ran Check(const ir::Trace& trace, const std::vector<runtime::BufferRef>& wholes,
          const std::vector<Spread>& inputs, int ranks,
          const PartitionOptions& options = CutAll());

}  // namespace fuseau::passes::testing

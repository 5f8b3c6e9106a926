// Traces of float64 arrays for the tests of partitioning.
#pragma once

#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "frontend/reference.h"
#include "gtest/gtest.h"
#include "ir/trace.h"
#include "passes/partition.h"
#include "passes/testing/ranks.h"
#include "runtime/buffer.h"

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

inline ir::TraceOperand Read(int32_t value, int64_t offset, Dims strides) {
  return {value, DType::kFloat64, offset, std::move(strides)};
}

inline Distribution CutEvenly(int64_t rows, int64_t row_bytes, int ranks) {
  Distribution d;
  d.kind = Distribution::kCut;
  for (int r = 0; r <= ranks; ++r)
    d.cuts.push_back(rows * r / ranks * row_bytes);
  for (int r = 0; r < ranks; ++r)
    d.windows.push_back({d.cuts[r], d.cuts[r + 1]});
  return d;
}

inline runtime::BufferRef Numbers(int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> number(-1, 1);
  runtime::BufferRef buffer = Allocate(count * 8);
  for (int64_t i = 0; i < count; ++i) {
    const double x = number(random) * (i % 3 == 0 ? 1e-3 : 1);
    std::memcpy(buffer->data() + i * 8, &x, 8);
  }
  return buffer;
}

// Runs it and compares with the trace as a whole.
inline Ran Check(const ir::Trace& trace,
                 const std::vector<runtime::BufferRef>& wholes,
                 const std::vector<Spread>& inputs, int ranks,
                 const PartitionOptions& options = CutAll()) {
  std::vector<runtime::BufferRef> want;
  EXPECT_EQ(EvaluateReference(trace, wholes, {}, nullptr, &want),
            absl::OkStatus());
  Ran ran;
  RunOnRanks(trace, inputs, {}, ranks, Tier::kInterpreter, &ran, options);
  if (::testing::Test::HasFatalFailure()) return ran;
  for (size_t o = 0; o < want.size(); ++o)
    ExpectIs(ran.outputs[o], want[o], ranks);
  return ran;
}

}  // namespace fuseau::passes::testing

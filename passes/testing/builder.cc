#include "passes/testing/builder.h"

#include <cstring>
#include <random>

#include "frontend/reference.h"
#include "gtest/gtest.h"

namespace fuseau::passes::testing {

using ir::Trace;
using ir::TraceOperand;
using runtime::BufferRef;

TraceOperand Read(int32_t value, int64_t offset, Dims strides) {
  return {value, DType::kFloat64, offset, std::move(strides)};
}

Distribution CutEvenly(int64_t rows, int64_t row_bytes, int ranks) {
  Distribution d;
  d.kind = Distribution::kCut;
  for (int r = 0; r <= ranks; ++r)
    d.cuts.push_back(rows * r / ranks * row_bytes);
  for (int r = 0; r < ranks; ++r)
    d.windows.push_back({d.cuts[r], d.cuts[r + 1]});
  return d;
}

BufferRef Numbers(int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> number(-1, 1);
  BufferRef buffer = Allocate(count * 8);
  for (int64_t i = 0; i < count; ++i) {
    const double x = number(random) * (i % 3 == 0 ? 1e-3 : 1);
    std::memcpy(buffer->data() + i * 8, &x, 8);
  }
  return buffer;
}

Ran Check(const Trace& trace, const std::vector<BufferRef>& wholes,
          const std::vector<Spread>& inputs, int ranks,
          const PartitionOptions& options) {
  std::vector<BufferRef> want;
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

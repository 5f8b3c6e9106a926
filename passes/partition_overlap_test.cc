// That ranks compute while halos travel: from the trace of all ranks to the
// plan of one.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "codegen/compiler.h"
#include "gtest/gtest.h"
#include "passes/partition.h"
#include "passes/testing/loops.h"
#include "passes/testing/ranks.h"
#include "runtime/executor.h"
#include "runtime/stats.h"

namespace fuseau::passes {
namespace {

using ir::OpCode;
using ir::Trace;
using ir::TraceNode;
using runtime::BufferRef;
using runtime::Transfer;

// Ranks that send only once this one has computed something. Their elements are
// all zero.
class WaitingNeighbours : public runtime::Exchanger {
 public:
  explicit WaitingNeighbours(const std::vector<Transfer>& transfers)
      : transfers_(transfers) {}

  absl::Status Exchange(int64_t, const char*, char*,
                        const std::atomic<bool>*) override {
    return absl::DeadlineExceededError("the ranks wait for each other");
  }
  absl::Status ExchangeRouted(int64_t number, const char* source,
                              const int64_t*, char* target,
                              const std::atomic<bool>* cancel) override {
    return Exchange(number, source, target, cancel);
  }
  absl::Status Start(int64_t, const char*, char* target) override {
    target_ = target;
    launches_ = runtime::ReadCounter(runtime::Counter::kLaunches);
    return absl::OkStatus();
  }
  absl::Status Finish(int64_t number,
                      const std::atomic<bool>* cancel) override {
    if (runtime::ReadCounter(runtime::Counter::kLaunches) == launches_)
      return Exchange(number, nullptr, target_, cancel);
    ++finished;
    for (const Transfer::Message& message : transfers_[number].receives) {
      for (const runtime::CopyPart& part : message.parts) {
        testing::ForEachRun(part, [&](int64_t at) {
          std::memset(target_ + at, 0, part.bytes);
        });
      }
    }
    return absl::OkStatus();
  }
  void Progress() override {}
  void Drop() override {}

  int finished = 0;

 private:
  const std::vector<Transfer>& transfers_;
  char* target_ = nullptr;
  int64_t launches_ = 0;
};

// The inside of a grid: north and south, added. In the same grid, or in a new
// one.
Trace Step(int64_t rows, int64_t columns, bool in_place) {
  const int64_t row = columns * 8;
  const Dims strides = {row, 8};
  Trace trace;
  TraceNode input;
  input.op = OpCode::kInput;
  input.dtype = DType::kUInt8;
  input.shape = {rows * row};
  input.donated = in_place;
  TraceNode sum;
  sum.op = OpCode::kAdd;
  sum.dtype = DType::kFloat64;
  sum.shape = {rows - 2, columns};
  sum.operands = {{0, DType::kFloat64, 0, strides},
                  {0, DType::kFloat64, 2 * row, strides}};
  trace.nodes = {input, sum};
  if (in_place) {
    TraceNode update;
    update.op = OpCode::kUpdate;
    update.dtype = DType::kFloat64;
    update.shape = sum.shape;
    update.write_offset = row;
    update.write_strides = strides;
    update.operands = {{0, DType::kUInt8, 0, {}},
                       {1, DType::kFloat64, 0, strides}};
    trace.nodes.push_back(update);
  }
  trace.outputs = {static_cast<int32_t>(trace.nodes.size()) - 1};
  return trace;
}

TEST(PartitionOverlapTest, TheInteriorIsComputedWhileTheHaloTravels) {
  testing::RegisterLoops();
  constexpr int kRanks = 3;
  constexpr int64_t kRows = 3 * 1024, kColumns = 256, kRow = kColumns * 8;
  Distribution even;
  even.kind = Distribution::kCut;
  for (int r = 0; r <= kRanks; ++r)
    even.cuts.push_back(kRows * r / kRanks * kRow);
  // With room for halos, as after the first exchange of a loop.
  for (int r = 0; r < kRanks; ++r) {
    even.windows.push_back(
        {std::max<int64_t>(0, even.cuts[r] - 2 * kRow),
         std::min(kRows * kRow, even.cuts[r + 1] + 2 * kRow)});
  }
  for (const bool in_place : {true, false}) {
    SCOPED_TRACE(in_place ? "in place" : "a new grid");
    const Trace trace = Step(kRows, kColumns, in_place);
    const auto partition = PartitionTrace(trace, {even}, 1, kRanks);
    ASSERT_TRUE(partition.ok()) << partition.status();
    const auto plan = codegen::CompileTrace(partition->trace);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const BufferRef part =
        testing::Allocate(even.windows[1].hi - even.windows[1].lo);
    auto* const in = reinterpret_cast<double*>(part->data());
    // Its rows count from 1 on; the room has any content.
    for (int64_t i = 0; i < part->bytes() / 8; ++i)
      in[i] = static_cast<double>(i / kColumns - 1);
    WaitingNeighbours neighbours(partition->transfers);
    runtime::ExecuteOptions options;
    options.exchanger = &neighbours;
    std::vector<BufferRef> outputs;
    ASSERT_EQ(runtime::Execute(**plan, {part}, {}, &outputs, options),
              absl::OkStatus());
    EXPECT_EQ(neighbours.finished, 1);
    // Beyond this rank's rows there are zeros.
    const auto row_of = [&](int64_t row) {
      const bool here = even.cuts[1] <= row * kRow && row * kRow < even.cuts[2];
      return here ? static_cast<double>(1 + row - even.cuts[1] / kRow) : 0.0;
    };
    const Distribution& made = partition->distributions[0];
    ASSERT_EQ(made.kind, Distribution::kCut);
    const char* const out = outputs[partition->outputs[0]]->data();
    for (int64_t at = made.cuts[1]; at < made.cuts[2]; at += kRow) {
      const int64_t north = at / kRow - (in_place ? 1 : 0);
      double got;
      std::memcpy(&got, out + at - made.windows[1].lo, sizeof(got));
      ASSERT_EQ(got, row_of(north) + row_of(north + 2)) << "row " << at / kRow;
    }
  }
}

}  // namespace
}  // namespace fuseau::passes

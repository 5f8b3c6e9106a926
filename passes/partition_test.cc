// What ranks compute and exchange, case by case. Results are compared with the
// trace as a whole.
#include "passes/partition.h"

#include <cstring>
#include <random>
#include <thread>

#include "frontend/reference.h"
#include "gtest/gtest.h"
#include "passes/testing/builder.h"
#include "passes/testing/loops.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes {
namespace {

using ir::OpCode;
using ir::Trace;
using ir::TraceNode;
using ir::TraceOperand;
using runtime::BufferRef;
using runtime::Transfer;
using testing::Allocate;
using testing::Builder;
using testing::Check;
using testing::CutAll;
using testing::CutEvenly;
using testing::ExpectIs;
using testing::Has;
using testing::Mailboxes;
using testing::MailExchanger;
using testing::MakeSpread;
using testing::Numbers;
using testing::Ran;
using testing::RandomDistribution;
using testing::Read;
using testing::RunOnRanks;
using testing::Spread;

class PartitionTest : public ::testing::TestWithParam<int> {
 protected:
  PartitionTest() { testing::RegisterLoops(); }
  int ranks() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Ranks, PartitionTest,
                         ::testing::Values(1, 2, 3, 4, 7));

int CountOf(const Trace& trace, OpCode op) {
  return static_cast<int>(
      std::count_if(trace.nodes.begin(), trace.nodes.end(),
                    [op](const TraceNode& node) { return node.op == op; }));
}

// u[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
Trace Stencil(int64_t n, int64_t m, bool donated) {
  Builder b;
  const int64_t row = m * 8;
  const Dims space = {n - 2, m - 2}, steps = {row, 8}, dense = {(m - 2) * 8, 8};
  const int32_t u = b.Input({n, m}, donated);
  int32_t sum = b.Compute(OpCode::kAdd, space,
                          {Read(u, 8, steps), Read(u, 2 * row + 8, steps)});
  sum = b.Compute(OpCode::kAdd, space,
                  {Read(sum, 0, dense), Read(u, row, steps)});
  sum = b.Compute(OpCode::kAdd, space,
                  {Read(sum, 0, dense), Read(u, row + 16, steps)});
  b.trace.outputs = {b.Update(u, space, row + 8, steps, Read(sum, 0, dense))};
  return b.trace;
}

TEST_P(PartitionTest, AStencilSendsItsHalo) {
  const int64_t n = 28, m = 10;
  const BufferRef whole = Numbers(n * m);
  const Trace trace = Stencil(n, m, /*donated=*/true);
  std::vector<Spread> inputs = {
      MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())};
  std::vector<BufferRef> wholes = {whole};
  for (int step = 0; step < 3; ++step) {
    std::vector<BufferRef> want;
    ASSERT_EQ(EvaluateReference(trace, wholes, {}, nullptr, &want),
              absl::OkStatus());
    Ran ran = Check(trace, wholes, inputs, ranks());
    for (int r = 0; r < ranks(); ++r) {
      const Partition& p = ran.partitions[r];
      const int neighbours = (r > 0) + (r + 1 < ranks());
      EXPECT_EQ(p.messages, neighbours);
      EXPECT_EQ(p.sent_bytes, neighbours * (m - 1) * 8);
      ASSERT_EQ(p.transfers.size(), ranks() > 1 ? 1 : 0);
      if (ranks() == 1) continue;
      // The first step makes room for what comes; from then on only that is
      // written.
      EXPECT_EQ(p.transfers[0].copies.size(), step == 0 ? 1 : 0);
      EXPECT_EQ(CountOf(p.trace, OpCode::kUpdate),
                step == 0 ? 1 : 1 + neighbours);
    }
    inputs = std::move(ran.outputs);
    wholes = std::move(want);
  }
}

// Steps of the same on one grid, after each of which the first and the last row
// become copies of their neighbours and the first column of the second one.
Trace Steps(int64_t n, int64_t m, int steps, bool edges) {
  Builder b;
  const int64_t row = m * 8;
  const Dims space = {n - 2, m - 2}, strides = {row, 8},
             dense = {(m - 2) * 8, 8};
  int32_t u = b.Input({n, m}, /*donated=*/true);
  for (int step = 0; step < steps; ++step) {
    int32_t sum =
        b.Compute(OpCode::kAdd, space,
                  {Read(u, 8, strides), Read(u, 2 * row + 8, strides)});
    sum = b.Compute(OpCode::kMultiply, space,
                    {Read(sum, 0, dense), Read(u, row, strides)});
    sum = b.Compute(OpCode::kAdd, space,
                    {Read(sum, 0, dense), Read(u, row + 16, strides)});
    u = b.Update(u, space, row + 8, strides, Read(sum, 0, dense));
    if (!edges) continue;
    u = b.Update(u, {m}, 0, {8}, Read(u, row, {8}));
    u = b.Update(u, {n}, 0, {row}, Read(u, 8, {row}));
    u = b.Update(u, {m}, (n - 1) * row, {8}, Read(u, (n - 2) * row, {8}));
  }
  b.trace.outputs = {u};
  return b.trace;
}

// Each rank has 64 rows, so it may compute 8 more on either side.
TEST_P(PartitionTest, AChainOfStepsHasOneExchangeForEachEight) {
  const int64_t n = 64 * ranks(), m = 10;
  const BufferRef whole = Numbers(n * m);
  const Distribution even = CutEvenly(n, m * 8, ranks());
  for (const bool edges : {false, true}) {
    SCOPED_TRACE(edges ? "edges" : "inside");
    const Trace trace = Steps(n, m, /*steps=*/20, edges);
    const Ran ran =
        Check(trace, {whole}, {MakeSpread(whole, even, ranks())}, ranks());
    EXPECT_EQ(ran.outputs[0].distribution.cuts, even.cuts);
    for (int r = 0; r < ranks(); ++r) {
      const Partition& p = ran.partitions[r];
      const int neighbours = (r > 0) + (r + 1 < ranks());
      EXPECT_EQ(p.messages, 3 * neighbours);
      EXPECT_LE(p.sent_bytes, 20 * m * 8 * neighbours);
      EXPECT_GE(p.sent_bytes, 20 * (m - 2) * 8 * neighbours);
    }
  }
}

TEST_P(PartitionTest, TwoGridsThatTakeTurnsAreExchangedTogether) {
  const int64_t n = 64 * ranks(), m = 10;
  Builder b;
  const int64_t row = m * 8;
  const Dims space = {n - 2, m - 2}, strides = {row, 8},
             dense = {(m - 2) * 8, 8};
  int32_t u = b.Input({n, m}, /*donated=*/true);
  int32_t w = b.Input({n, m}, /*donated=*/true);
  const int32_t source = b.Input({n, m});
  for (int step = 0; step < 20; ++step) {
    int32_t sum =
        b.Compute(OpCode::kAdd, space,
                  {Read(u, 8, strides), Read(u, 2 * row + 8, strides)});
    sum = b.Compute(OpCode::kSubtract, space,
                    {Read(sum, 0, dense), Read(source, row + 8, strides)});
    w = b.Update(w, space, row + 8, strides, Read(sum, 0, dense));
    std::swap(u, w);
  }
  b.trace.outputs = {u, w};
  const BufferRef whole = Numbers(n * m);
  const Distribution even = CutEvenly(n, m * 8, ranks());
  const Spread spread = MakeSpread(whole, even, ranks());
  const Ran ran = Check(b.trace, {whole, whole, whole},
                        {spread, MakeSpread(whole, even, ranks()),
                         MakeSpread(whole, even, ranks())},
                        ranks());
  for (int r = 0; r < ranks(); ++r) {
    const int neighbours = (r > 0) + (r + 1 < ranks());
    // Both grids for each eight steps, and the source once.
    EXPECT_LE(ran.partitions[r].messages, 7 * neighbours);
    EXPECT_GT(ran.partitions[r].messages, 3 * neighbours - 1);
  }
}

// Planned only. Steps over rows that no cache holds several of gain nothing
// from going through memory together, so nothing is computed twice for that.
TEST(PartitionOfManyRanksTest, StepsOverLongRowsAreExchangedOneByOne) {
  const int ranks = 4, steps = 6;
  for (const int64_t m : {50'000, 100'000}) {
    const int64_t n = 128 * ranks;
    const auto p = PartitionTrace(Steps(n, m, steps, /*edges=*/false),
                                  {CutEvenly(n, m * 8, ranks)}, 1, ranks);
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_EQ(p->transfers.size(), m == 50'000 ? 2 : steps);
  }
}

// With four rows, a rank has to compute too much of its neighbours'.
TEST_P(PartitionTest, FewRowsAreExchangedBeforeEachStep) {
  const int64_t n = 4 * ranks(), m = 10;
  const BufferRef whole = Numbers(n * m);
  const Ran ran = Check(
      Steps(n, m, /*steps=*/5, /*edges=*/false), {whole},
      {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())}, ranks());
  for (int r = 0; r < ranks(); ++r) {
    const int neighbours = (r > 0) + (r + 1 < ranks());
    EXPECT_EQ(ran.partitions[r].messages, 5 * neighbours);
    EXPECT_EQ(ran.partitions[r].sent_bytes, 5 * neighbours * (m - 1) * 8);
  }
}

TEST_P(PartitionTest, AHaloIsWrittenToTheRoomOfAnInputThatStays) {
  const int64_t n = 56;
  Distribution d = CutEvenly(n, 8, ranks());
  for (Distribution::Window& window : d.windows)
    window = {std::max<int64_t>(0, window.lo - 8),
              std::min(n * 8, window.hi + 8)};
  Builder b;
  const int32_t u = b.Input({n});
  b.trace.outputs = {
      b.Compute(OpCode::kAdd, {n - 1}, {Read(u, 8, {8}), Read(u, 0, {8})})};
  const BufferRef whole = Numbers(n);
  const std::vector<Spread> inputs = {MakeSpread(whole, d, ranks())};
  const Ran ran = Check(b.trace, {whole}, inputs, ranks());
  for (int r = 0; r < ranks(); ++r) {
    const Partition& p = ran.partitions[r];
    EXPECT_EQ(p.trace.nodes[0].donated, r > 0);
    EXPECT_EQ(CountOf(p.trace, OpCode::kUpdate), r > 0);
  }
  ExpectIs(inputs[0], whole, ranks());
}

TEST_P(PartitionTest, AnAlignedMapSendsNothing) {
  const int64_t n = 30, m = 6;
  Builder b;
  const int32_t x = b.Input({n, m}), y = b.Input({n, m});
  const Dims dense = {m * 8, 8};
  const int32_t sum =
      b.Compute(OpCode::kAdd, {n, m}, {Read(x, 0, dense), Read(y, 0, dense)});
  b.trace.outputs = {b.Compute(OpCode::kMultiply, {n, m},
                               {Read(sum, 0, dense), Read(y, 0, dense)})};
  const BufferRef whole = Numbers(n * m);
  const Distribution d = CutEvenly(n, m * 8, ranks());
  const Ran ran = Check(
      b.trace, {whole, whole},
      {MakeSpread(whole, d, ranks()), MakeSpread(whole, d, ranks())}, ranks());
  for (const Partition& p : ran.partitions) {
    EXPECT_EQ(p.messages, 0);
    EXPECT_EQ(CountOf(p.trace, OpCode::kExchange), 0);
    EXPECT_EQ(p.distributions[0], d);
  }
}

TEST_P(PartitionTest, ATransposedSumSendsTheBlocksOffTheDiagonal) {
  const int64_t n = 8 * ranks();
  Builder b;
  const int32_t x = b.Input({n, n});
  b.trace.outputs = {b.Compute(
      OpCode::kAdd, {n, n}, {Read(x, 0, {n * 8, 8}), Read(x, 0, {8, n * 8})})};
  const BufferRef whole = Numbers(n * n);
  const Ran ran = Check(
      b.trace, {whole},
      {MakeSpread(whole, CutEvenly(n, n * 8, ranks()), ranks())}, ranks());
  for (const Partition& p : ran.partitions) {
    EXPECT_EQ(p.messages, ranks() - 1);
    EXPECT_EQ(p.sent_bytes, (ranks() - 1) * 8 * 8 * 8);
  }
}

TEST_P(PartitionTest, AnUpdateOfOneRowIsItsOwners) {
  const int64_t n = 28, m = 5;
  Builder b;
  const int32_t u = b.Input({n, m}, /*donated=*/true);
  const int32_t edge =
      b.Compute(OpCode::kAdd, {m}, {Read(u, m * 8, {8}), Read(u, 0, {8})});
  b.trace.outputs = {b.Update(u, {m}, 0, {8}, Read(edge, 0, {8}))};
  const BufferRef whole = Numbers(n * m);
  const Ran ran = Check(
      b.trace, {whole},
      {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())}, ranks());
  for (int r = 0; r < ranks(); ++r) {
    EXPECT_EQ(ran.partitions[r].messages, 0);
    EXPECT_EQ(CountOf(ran.partitions[r].trace, OpCode::kAdd), r == 0);
    EXPECT_EQ(CountOf(ran.partitions[r].trace, OpCode::kUpdate), r == 0);
  }
}

TEST_P(PartitionTest, ValuesOfTheRootAreSpreadOrSharedBySize) {
  Distribution root;
  root.kind = Distribution::kRoot;
  for (const int64_t n : {4, 1000}) {
    Builder b;
    const int32_t x = b.Input({n});
    b.trace.outputs = {
        b.Compute(OpCode::kAdd, {n}, {Read(x, 0, {8}), Read(x, 0, {8})})};
    const BufferRef whole = Numbers(n);
    PartitionOptions options;
    options.min_bytes = 64;
    const Ran ran = Check(b.trace, {whole}, {MakeSpread(whole, root, ranks())},
                          ranks(), options);
    const bool large = n == 1000 && ranks() > 1;
    EXPECT_EQ(ran.outputs[0].distribution.kind,
              large ? Distribution::kCut : Distribution::kWhole);
    EXPECT_EQ(ran.partitions[0].messages, ranks() - 1);
    for (int r = 1; r < ranks(); ++r) EXPECT_EQ(ran.partitions[r].messages, 0);
  }
}

TEST_P(PartitionTest, NumbersInARowAreCounted) {
  for (const DType dtype : {DType::kInt64, DType::kInt8}) {
    Trace trace;
    TraceNode iota;
    iota.op = OpCode::kIota;
    iota.dtype = dtype;
    iota.shape = {600};
    trace.nodes = {iota};
    trace.outputs = {0};
    const Ran ran = Check(trace, {}, {}, ranks());
    for (const Partition& p : ran.partitions) EXPECT_EQ(p.messages, 0);
    EXPECT_EQ(ran.outputs[0].distribution.kind,
              ranks() > 1 ? Distribution::kCut : Distribution::kWhole);
  }
}

TEST_P(PartitionTest, AProductNeedsTheRightOperandOnly) {
  const int64_t m = 21, n = 5, k = 6;
  Builder b;
  const int32_t x = b.Input({m, k}), y = b.Input({k, n});
  const int32_t product =
      b.Reduce(OpCode::kMatmul, {m, n, k}, {false, false, true},
               Read(x, 0, {k * 8, 0, 8}));
  b.trace.nodes[product].operands.push_back(Read(y, 0, {0, 8, n * 8}));
  b.trace.outputs = {product};
  const std::vector<Distribution> inputs = {CutEvenly(m, k * 8, ranks()),
                                            CutEvenly(k, n * 8, ranks())};
  int64_t sent = 0;
  for (int r = 0; r < ranks(); ++r) {
    const auto p = PartitionTrace(b.trace, inputs, r, ranks(), CutAll());
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_TRUE(p->gathered.empty());
    EXPECT_EQ(p->distributions[0].cuts, CutEvenly(m, n * 8, ranks()).cuts);
    sent += p->sent_bytes;
  }
  EXPECT_EQ(sent, (ranks() - 1) * k * n * 8);
}

// x.T @ y of rows that are cut: each rank's part of the sum, then their sum.
TEST_P(PartitionTest, AProductThatSumsOverWhatIsCutMovesItsResultOnly) {
  const int64_t k = 400, m = 3, n = 2;
  Builder b;
  const int32_t x = b.Input({k, m}), y = b.Input({k, n});
  const int32_t product =
      b.Reduce(OpCode::kMatmul, {m, n, k}, {false, false, true},
               Read(x, 0, {8, 0, m * 8}));
  b.trace.nodes[product].operands.push_back(Read(y, 0, {0, 8, n * 8}));
  b.trace.outputs = {product};
  const Distribution xs = CutEvenly(k, m * 8, ranks());
  const Distribution ys = CutEvenly(k, n * 8, ranks());
  int64_t sent = 0;
  for (int r = 0; r < ranks(); ++r) {
    const auto p = PartitionTrace(b.trace, {xs, ys}, r, ranks(), CutAll());
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_TRUE(p->gathered.empty());
    sent += p->sent_bytes;
  }
  EXPECT_EQ(sent, (ranks() - 1) * m * n * 8);
  // Whole numbers, whose sums have the same bits in any order.
  const auto whole = [](int64_t count) {
    runtime::BufferRef buffer = Numbers(count);
    for (int64_t i = 0; i < count; ++i) {
      const double number = static_cast<double>(i % 7) - 3;
      std::memcpy(buffer->data() + i * 8, &number, 8);
    }
    return buffer;
  };
  const runtime::BufferRef a = whole(k * m), c = whole(k * n);
  Check(b.trace, {a, c},
        {MakeSpread(a, xs, ranks()), MakeSpread(c, ys, ranks())}, ranks());
}

TEST_P(PartitionTest, AResultThatNeighboursReadHasRoom) {
  const int64_t n = 56;
  Builder b;
  const int32_t u = b.Input({n});
  const int32_t w =
      b.Compute(OpCode::kAdd, {n}, {Read(u, 0, {8}), Read(u, 0, {8})});
  b.trace.outputs = {
      w, b.Compute(OpCode::kAdd, {n - 1}, {Read(w, 8, {8}), Read(w, 0, {8})})};
  const BufferRef whole = Numbers(n);
  const Ran ran =
      Check(b.trace, {whole},
            {MakeSpread(whole, CutEvenly(n, 8, ranks()), ranks())}, ranks());
  for (int r = 0; r < ranks(); ++r) {
    const Partition& p = ran.partitions[r];
    const Distribution& d = p.distributions[0];
    EXPECT_EQ(d.windows[r].lo, d.cuts[r] - (r > 0 ? 8 : 0));
    ASSERT_EQ(p.transfers.size(), ranks() > 1 ? 1 : 0);
    if (ranks() > 1) {
      EXPECT_TRUE(p.transfers[0].copies.empty());
    }
  }
}

TEST_P(PartitionTest, FewLongRowsAreCutAnywhere) {
  const int64_t n = 2, m = 10007;
  Builder b;
  const int32_t u = b.Input({n, m});
  // All but the edges: 2 rows that are no single run.
  const int32_t w = b.Compute(OpCode::kAdd, {n, m - 2},
                              {Read(u, 8, {m * 8, 8}), Read(u, 0, {m * 8, 8})});
  b.trace.outputs = {w, b.Reduce(OpCode::kSum, {n, m - 2}, {false, true},
                                 Read(w, 0, {(m - 2) * 8, 8}))};
  const BufferRef whole = Numbers(n * m);
  const Ran ran = Check(
      b.trace, {whole},
      {MakeSpread(whole, CutEvenly(n * m, 8, ranks()), ranks())}, ranks());
  const int64_t share = n * m * 8 / ranks();
  for (int r = 0; r < ranks(); ++r) {
    const Distribution& d = ran.outputs[0].distribution;
    if (ranks() > 1) {
      EXPECT_NEAR(d.cuts[r + 1] - d.cuts[r], share, 64);
    }
    EXPECT_LT(ran.partitions[r].sent_bytes, share / 4);
  }
}

TEST_P(PartitionTest, WhatHasNoRuleIsGathered) {
  const int64_t n = 64;
  Builder b;
  const int32_t x = b.Input({n});
  b.trace.outputs = {
      b.Reduce(OpCode::kCumsum, {n}, {false}, Read(x, (n - 1) * 8, {-8}))};
  const BufferRef whole = Numbers(n);
  const Distribution d = CutEvenly(n, 8, ranks());
  const Ran ran =
      Check(b.trace, {whole}, {MakeSpread(whole, d, ranks())}, ranks());
  ASSERT_EQ(ran.partitions[0].gathered.size(), 1u);
  EXPECT_STREQ(ran.partitions[0].gathered[0], "cumsum");
  if (ranks() == 1) return;
  PartitionOptions options = CutAll();
  options.max_whole_bytes = n * 8 - 1;
  const auto refused = PartitionTrace(b.trace, {d}, 0, ranks(), options);
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status()));
  EXPECT_NE(refused.status().message().find("cumsum"), std::string::npos)
      << refused.status();
}

TEST_P(PartitionTest, SmallValuesAreNotCut) {
  const int64_t n = 100;
  Builder b;
  const int32_t x = b.Input({n});
  b.trace.outputs = {
      b.Compute(OpCode::kAdd, {n}, {Read(x, 0, {8}), Read(x, 0, {8})})};
  EXPECT_FALSE(WorthCutting(b.trace, {Distribution()}, ranks()));
  EXPECT_TRUE(WorthCutting(b.trace, {CutEvenly(n, 8, ranks())}, ranks()));
  PartitionOptions options;
  options.min_bytes = n * 8 / std::min(ranks(), 2);
  EXPECT_TRUE(WorthCutting(b.trace, {Distribution()}, ranks(), options));
  const auto p = PartitionTrace(b.trace, {Distribution()}, 0, ranks());
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->distributions[0].kind, Distribution::kWhole);
  EXPECT_EQ(p->messages, 0);
}

TEST_P(PartitionTest, ValuesTooSmallForAllRanksAreOnTheFirst) {
  const int64_t n = 40;
  Builder b;
  const int32_t x = b.Input({n});
  const int32_t sum =
      b.Compute(OpCode::kAdd, {n}, {Read(x, 0, {8}), Read(x, 0, {8})});
  b.trace.outputs = {sum, b.Compute(OpCode::kMultiply, {n - 1},
                                    {Read(sum, 0, {8}), Read(sum, 8, {8})})};
  PartitionOptions options;
  options.min_bytes = 100;  // of 320
  EXPECT_TRUE(WorthCutting(b.trace, {Distribution()}, ranks(), options));
  const BufferRef whole = Numbers(n);
  const Ran ran =
      Check(b.trace, {whole}, {MakeSpread(whole, Distribution(), ranks())},
            ranks(), options);
  if (ranks() == 1) return;
  const int parts = std::min(ranks(), 3);
  for (const Spread& output : ran.outputs) {
    const Distribution& d = output.distribution;
    ASSERT_EQ(d.kind, Distribution::kCut);
    for (int r = 0; r < ranks(); ++r)
      EXPECT_EQ(d.cuts[r] < d.cuts[r + 1], r < parts);
  }
}

TEST_P(PartitionTest, AResultHasTheRoomOfWhatIsCutAlike) {
  const int64_t n = 56;
  Builder b;
  const int32_t u = b.Input({n});
  const int32_t w =
      b.Compute(OpCode::kAdd, {n - 1}, {Read(u, 8, {8}), Read(u, 0, {8})});
  b.trace.outputs = {
      b.Compute(OpCode::kMultiply, {n}, {Read(u, 0, {8}), Read(u, 0, {8})}), w};
  std::vector<BufferRef> wholes = {Numbers(n)};
  std::vector<Spread> inputs = {
      MakeSpread(wholes[0], CutEvenly(n, 8, ranks()), ranks())};
  for (int step = 0; step < 3; ++step) {
    std::vector<BufferRef> want;
    ASSERT_EQ(EvaluateReference(b.trace, wholes, {}, nullptr, &want),
              absl::OkStatus());
    Ran ran = Check(b.trace, wholes, inputs, ranks());
    if (HasFatalFailure()) return;
    for (const Partition& p : ran.partitions) {
      for (const Transfer& t : p.transfers)
        EXPECT_TRUE(step == 0 || t.copies.empty()) << "step " << step;
    }
    inputs = {std::move(ran.outputs[0])};
    wholes = {want[0]};
  }
}

TEST_P(PartitionTest, Redistribution) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(::testing::Message() << "case " << i);
    const int64_t bytes = 8 * (1 + i % 23);
    const BufferRef whole = Numbers(bytes / 8);
    const Distribution from = RandomDistribution(bytes, ranks(), random);
    const Distribution to = RandomDistribution(bytes, ranks(), random);
    const Spread source = MakeSpread(whole, from, ranks());
    Spread target{to, {}};
    Mailboxes mail;
    std::vector<std::thread> threads;
    for (int r = 0; r < ranks(); ++r) {
      const int64_t room = to.kind == Distribution::kCut
                               ? to.windows[r].hi - to.windows[r].lo
                               : bytes;
      target.parts.push_back(Has(to, r) ? Allocate(room) : BufferRef());
    }
    for (int r = 0; r < ranks(); ++r) {
      threads.emplace_back([&, r] {
        Partition partition;
        partition.transfers = {Redistribute(bytes, from, to, r, ranks())};
        MailExchanger exchanger(partition, r, mail);
        EXPECT_EQ(exchanger.Exchange(
                      0, source.parts[r] ? source.parts[r]->data() : nullptr,
                      Has(to, r) ? target.parts[r]->data() : nullptr, nullptr),
                  absl::OkStatus());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(mail.empty());
    ExpectIs(target, whole, ranks());
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace fuseau::passes

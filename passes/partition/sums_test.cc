// Reductions and running sums over what ranks have in parts.
#include <random>

#include "gtest/gtest.h"
#include "passes/partition.h"
#include "passes/testing/builder.h"
#include "passes/testing/loops.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes {
namespace {

using ir::OpCode;
using runtime::BufferRef;
using testing::Builder;
using testing::Check;
using testing::CutAll;
using testing::CutEvenly;
using testing::MakeSpread;
using testing::Numbers;
using testing::Ran;
using testing::RandomDistribution;
using testing::Read;

class SumsTest : public ::testing::TestWithParam<int> {
 protected:
  SumsTest() { testing::RegisterLoops(); }
  int ranks() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Ranks, SumsTest, ::testing::Values(1, 2, 3, 4, 7));

TEST_P(SumsTest, ASumHasTheBitsOfOneRank) {
  for (const int64_t n : {1, 7, 8, 127, 129, 1000, 4096, 30011}) {
    for (const int64_t step : {8, -8}) {
      Builder b;
      const int32_t x = b.Input({n});
      b.trace.outputs = {b.Reduce(OpCode::kSum, {n}, {true},
                                  Read(x, step < 0 ? (n - 1) * 8 : 0, {step}))};
      const BufferRef whole = Numbers(n);
      const Ran ran = Check(
          b.trace, {whole},
          {MakeSpread(whole, CutEvenly(n, 8, ranks()), ranks())}, ranks());
      EXPECT_EQ(ran.outputs[0].distribution.kind, Distribution::kWhole);
      if (n < 4096) continue;
      for (const Partition& p : ran.partitions) {
        EXPECT_LT(p.sent_bytes, 2 * n);  // a quarter of a rank's part of 8 * n
        EXPECT_TRUE(p.gathered.empty());
        // What is shared with a neighbour, then the sums.
        EXPECT_LE(p.transfers.size(), 2);
        EXPECT_LE(p.messages, 2 * (ranks() - 1));
      }
    }
  }
}

TEST_P(SumsTest, ASumOfFewElementsHasTheBitsOfOneRank) {
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE(::testing::Message() << "case " << i);
    const int64_t n = 1 + i * i % 701;
    const Distribution d = RandomDistribution(n * 8, ranks(), random);
    Builder b;
    const int32_t x = b.Input({n});
    const int32_t y =
        b.Compute(OpCode::kMultiply, {n}, {Read(x, 0, {8}), Read(x, 0, {8})});
    b.trace.outputs = {
        b.Reduce(OpCode::kSum, {n}, {true}, Read(x, (n - 1) * 8, {-8})),
        b.Reduce(OpCode::kSum, {n}, {true}, Read(y, 0, {8})),
        b.Reduce(OpCode::kMin, {n}, {true}, Read(y, 0, {8}))};
    const BufferRef whole = Numbers(n);
    Check(b.trace, {whole}, {MakeSpread(whole, d, ranks())}, ranks());
    if (HasFatalFailure()) return;
  }
}

// Planned only. The work of a rank does not grow with their number, but for a
// few numbers from each.
TEST(SumsOfManyRanksTest, ASumHasTwoExchangesAndFewOperations) {
  for (const int ranks : {2, 37, 1000}) {
    const int64_t n = 5000 * ranks + 11;
    Builder b;
    const int32_t x = b.Input({n});
    const int32_t y =
        b.Compute(OpCode::kMultiply, {n}, {Read(x, 0, {8}), Read(x, 0, {8})});
    b.trace.outputs = {b.Reduce(OpCode::kSum, {n}, {true}, Read(y, 0, {8}))};
    for (const int rank : {0, ranks / 2, ranks - 1}) {
      SCOPED_TRACE(::testing::Message() << "rank " << rank << " of " << ranks);
      const auto p = PartitionTrace(b.trace, {CutEvenly(n, 8, ranks)}, rank,
                                    ranks, CutAll());
      ASSERT_TRUE(p.ok()) << p.status();
      EXPECT_LE(p->transfers.size(), 2);
      EXPECT_LE(p->trace.nodes.size(), 50);
      // To its neighbours at most 512 elements, to others at most 16 sums.
      EXPECT_LE(p->sent_bytes, 2 * 512 * 8 + 16 * 8 * ranks);
    }
  }
}

TEST_P(SumsTest, RowsOfAWindowAreSummedWithOneExchange) {
  const int64_t n = 50, m = 40;
  Builder b;
  const int32_t x = b.Input({n, m});
  b.trace.outputs = {b.Reduce(OpCode::kSum, {n - 2, m - 2}, {true, true},
                              Read(x, (m + 1) * 8, {m * 8, 8}))};
  const BufferRef whole = Numbers(n * m);
  const Ran ran = Check(
      b.trace, {whole},
      {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())}, ranks());
  for (const Partition& p : ran.partitions) {
    EXPECT_LE(p.transfers.size(), 1);
    EXPECT_TRUE(p.gathered.empty());
    EXPECT_LE(p.sent_bytes, n * 8 * (ranks() - 1));
  }
}

TEST_P(SumsTest, RowsThatAreAddedInOrderComeTogetherByColumns) {
  const int64_t n = 61;
  for (const int64_t m : {7, 8, 30}) {
    Builder b;
    const int32_t x = b.Input({n, m});
    b.trace.outputs = {
        b.Reduce(OpCode::kSum, {n, m}, {true, false}, Read(x, 0, {m * 8, 8}))};
    const BufferRef whole = Numbers(n * m);
    PartitionOptions options;
    options.min_bytes = 100;
    const Ran ran =
        Check(b.trace, {whole},
              {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())},
              ranks(), options);
    for (const Partition& p : ran.partitions) {
      EXPECT_TRUE(p.gathered.empty());
      EXPECT_LE(p.transfers.size(), 1);
      EXPECT_LE(p.sent_bytes, (n / ranks() + 1) * m * 8);
    }
  }
}

TEST_P(SumsTest, ManyRowsAreAddedByOneRankAfterTheOther) {
  const int64_t n = 32 * ranks(), m = 4096, blocks = 4;
  for (const OpCode op : {OpCode::kSum, OpCode::kProd}) {
    Builder b;
    const int32_t x = b.Input({n, m});
    b.trace.outputs = {
        b.Reduce(op, {n, m}, {true, false}, Read(x, 0, {m * 8, 8}))};
    const BufferRef whole = Numbers(n * m);
    PartitionOptions options;
    options.min_bytes = 100;
    const Ran ran =
        Check(b.trace, {whole},
              {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())},
              ranks(), options);
    for (int r = 0; r < ranks(); ++r) {
      const Partition& p = ran.partitions[r];
      EXPECT_TRUE(p.gathered.empty());
      // A row of results goes to the next rank, in blocks.
      if (r == ranks() - 1) continue;
      EXPECT_EQ(p.sent_bytes, m * 8);
      EXPECT_EQ(p.messages, blocks);
    }
  }
}

TEST_P(SumsTest, AMaximumAlongRowsSendsPartialResults) {
  const int64_t n = 70, m = 9;
  Builder b;
  const int32_t x = b.Input({n, m});
  b.trace.outputs = {
      b.Reduce(OpCode::kMax, {n, m}, {true, false}, Read(x, 0, {m * 8, 8}))};
  const BufferRef whole = Numbers(n * m);
  PartitionOptions options;
  options.min_bytes = 1000;
  const Ran ran =
      Check(b.trace, {whole},
            {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())}, ranks(),
            options);
  EXPECT_EQ(ran.outputs[0].distribution.kind, Distribution::kWhole);
  for (const Partition& p : ran.partitions)
    EXPECT_EQ(p.sent_bytes, (ranks() - 1) * m * 8);
}

TEST_P(SumsTest, RowsThatAreAddedInOrderAreAChain) {
  const int64_t n = 61, m = 3;
  if (ranks() <= m) return;  // by columns
  for (const OpCode op : {OpCode::kSum, OpCode::kProd}) {
    Builder b;
    const int32_t x = b.Input({n, m});
    b.trace.outputs = {
        b.Reduce(op, {n, m}, {true, false}, Read(x, 0, {m * 8, 8}))};
    const BufferRef whole = Numbers(n * m);
    PartitionOptions options;
    options.min_bytes = 100;
    const Ran ran =
        Check(b.trace, {whole},
              {MakeSpread(whole, CutEvenly(n, m * 8, ranks()), ranks())},
              ranks(), options);
    EXPECT_EQ(ran.outputs[0].distribution.kind, Distribution::kWhole);
    for (int r = 0; r < ranks(); ++r) {
      const Partition& p = ran.partitions[r];
      EXPECT_TRUE(p.gathered.empty());
      EXPECT_EQ(p.messages, r + 1 < ranks() ? 1 : ranks() - 1);
      EXPECT_EQ(p.sent_bytes, p.messages * m * 8);
    }
  }
}

TEST_P(SumsTest, ARunningSumSendsItsLastRow) {
  const int64_t n = 40;
  for (const int64_t m : {1, 5}) {
    Builder b;
    const int32_t x = b.Input({n, m});
    b.trace.outputs = {b.Reduce(OpCode::kCumsum, {n, m}, {false, false},
                                Read(x, 0, {m * 8, 8}))};
    const BufferRef whole = Numbers(n * m);
    const Distribution d = CutEvenly(n, m * 8, ranks());
    const Ran ran =
        Check(b.trace, {whole}, {MakeSpread(whole, d, ranks())}, ranks());
    EXPECT_EQ(ran.outputs[0].distribution, d);
    for (int r = 0; r < ranks(); ++r) {
      EXPECT_TRUE(ran.partitions[r].gathered.empty());
      EXPECT_EQ(ran.partitions[r].sent_bytes, r + 1 < ranks() ? m * 8 : 0);
    }
  }
}

}  // namespace
}  // namespace fuseau::passes

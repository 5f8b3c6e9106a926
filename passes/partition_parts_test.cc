// Routines of which ranks do parts: searches, counts, sorts, products.
#include <algorithm>

#include "gtest/gtest.h"
#include "passes/partition.h"
#include "passes/partition/program.h"
#include "passes/testing/builder.h"
#include "passes/testing/loops.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes {
namespace {

using ir::OpCode;
using ir::TraceNode;
using runtime::BufferRef;
using testing::Allocate;
using testing::Builder;
using testing::Check;
using testing::CutEvenly;
using testing::MakeSpread;
using testing::Numbers;
using testing::Ran;
using testing::Read;

class PartsTest : public ::testing::TestWithParam<int> {
 protected:
  PartsTest() { testing::RegisterLoops(); }
  int ranks() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Ranks, PartsTest, ::testing::Values(1, 2, 3, 4, 7));

TEST_P(PartsTest, AnExtremeIsFoundAmongThoseOfTheRanks) {
  const int64_t n = 60;
  for (const int64_t m : {1, 5}) {
    for (const bool backwards : {false, true}) {
      Builder b;
      const int32_t x = b.Input({n, m});
      const int64_t row = m * 8;
      b.trace.outputs = {b.Reduce(OpCode::kArgmax, {n, m}, {true, false},
                                  backwards ? Read(x, (n - 1) * row, {-row, 8})
                                            : Read(x, 0, {row, 8}))};
      b.trace.nodes.back().dtype = DType::kInt64;
      // Every rank has the largest number of each column, several times.
      const BufferRef whole = Allocate(n * row);
      double* numbers = reinterpret_cast<double*>(whole->data());
      for (int64_t i = 0; i < n * m; ++i)
        numbers[i] = static_cast<double>(i * 7 % 5);
      PartitionOptions options;
      options.min_bytes = 1000;
      const Ran ran =
          Check(b.trace, {whole},
                {MakeSpread(whole, CutEvenly(n, row, ranks()), ranks())},
                ranks(), options);
      for (const Partition& p : ran.partitions) {
        EXPECT_TRUE(p.gathered.empty());
        // To each of the others a value and a place.
        EXPECT_EQ(p.sent_bytes, (ranks() - 1) * m * (8 + 8));
      }
    }
  }
}

TEST_P(PartsTest, CountsOfTheRanksAreAdded) {
  const int64_t n = 200, bins = 7;
  Builder b;
  const int32_t x = b.Input({n});
  b.trace.outputs = {b.Reduce(OpCode::kBincount, {n, bins}, {true, false},
                              {x, DType::kInt64, 0, {8, 0}})};
  b.trace.nodes.back().dtype = DType::kInt64;
  const BufferRef whole = Allocate(n * 8);
  int64_t* numbers = reinterpret_cast<int64_t*>(whole->data());
  for (int64_t i = 0; i < n; ++i) numbers[i] = i * i % bins;
  PartitionOptions options;
  options.min_bytes = 100;
  const Ran ran = Check(b.trace, {whole},
                        {MakeSpread(whole, CutEvenly(n, 8, ranks()), ranks())},
                        ranks(), options);
  for (const Partition& p : ran.partitions) {
    EXPECT_TRUE(p.gathered.empty());
    EXPECT_EQ(p.sent_bytes, (ranks() - 1) * bins * 8);
  }
}

TEST_P(PartsTest, ALineIsSortedInBlocks) {
  const int64_t n = 101;
  for (const OpCode op : {OpCode::kStableSort, OpCode::kStableArgsort}) {
    Builder b;
    const int32_t x = b.Input({n});
    b.trace.outputs = {b.Reduce(op, {n}, {false}, Read(x, 0, {8}))};
    if (op == OpCode::kStableArgsort)
      b.trace.nodes.back().dtype = DType::kInt64;
    // Zeros of both signs, and others that are equal, on all ranks.
    const BufferRef whole = Allocate(n * 8);
    double* numbers = reinterpret_cast<double*>(whole->data());
    for (int64_t i = 0; i < n; ++i) {
      numbers[i] = static_cast<double>(i * 37 % 11 - 5);
      if (i % 2 == 0) numbers[i] = -numbers[i];
    }
    const Ran ran =
        Check(b.trace, {whole},
              {MakeSpread(whole, CutEvenly(n, 8, ranks()), ranks())}, ranks());
    const int64_t block = (n + ranks() - 1) / ranks();
    for (const Partition& p : ran.partitions) {
      EXPECT_TRUE(p.gathered.empty());
      // No operation of a rank has more than two blocks and their places.
      for (const TraceNode& node : p.trace.nodes) {
        if (node.op == OpCode::kUpdate) continue;
        EXPECT_LE(partition::ResultBytes(node), 2 * block * (8 + 8));
      }
    }
  }
}

TEST_P(PartsTest, ALargeRightOperandTravelsInPanels) {
  const int64_t m = 20, n = 45, k = 30;
  Builder b;
  const int32_t x = b.Input({m, k}), y = b.Input({k, n});
  const int32_t product =
      b.Reduce(OpCode::kMatmul, {m, n, k}, {false, false, true},
               Read(x, 0, {k * 8, 0, 8}));
  b.trace.nodes[product].operands.push_back(Read(y, 0, {0, 8, n * 8}));
  b.trace.outputs = {product};
  const BufferRef left = Numbers(m * k), right = Numbers(k * n);
  const Ran ran =
      Check(b.trace, {left, right},
            {MakeSpread(left, CutEvenly(m, k * 8, ranks()), ranks()),
             MakeSpread(right, CutEvenly(k, n * 8, ranks()), ranks())},
            ranks());
  const int64_t panel = k * ((n + ranks() - 1) / ranks()) * 8;
  int64_t sent = 0;
  for (const Partition& p : ran.partitions) {
    EXPECT_TRUE(p.gathered.empty());
    sent += p.sent_bytes;
    for (const TraceNode& node : p.trace.nodes) {
      if (node.op == OpCode::kExchange) EXPECT_LE(node.shape[0], panel);
    }
  }
  EXPECT_EQ(sent, (ranks() - 1) * k * n * 8);
}

}  // namespace
}  // namespace fuseau::passes

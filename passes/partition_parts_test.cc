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

// The elements of x, and their places, where x < y. The mask has `covered`
// dimensions of x; the first rows have none.
TEST_P(PartsTest, WhatAMaskSelectsGoesToWhoOwnsIt) {
  const int64_t n = 37, m = 6;
  const BufferRef x = Allocate(n * m * 8), y = Allocate(n * m * 8);
  double* left = reinterpret_cast<double*>(x->data());
  double* right = reinterpret_cast<double*>(y->data());
  for (int64_t i = 0; i < n * m; ++i) {
    left[i] = static_cast<double>(i * 7 % 11);
    right[i] = i < n * m / 3 ? -1 : 4;
  }
  for (const int64_t covered : {1, 2}) {
    int64_t selected = 0;
    for (int64_t i = 0; i < n * m; i += covered == 1 ? m : 1)
      selected += left[i] < right[i];
    for (const int64_t backwards : {0, 1}) {
      Builder b;
      const int32_t a = b.Input({n, m}), c = b.Input({n, m});
      const Dims shape = covered == 1 ? Dims{n} : Dims{n, m};
      const Dims strides = covered == 1 ? Dims{m * 8} : Dims{m * 8, 8};
      const int32_t mask = b.Compute(
          OpCode::kLess, shape, {Read(a, 0, strides), Read(c, 0, strides)});
      b.trace.nodes.back().dtype = DType::kBool;
      TraceNode compress;
      compress.op = OpCode::kCompress;
      compress.dtype = DType::kFloat64;
      compress.shape = {selected, n, m};
      compress.reduced = {false, true, covered == 2};
      compress.attribute = covered;
      compress.operands = {backwards ? Read(a, (n - 1) * m * 8, {0, -m * 8, 8})
                                     : Read(a, 0, {0, m * 8, 8}),
                           {mask, DType::kBool, 0,
                            covered == 1 ? Dims{0, 1, 0} : Dims{0, m, 1}}};
      b.trace.outputs = {b.Add(compress)};
      for (int64_t k = 0; k < covered; ++k) {
        TraceNode places;
        places.op = OpCode::kCoordinates;
        places.dtype = DType::kInt64;
        places.shape = shape;
        places.shape.insert(places.shape.begin(), selected);
        places.reduced.assign(places.shape.size(), true);
        places.reduced[0] = false;
        places.attribute = k;
        Dims along = covered == 1 ? Dims{0, 1} : Dims{0, m, 1};
        places.operands = {{mask, DType::kBool, 0, along}};
        b.trace.outputs.push_back(b.Add(places));
      }
      const Distribution rows = CutEvenly(n, m * 8, ranks());
      const Ran ran =
          Check(b.trace, {x, y},
                {MakeSpread(x, rows, ranks()), MakeSpread(y, rows, ranks())},
                ranks());
      for (const Partition& p : ran.partitions) {
        EXPECT_TRUE(p.gathered.empty());
        for (const TraceNode& node : p.trace.nodes) {
          // No rank has room for more than its rows, in either direction.
          if (node.op == OpCode::kCompress && backwards == 0)
            EXPECT_LE(node.shape[0], (n / ranks() + 1) * m);
        }
      }
      // Who has a third of the rows, of which nothing is selected, has as much
      // of the result as the others.
      if (ranks() == 1) continue;
      const std::vector<int64_t>& cuts = ran.outputs[0].distribution.cuts;
      ASSERT_EQ(std::ssize(cuts), ranks() + 1);
      for (int r = 0; r < ranks(); ++r) EXPECT_GT(cuts[r + 1], cuts[r]);
    }
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

TEST_P(PartsTest, LinesAreTransformedWhereTheyAreOrBroughtTogether) {
  const int64_t n = 14, m = 9, item = 16;
  for (const int64_t axis : {0, 1}) {
    Builder b;
    const int32_t x = b.Input({n, 2 * m}), factor = b.Input({1});
    TraceNode node;
    node.op = OpCode::kFft;
    node.dtype = DType::kComplex128;
    node.shape = {n, m, axis == 0 ? n : m};
    node.reduced = {false, false, true};
    node.attribute = axis;
    const Dims strides =
        axis == 0 ? Dims{0, item, m * item} : Dims{m * item, 0, item};
    node.operands = {{x, DType::kComplex128, 0, strides},
                     {factor, DType::kFloat64, 0, {0, 0, 0}}};
    b.trace.outputs = {b.Add(node)};
    const BufferRef whole = Numbers(2 * n * m), one = Numbers(1);
    const Ran ran =
        Check(b.trace, {whole, one},
              {MakeSpread(whole, CutEvenly(n, m * item, ranks()), ranks()),
               MakeSpread(one, Distribution(), ranks())},
              ranks());
    for (const Partition& p : ran.partitions) {
      EXPECT_TRUE(p.gathered.empty());
      if (axis == 1) EXPECT_EQ(p.messages, 0);
      // Never more than a rank's share of the lines, there and back.
      EXPECT_LE(p.sent_bytes, 2 * (n / ranks() + 1) * (m + ranks()) * item);
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

#include "ir/trace_words.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace fuseau::ir {
namespace {

TraceNode Input(int64_t bytes, bool donated = false) {
  TraceNode node;
  node.op = OpCode::kInput;
  node.dtype = DType::kUInt8;
  node.shape = {bytes};
  node.donated = donated;
  return node;
}

TraceOperand Window(int32_t value, int64_t offset, Dims strides) {
  TraceOperand operand;
  operand.value = value;
  operand.offset = offset;
  operand.strides = std::move(strides);
  return operand;
}

// storage[1:4, ::-1] of a 4 x 3 input is doubled, summed and written back.
Trace Example() {
  Trace trace;
  trace.nodes.push_back(Input(96, true));
  TraceNode number;
  number.op = OpCode::kScalar;
  number.dtype = DType::kFloat64;
  trace.nodes.push_back(number);
  TraceNode product;
  product.op = OpCode::kMultiply;
  product.dtype = DType::kFloat64;
  product.shape = {3, 3};
  product.watched = 9;
  product.operands = {Window(0, 40, {24, -8}), Window(1, 0, {0, 0})};
  trace.nodes.push_back(product);
  TraceNode sum;
  sum.op = OpCode::kSum;
  sum.dtype = DType::kFloat64;
  sum.shape = {3, 3};
  sum.reduced = {false, true};
  sum.operands = {Window(2, 0, {24, 8})};
  trace.nodes.push_back(sum);
  TraceNode update;
  update.op = OpCode::kUpdate;
  update.dtype = DType::kFloat64;
  update.shape = {3};
  update.operands = {Window(0, 0, {}), Window(3, 0, {8})};
  update.write_offset = 16;
  update.write_strides = {24};
  trace.nodes.push_back(update);
  trace.outputs = {2, 4};
  return trace;
}

std::vector<uint64_t> Words(const Trace& trace) {
  TraceWriter writer;
  WriteTrace(trace, &writer);
  return {writer.words().begin(), writer.words().end()};
}

TEST(TraceWordsTest, WhatIsWrittenIsRead) {
  const Trace trace = Example();
  const Trace read = ReadTrace(Words(trace));
  ASSERT_EQ(read.nodes.size(), trace.nodes.size());
  EXPECT_EQ(read.outputs, trace.outputs);
  for (size_t i = 0; i < trace.nodes.size(); ++i) {
    const TraceNode& want = trace.nodes[i];
    const TraceNode& got = read.nodes[i];
    EXPECT_EQ(got.op, want.op);
    EXPECT_EQ(got.dtype, want.dtype);
    EXPECT_EQ(got.shape, want.shape);
    EXPECT_EQ(got.reduced, want.reduced);
    EXPECT_EQ(got.donated, want.donated);
    EXPECT_EQ(got.watched, want.watched);
    EXPECT_EQ(got.write_offset, want.write_offset);
    EXPECT_EQ(got.write_strides, want.write_strides);
    ASSERT_EQ(got.operands.size(), want.operands.size());
    for (size_t k = 0; k < want.operands.size(); ++k) {
      EXPECT_EQ(got.operands[k].value, want.operands[k].value);
      EXPECT_EQ(got.operands[k].dtype, want.operands[k].dtype);
      EXPECT_EQ(got.operands[k].offset, want.operands[k].offset);
      EXPECT_EQ(got.operands[k].strides, want.operands[k].strides);
    }
  }
}

// One input of so many bytes, `operations` sums with a number, and as results
// the last ones.
std::vector<uint64_t> WriteSums(int64_t bytes, int operations, int outputs,
                                bool donate, TraceWords expected,
                                bool* as_expected) {
  TraceWriter writer;
  writer.Expect(expected);
  const int64_t shape = bytes / 8, stride = 8;
  int32_t last = writer.Input(bytes);
  for (int i = 0; i < operations; ++i) {
    const int32_t number = writer.Scalar(DType::kFloat64);
    TraceWriter::Operation out =
        writer.Begin(OpCode::kAdd, DType::kFloat64, 1, 2, 0, &shape);
    out.Window(last, DType::kFloat64, 0, &stride);
    out.Number(number, DType::kFloat64);
    last = writer.End(out);
  }
  writer.BeginEnds(1);
  for (int i = 0; i < outputs; ++i) writer.Output(last - 2 * i);
  if (donate) writer.Donate(0);
  writer.Finish();
  *as_expected = writer.as_expected();
  return {writer.words().begin(), writer.words().end()};
}

TEST(TraceWordsTest, WhatIsExpected) {
  bool is_it;
  const std::vector<uint64_t> words = WriteSums(80, 3, 1, true, {}, &is_it);
  EXPECT_FALSE(is_it);
  EXPECT_EQ(WriteSums(80, 3, 1, true, words, &is_it), words);
  EXPECT_TRUE(is_it);
  // Another input, shorter, longer, with more results, not donated. What is
  // written does not depend on what is expected.
  struct Other {
    int64_t bytes;
    int operations, outputs;
    bool donate;
  };
  for (const Other& o :
       {Other{88, 3, 1, true}, Other{80, 2, 1, true}, Other{80, 4, 1, true},
        Other{80, 3, 2, true}, Other{80, 3, 1, false}, Other{80, 0, 0, true}}) {
    bool plain;
    EXPECT_EQ(
        WriteSums(o.bytes, o.operations, o.outputs, o.donate, words, &is_it),
        WriteSums(o.bytes, o.operations, o.outputs, o.donate, {}, &plain));
    EXPECT_FALSE(is_it);
  }
}

TEST(TraceWordsTest, ManyInputs) {
  for (int count : {63, 64, 65, 128, 130}) {
    Trace trace;
    for (int i = 0; i < count; ++i) trace.nodes.push_back(Input(8, i % 3 == 0));
    trace.outputs = {count - 1};
    const Trace read = ReadTrace(Words(trace));
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(read.nodes[i].donated, i % 3 == 0) << i << " of " << count;
    }
    EXPECT_EQ(read.outputs, trace.outputs);
  }
}

TEST(TraceWordsTest, AnIotaHasAFirstNumber) {
  Trace trace;
  TraceNode iota;
  iota.op = OpCode::kIota;
  iota.dtype = DType::kInt64;
  iota.shape = {4};
  iota.attribute = 17;
  trace.nodes.push_back(iota);
  trace.outputs = {0};
  EXPECT_EQ(ReadTrace(Words(trace)).nodes[0].attribute, 17);
}

TEST(TraceWordsTest, EveryFieldCounts) {
  const std::vector<uint64_t> words = Words(Example());
  auto differs = [&](auto change) {
    Trace other = Example();
    change(other);
    return Words(other) != words;
  };
  EXPECT_FALSE(differs([](Trace&) {}));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[0].donated = false; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[0].shape[0] = 88; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[2].op = OpCode::kAdd; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[2].operands[0].offset = 48; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[2].operands[0].strides[1] = 8; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[3].reduced = {true, false}; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[4].write_offset = 8; }));
  EXPECT_TRUE(differs([](Trace& t) { t.nodes[4].operands[1].value = 2; }));
  EXPECT_TRUE(differs([](Trace& t) { t.outputs = {4, 2}; }));
}

TEST(HashWords, SeesEveryWordAndTheLength) {
  std::vector<uint64_t> words;
  std::vector<uint64_t> hashes;
  for (int count = 0; count < 12; ++count) {
    hashes.push_back(HashWords(words));
    for (uint64_t& word : words) {
      ++word;
      hashes.push_back(HashWords(words));
      --word;
    }
    EXPECT_EQ(HashWords(words), HashWords(std::vector<uint64_t>(words)));
    words.push_back(0);
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

}  // namespace
}  // namespace fuseau::ir

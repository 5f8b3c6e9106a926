// Evaluation on ranks that are threads of this process; this thread is rank 0.
#include "frontend/ranks.h"

#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "frontend/array_files.h"
#include "frontend/evaluate.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/reduce.h"
#include "frontend/thread_ranks.h"
#include "frontend/views.h"
#include "frontend/window.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RanksTest : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    // The compiler needs no loops of NumPy's for what is tested here.
    setenv("FUSEAU_JIT", "always", 1);
    setenv("FUSEAU_PARTITION_BYTES", "0", 1);
  }

  void SetUp() override { JoinThreadRanks(GetParam()); }

  void TearDown() override {
    EXPECT_TRUE(EvaluateAll().ok());
    EXPECT_TRUE(Ranks::Leave().ok());
    AwaitThreadRanks();
  }

  static Array Range(int64_t n) {
    Array array;
    EXPECT_TRUE(Iota(n, DType::kFloat64, &array).ok());
    return array;
  }
  // An array that this process has, as one made of a list.
  static Array Here(const std::vector<double>& values) {
    Array array;
    const int64_t shape[1] = {static_cast<int64_t>(values.size())};
    auto buffer = runtime::Arena::Global().Allocate(shape[0] * 8);
    std::memcpy((*buffer)->data(), values.data(), values.size() * 8);
    Node* node = Graph::Get().NewReady(*std::move(buffer), shape[0] * 8);
    MakeArray(node, DType::kFloat64, shape, nullptr, kWritable, &array);
    return array;
  }
  static Operand Number(double value) {
    Operand operand;
    operand.kind = kPyFloat;
    std::memcpy(operand.scalar, &value, sizeof(value));
    return operand;
  }
  static Array Apply(OpCode op, const Operand& x, const Operand& y) {
    Loop loop;
    loop.state = Loop::kNative;
    loop.in[0] = loop.in[1] = loop.out = DType::kFloat64;
    Array result;
    const Operand operands[2] = {x, y};
    EXPECT_TRUE(Elementwise(op, loop, operands, Order::kKeep, &result).ok());
    return result;
  }
  static Array Plus(const Array& x, double y) {
    return Apply(OpCode::kAdd, Operand::Of(x), Number(y));
  }
  static Array Plus(const Array& x, const Array& y) {
    return Apply(OpCode::kAdd, Operand::Of(x), Operand::Of(y));
  }
  static Array Slice(const Array& array, int64_t start, int64_t stop) {
    const IndexItem item = {IndexItem::kSlice, start, stop, 1};
    Array view;
    EXPECT_TRUE(IndexView(array, {&item, 1}, &view).ok());
    return view;
  }
  static bool IsAway(const Array& array) {
    Node* node = array.node();
    EXPECT_TRUE(Compute({&node, 1}).ok());
    return node->state == NodeState::kAway;
  }
  static std::vector<double> Values(const Array& array) {
    Node* node = array.node();
    EXPECT_TRUE(Evaluate({&node, 1}).ok());
    EXPECT_TRUE(EnsureBuffer(node).ok());
    std::vector<double> values;
    for (int64_t i = 0; i < array.size(); ++i) {
      double value;
      std::memcpy(&value,
                  node->buffer->data() + array.offset() +
                      (array.rank() > 0 ? i * array.strides()[0] : 0),
                  sizeof(value));
      values.push_back(value);
    }
    return values;
  }
};

TEST_P(RanksTest, ComputedValuesStayOnTheirRanks) {
  const Array a = Plus(Range(7), 0.5);
  EXPECT_TRUE(IsAway(a));
  EXPECT_THAT(Values(a), ElementsAre(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5));
  EXPECT_TRUE(a.node()->here());
}

TEST_P(RanksTest, ElementsAreFetchedAlone) {
  const Array a = Plus(Range(9), 0);
  EXPECT_TRUE(IsAway(a));
  for (int64_t i = 0; i < 9; ++i) {
    char element[16];
    ASSERT_TRUE(ReadElement(Slice(a, i, i + 1), element).ok());
    double value;
    std::memcpy(&value, element, sizeof(value));
    EXPECT_EQ(value, i);
  }
  EXPECT_TRUE(IsAway(a));
}

TEST_P(RanksTest, ValuesOfThisProcessComeToTheRanks) {
  const Array a = Here({1, 2, 3, 4, 5});
  const Array b = Plus(a, a);
  EXPECT_TRUE(IsAway(b));
  EXPECT_TRUE(IsAway(a));
  EXPECT_THAT(Values(b), ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(Values(a), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(RanksTest, UpdatesInPlaceAcrossWindows) {
  const Array a = Range(10);
  std::vector<double> expected(10);
  for (int i = 0; i < 10; ++i) expected[i] = i;
  for (int step = 0; step < 4; ++step) {
    const Array sum = Plus(Slice(a, 0, 8), Slice(a, 2, 10));
    ASSERT_TRUE(Assign(Slice(a, 1, 9), Operand::Of(sum)).ok());
    const std::vector<double> old = expected;
    for (int i = 1; i < 9; ++i) expected[i] = old[i - 1] + old[i + 1];
    EXPECT_TRUE(IsAway(a));
  }
  EXPECT_EQ(Values(a), expected);
}

TEST_P(RanksTest, AWriteOfThisProcessEndsWhatRanksHold) {
  const Array a = Here({1, 2, 3, 4});
  EXPECT_TRUE(IsAway(Plus(a, 1)));
  // Exposed memory may change at any time.
  ASSERT_TRUE(Expose(a.base()).ok());
  const double nine = 9;
  std::memcpy(a.node()->buffer->data() + 8, &nine, 8);
  const Array b = Plus(a, 0);
  Node* node = b.node();
  ASSERT_TRUE(Evaluate({&node, 1}).ok());
  const double ten = 10;
  std::memcpy(a.node()->buffer->data() + 16, &ten, 8);
  const Array c = Plus(a, 0);
  EXPECT_THAT(Values(c), ElementsAre(1, 9, 10, 4));
  EXPECT_THAT(Values(b), ElementsAre(1, 9, 3, 4));
  Unexpose(a.base());
  ASSERT_TRUE(Assign(Slice(a, 0, 1), Number(7)).ok());
  EXPECT_THAT(Values(Plus(a, 1)), ElementsAre(8, 10, 11, 5));
}

TEST_P(RanksTest, SumsAreKnownHere) {
  const Array a = Plus(Range(100), 1);
  Array sum;
  ASSERT_TRUE(Reduce(OpCode::kSum, a, 1, /*keep_dims=*/false, DType::kFloat64,
                     nullptr, &sum)
                  .ok());
  Node* node = sum.node();
  ASSERT_TRUE(Compute({&node, 1}).ok());
  EXPECT_EQ(node->state, NodeState::kValue);
  EXPECT_THAT(Values(Plus(Here({0, 0}), sum)), Each(5050));
}

TEST_P(RanksTest, WhatIsFetchedOutlivesTheJob) {
  const Array a = Plus(Range(6), 1);
  EXPECT_TRUE(IsAway(a));
  ASSERT_TRUE(FetchAllAway().ok());
  ASSERT_TRUE(Ranks::Leave().ok());
  EXPECT_THAT(Values(a), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Values(Plus(a, 1)), ElementsAre(2, 3, 4, 5, 6, 7));
}

// A file of so many bytes, all 0, that is gone in the end.
class TestFile {
 public:
  explicit TestFile(int64_t bytes)
      : path_(absl::StrCat(::testing::TempDir(), "ranks_test_", getpid())) {
    std::ofstream(path_, std::ios::binary) << std::string(bytes, '\0');
  }
  ~TestFile() { std::remove(path_.c_str()); }
  FilePlace at(int64_t offset) const { return {path_, offset, true}; }
  std::string Content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  const std::string path_;
};

TEST_P(RanksTest, PartsGoToAFileAndComeBack) {
  constexpr int64_t kSize = 1001, kBytes = kSize * 8, kOffset = 24;
  const Array a = Plus(Range(kSize), 0.5);
  ASSERT_TRUE(*IsInParts(a));
  EXPECT_FALSE(*IsInParts(Slice(a, 1, 9)));
  const int64_t fetched = ReadCounter(runtime::Counter::kBytesFetched);
  const TestFile file(kOffset + kBytes + 8);
  const auto stored = StoreArray(a, file.at(kOffset));
  ASSERT_TRUE(stored.ok()) << stored.status();

  std::vector<double> expected(kSize);
  for (int64_t i = 0; i < kSize; ++i) expected[i] = i + 0.5;
  std::string content(kOffset + kBytes + 8, '\0');
  std::memcpy(&content[kOffset], expected.data(), kBytes);
  EXPECT_EQ(file.Content(), content);
  EXPECT_EQ(*stored,
            crc32(0, reinterpret_cast<Bytef*>(&content[kOffset]), kBytes));

  Array b;
  const int64_t shape[1] = {kSize};
  const auto loaded = LoadArray(shape, DType::kFloat64, /*fortran_order=*/false,
                                file.at(kOffset), &b);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, *stored);
  EXPECT_TRUE(IsAway(b));
  EXPECT_TRUE(IsAway(Plus(a, b)));
  EXPECT_EQ(ReadCounter(runtime::Counter::kBytesFetched), fetched);
  EXPECT_EQ(Values(b), expected);
}

TEST_P(RanksTest, AFileThatIsWrongIsAnErrorOfAllRanks) {
  const Array a = Plus(Range(64), 0.5);
  ASSERT_TRUE(*IsInParts(a));
  const FilePlace missing{"/no/such/file", 0, true};
  const absl::Status status = StoreArray(a, missing).status();
  EXPECT_EQ(std::string(*status.GetPayload(kPythonExceptionUrl)),
            "FileNotFoundError");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/no/such/file: No such file or directory"));
  // The last rank alone finds that the file is too short.
  const TestFile file(64 * 8 - 1);
  Array b;
  const int64_t shape[1] = {64};
  const absl::Status early = LoadArray(shape, DType::kFloat64,
                                       /*fortran_order=*/false, file.at(0), &b)
                                 .status();
  EXPECT_THAT(std::string(early.message()),
              HasSubstr("it ends at byte 511, 1 bytes too early"));
  EXPECT_FALSE(b.has_base());
  EXPECT_EQ(Values(a)[63], 63.5);
}

TEST_P(RanksTest, RanksOfOneHostShareItsMemory) {
  const auto leave = [] {
    EXPECT_TRUE(Ranks::Leave().ok());
    AwaitThreadRanks();
  };
  leave();
  const Window before = window;
  window.max_bytes = int64_t{1} << 30;
  JoinThreadRanks(GetParam());
  EXPECT_EQ(window.max_bytes, int64_t{1} << 30);
  leave();
  window.max_bytes = INT64_MAX;
  JoinThreadRanks(GetParam());
  EXPECT_EQ(window.max_bytes, INT64_MAX);
  window = before;
}

INSTANTIATE_TEST_SUITE_P(Sizes, RanksTest, ::testing::Values(2, 3, 4));

}  // namespace
}  // namespace fuseau

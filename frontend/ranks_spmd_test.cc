// A rank among two that run the program: this process, and one that does what
// the test says.
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frontend/evaluate.h"
#include "frontend/ranks.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/arena.h"
#include "runtime/inner_loops.h"

namespace fuseau {
namespace {

using ::testing::HasSubstr;

// What the other rank does.
struct Other {
  bool alike = true;             // it has dropped what this one has
  DeferredDrops::Report report;  // else this
  bool parted = false;           // it does something else
  int gathers = 0;
};

class TwoRanks : public distrib::Group {
 public:
  explicit TwoRanks(Other* other) : other_(*other) {}

  int rank() const override { return 0; }
  int size() const override { return 2; }
  int hosts() const override { return 2; }
  absl::Status Exchange(uint64_t, const runtime::Transfer&, const char*, char*,
                        const std::atomic<bool>*) override {
    return absl::InternalError("nothing here is in parts");
  }
  absl::Status Start(uint64_t, const runtime::Transfer&, const char*,
                     char*) override {
    return absl::InternalError("nothing here is in parts");
  }
  absl::Status Finish(uint64_t, const std::atomic<bool>*) override {
    return absl::InternalError("nothing here is in parts");
  }
  void Progress() override {}
  void Drop() override {}
  absl::Status SendCommand(absl::string_view) override {
    return absl::InternalError("every rank runs the program");
  }
  absl::StatusOr<std::string> NextCommand() override {
    return absl::InternalError("every rank runs the program");
  }
  absl::StatusOr<distrib::Outcome> Agree(
      const distrib::Outcome& mine) override {
    distrib::Outcome all = mine;
    all.unlike = other_.parted;
    all.views_differ = !other_.alike;
    return all;
  }
  absl::StatusOr<std::vector<std::string>> Gather(
      absl::string_view mine) override {
    ++other_.gathers;
    std::string theirs = "0\nends";
    if (!other_.parted) {
      theirs.assign(reinterpret_cast<const char*>(other_.report.data()),
                    other_.report.size() * sizeof(uint64_t));
    }
    return std::vector<std::string>{std::string(mine), theirs};
  }
  void Fail(const absl::Status&) override {}
  absl::Status Health() const override { return absl::OkStatus(); }

 private:
  Other& other_;
};

class SpmdTest : public ::testing::Test {
 protected:
  // What the interpreter needs, in place of NumPy's.
  static void SetUpTestSuite() {
    runtime::RegisterInnerLoop(
        "add.dd->d",
        {[](char** args, const int64_t* n, const int64_t* steps, void*) {
           for (int64_t i = 0; i < *n; ++i) {
             double x, y;
             std::memcpy(&x, args[0] + i * steps[0], 8);
             std::memcpy(&y, args[1] + i * steps[1], 8);
             const double z = x + y;
             std::memcpy(args[2] + i * steps[2], &z, 8);
           }
         },
         nullptr});
  }

  void SetUp() override {
    Ranks::Join(std::make_unique<TwoRanks>(&other_), Ranks::Mode::kSpmd);
  }
  void TearDown() override {
    other_ = Other();
    EXPECT_TRUE(EvaluateAll().ok());
    EXPECT_TRUE(Ranks::Leave().ok());
    EXPECT_EQ(Graph::Get().pending_count(), 0);
  }

  static Array Values(double value) {
    Array array;
    const int64_t shape[1] = {64};
    auto buffer = runtime::Arena::Global().Allocate(64 * 8);
    for (int i = 0; i < 64; ++i) {
      std::memcpy((*buffer)->data() + 8 * i, &value, 8);
    }
    Node* node = Graph::Get().NewReady(*std::move(buffer), 64 * 8);
    MakeArray(node, DType::kFloat64, shape, nullptr, kWritable, &array);
    return array;
  }
  static Array Plus(const Array& x, const Array& y) {
    Loop loop;
    loop.state = Loop::kNative;
    loop.in[0] = loop.in[1] = loop.out = DType::kFloat64;
    Array result;
    const Operand operands[2] = {Operand::Of(x), Operand::Of(y)};
    EXPECT_TRUE(
        Elementwise(OpCode::kAdd, loop, operands, Order::kKeep, &result).ok());
    return result;
  }
  static absl::Status Wait(const Array& array) {
    Node* node = array.node();
    return Evaluate({&node, 1});
  }
  static double First(const Array& array) {
    EXPECT_TRUE(Wait(array).ok());
    double value;
    std::memcpy(&value, array.node()->buffer->data(), 8);
    return value;
  }

  Other other_;
};

// x + x, of which y = (x + x) + x is made; the name of x + x is dropped.
TEST_F(SpmdTest, WhatAllHaveDroppedIsNotComputedAsAResult) {
  const Array x = Values(1);
  Array sum = Plus(x, x);
  const NodeRef node(sum.node());
  const Array y = Plus(sum, x);
  sum.Clear();
  EXPECT_EQ(node->base_refs, 1);  // Until all ranks say so.
  EXPECT_EQ(First(y), 3);
  EXPECT_EQ(node->base_refs, 0);
  EXPECT_EQ(other_.gathers, 0);
}

TEST_F(SpmdTest, WhatAnotherRankStillHasIsComputedHereToo) {
  const Array x = Values(1);
  Array sum = Plus(x, x);
  Node* const node = sum.node();
  const Array y = Plus(sum, x);
  sum.Clear();
  other_.alike = false;
  EXPECT_EQ(First(y), 3);
  EXPECT_EQ(other_.gathers, 1);
  // It was a result of the evaluation, as on the other rank. Nothing reads it
  // any more, so its memory goes with the next one.
  EXPECT_EQ(node->state, NodeState::kReady);
  EXPECT_EQ(node->base_refs, 1);
  other_.alike = true;
  EXPECT_EQ(First(Plus(y, y)), 6);
  EXPECT_EQ(node->base_refs, 0);
}

TEST_F(SpmdTest, OnlySoManyDropsAsAllRanksHave) {
  const Array x = Values(1);
  Array sum = Plus(x, x);
  Node* const node = sum.node();
  Array copies[3];
  for (Array& copy : copies) {
    Graph::Get().Ref(node);
    MakeArray(node, DType::kFloat64, sum.shape(), nullptr, kWritable, &copy);
  }
  for (Array& copy : copies) copy.Clear();
  EXPECT_EQ(node->base_refs, 4);
  // Places: x, then the sum. The other rank has dropped two.
  other_.alike = false;
  other_.report = {uint64_t{1} << 32 | 2 << 1};
  EXPECT_EQ(First(sum), 2);
  EXPECT_EQ(node->base_refs, 2);
}

TEST_F(SpmdTest, MemoryThatIsLentOnAnyRankIsNotOverwritten) {
  for (const bool lent : {false, true}) {
    Array x = Values(1);
    const Array y = Plus(x, x);
    x.Clear();
    other_.alike = !lent;
    // Of the input, at place 0: it has lent the memory and dropped one base.
    other_.report = {1, 1 << 1};
    ASSERT_TRUE(Ranks::active()->Settle({}).ok());
    ir::Trace trace;
    Program::State state;
    ASSERT_TRUE(Foresee(y.node(), &trace, &state).ok());
    ASSERT_EQ(trace.nodes[0].op, OpCode::kInput);
    EXPECT_EQ(trace.nodes[0].donated, !lent);
    other_.alike = true;
    EXPECT_EQ(First(y), 2);
  }
}

TEST_F(SpmdTest, AnUnreadValueGoesAtOnce) {
  Array x = Values(1);
  const runtime::BufferRef buffer = x.node()->buffer;
  x.Clear();
  EXPECT_TRUE(buffer->Unique());
}

TEST_F(SpmdTest, AnExposureIsOverWhenAllSaySo) {
  const Array x = Values(1);
  ASSERT_TRUE(Expose(x.base()).ok());
  LetGo(x.base());
  other_.alike = false;
  Array y = Plus(x, x);
  ASSERT_TRUE(AfterRecord(y.node()).ok());
  EXPECT_FALSE(y.node()->pending());  // as if others could write to x
  EXPECT_EQ(x.base()->exposed, 1);
  other_.alike = true;
  y = Plus(x, x);
  ASSERT_TRUE(AfterRecord(y.node()).ok());
  EXPECT_TRUE(y.node()->pending());
  EXPECT_EQ(x.base()->exposed, 0);
}

TEST_F(SpmdTest, RanksThatPartHaveOneErrorFromThenOn) {
  const Array x = Values(1);
  const Array y = Plus(x, x);
  other_.parted = true;
  const absl::Status status = Wait(y);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("rank 0 records `add` of float64"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("and rank 1 ends"));
  EXPECT_EQ(other_.gathers, 1);
  EXPECT_EQ(Wait(y), status);
  EXPECT_EQ(other_.gathers, 1);
  EXPECT_TRUE(Ranks::Leave().ok());
  EXPECT_EQ(First(y), 2);
}

}  // namespace
}  // namespace fuseau

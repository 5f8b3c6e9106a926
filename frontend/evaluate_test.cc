#include "frontend/evaluate.h"

#include <cstring>
#include <vector>

#include "frontend/record.h"
#include "frontend/reduce.h"
#include "frontend/views.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/inner_loops.h"

namespace fuseau {
namespace {

using ::testing::ElementsAre;

// The loops that the interpreter needs, in place of NumPy's.
template <typename F>
void AddLoop(const char* name) {
  runtime::RegisterInnerLoop(
      name, {[](char** args, const int64_t* n, const int64_t* steps, void*) {
               for (int64_t i = 0; i < *n; ++i) {
                 double x, y;
                 std::memcpy(&x, args[0] + i * steps[0], 8);
                 std::memcpy(&y, args[1] + i * steps[1], 8);
                 const double z = F()(x, y);
                 std::memcpy(args[2] + i * steps[2], &z, 8);
               }
             },
             nullptr});
}

class EvaluateTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    AddLoop<std::plus<double>>("add.dd->d");
    AddLoop<std::multiplies<double>>("multiply.dd->d");
  }

  static Array Range(int64_t n) {
    Array array;
    EXPECT_TRUE(Iota(n, DType::kFloat64, &array).ok());
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

  static Array Slice(const Array& array, int64_t start, int64_t stop) {
    const IndexItem item = {IndexItem::kSlice, start, stop, 1};
    Array view;
    EXPECT_TRUE(IndexView(array, {&item, 1}, &view).ok());
    return view;
  }

  static void Compute(const Array& array) {
    Node* node = array.node();
    ASSERT_TRUE(Evaluate({&node, 1}).ok());
  }

  static std::vector<double> Values(const Array& array) {
    Array copy;
    EXPECT_TRUE(Copy(array, Order::kC, &copy).ok());
    Node* node = copy.node();
    EXPECT_TRUE(Evaluate({&node, 1}).ok());
    EXPECT_TRUE(EnsureBuffer(node).ok());
    std::vector<double> values(static_cast<size_t>(copy.size()));
    std::memcpy(values.data(), node->buffer->data(), values.size() * 8);
    return values;
  }
};

TEST_F(EvaluateTest, ReadersKeepTheirVersion) {
  const Array a = Range(4);
  const Array before = Plus(a, 0);
  ASSERT_TRUE(Assign(Slice(a, 1, 3), Number(9)).ok());
  EXPECT_THAT(Values(a), ElementsAre(0, 9, 9, 3));
  EXPECT_THAT(Values(before), ElementsAre(0, 1, 2, 3));
}

TEST_F(EvaluateTest, ReaderOfAnOverwrittenValueIsComputedWithTheWrite) {
  const Array a = Range(4);
  Compute(a);
  const Array before = Plus(a, 0.5);
  ASSERT_TRUE(Assign(Slice(a, 0, 2), Number(7)).ok());
  Compute(a);
  EXPECT_FALSE(before.node()->pending());
  EXPECT_THAT(Values(before), ElementsAre(0.5, 1.5, 2.5, 3.5));
}

TEST_F(EvaluateTest, OtherReadersStayPending) {
  const Array a = Range(4);
  Compute(a);
  const Array first = Plus(a, 1);
  const Array second = Plus(a, 2);
  Compute(first);
  EXPECT_TRUE(second.node()->pending());
}

TEST_F(EvaluateTest, NamedValuesOnTheWayAreKept) {
  const Array a = Range(3);
  const Array b = Plus(a, 1);
  const Array c = Plus(b, 1);
  Compute(c);
  EXPECT_FALSE(b.node()->pending());
}

TEST_F(EvaluateTest, OverlappingWriteReadsOldElements) {
  const Array a = Range(6);
  ASSERT_TRUE(Assign(Slice(a, 1, 6), Operand::Of(Slice(a, 0, 5))).ok());
  EXPECT_THAT(Values(a), ElementsAre(0, 0, 1, 2, 3, 4));
  ASSERT_TRUE(Assign(Slice(a, 0, 5), Operand::Of(Slice(a, 1, 6))).ok());
  EXPECT_THAT(Values(a), ElementsAre(0, 1, 2, 3, 4, 4));
}

TEST_F(EvaluateTest, WriteOfAllElementsForgetsTheOldValue) {
  const Array a = Range(3);
  const Node* old = a.node();
  ASSERT_EQ(old->refs, 1u);
  ASSERT_TRUE(Assign(a, Operand::Of(Plus(Range(3), 1))).ok());
  EXPECT_EQ(a.node()->op, OpCode::kAdd);
  EXPECT_THAT(Values(a), ElementsAre(1, 2, 3));
}

TEST_F(EvaluateTest, CopySharesTheValue) {
  const Array a = Range(3);
  Array b;
  ASSERT_TRUE(Copy(a, Order::kC, &b).ok());
  EXPECT_EQ(a.node(), b.node());
  ASSERT_TRUE(Assign(Slice(b, 0, 1), Number(5)).ok());
  EXPECT_THAT(Values(a), ElementsAre(0, 1, 2));
  EXPECT_THAT(Values(b), ElementsAre(5, 1, 2));
}

TEST_F(EvaluateTest, ExposedBaseKeepsItsMemory) {
  const Array a = Range(3);
  ASSERT_TRUE(Expose(a.base()).ok());
  const char* data = a.node()->buffer->data();
  ASSERT_TRUE(Assign(Slice(a, 1, 2), Number(8)).ok());
  EXPECT_FALSE(a.node()->pending());
  EXPECT_EQ(a.node()->buffer->data(), data);
  double value;
  std::memcpy(&value, data + 8, 8);
  EXPECT_EQ(value, 8);
  ASSERT_TRUE(Assign(a, Operand::Of(Range(3))).ok());
  std::memcpy(&value, data + 8, 8);
  EXPECT_EQ(value, 1);
  Unexpose(a.base());
}

TEST_F(EvaluateTest, ExposureUnsharesACopy) {
  const Array a = Range(3);
  Array b;
  ASSERT_TRUE(Copy(a, Order::kC, &b).ok());
  ASSERT_TRUE(Expose(b.base()).ok());
  EXPECT_NE(a.node(), b.node());
  Unexpose(b.base());
}

TEST_F(EvaluateTest, NumbersAreComputedAtOnce) {
  const Array a = Range(3);
  Compute(a);
  const IndexItem item = {IndexItem::kInteger, 2, 0, 0};
  Array element, number;
  ASSERT_TRUE(IndexView(a, {&item, 1}, &element).ok());
  ASSERT_TRUE(TakeNumber(element, &number).ok());
  EXPECT_TRUE(number.has(kScalarFlag));
  const Array sum = Plus(number, 0.5);
  EXPECT_EQ(sum.node()->state, NodeState::kValue);
  EXPECT_THAT(Values(sum), ElementsAre(2.5));
}

TEST_F(EvaluateTest, SumsOverAxes) {
  const Array a = Range(6);
  const Array matrix = *ReshapeView(a, {2, 3}, false);
  Array rows, all;
  ASSERT_TRUE(
      Reduce(OpCode::kSum, matrix, 2, false, DType::kFloat64, nullptr, &rows)
          .ok());
  EXPECT_THAT(Values(rows), ElementsAre(3, 12));
  ASSERT_TRUE(
      Reduce(OpCode::kSum, matrix, 3, false, DType::kFloat64, nullptr, &all)
          .ok());
  EXPECT_TRUE(all.has(kScalarFlag));
  EXPECT_THAT(Values(all), ElementsAre(15));
}

TEST_F(EvaluateTest, ReductionOfNothing) {
  Array empty, sum, least;
  ASSERT_TRUE(Zeros({0, 3}, DType::kFloat64, Order::kC, &empty).ok());
  ASSERT_TRUE(
      Reduce(OpCode::kSum, empty, 1, false, DType::kFloat64, nullptr, &sum)
          .ok());
  EXPECT_THAT(Values(sum), ElementsAre(0, 0, 0));
  EXPECT_EQ(
      Reduce(OpCode::kMin, empty, 1, false, DType::kFloat64, nullptr, &least)
          .message(),
      "zero-size array to reduction operation minimum which has no identity");
}

TEST_F(EvaluateTest, HugeArraysAreRefused) {
  Array array;
  const absl::Status status =
      Full({int64_t{1} << 40}, DType::kFloat64, Number(1), Order::kC, &array);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "Unable to allocate 8.00 TiB for an array with shape "
            "(1099511627776,) and data type float64");
}

}  // namespace
}  // namespace fuseau

#include "frontend/views.h"

#include <climits>

#include "frontend/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fuseau {
namespace {

using ::testing::ElementsAre;

IndexItem At(int64_t i) { return {IndexItem::kInteger, i, 0, 0}; }
IndexItem Slice(int64_t start, int64_t stop, int64_t step = 1) {
  return {IndexItem::kSlice, start, stop, step};
}
IndexItem All() { return Slice(0, LONG_MAX); }
IndexItem NewAxis() { return {IndexItem::kNewAxis, 0, 0, 0}; }
IndexItem Ellipsis() { return {IndexItem::kEllipsis, 0, 0, 0}; }

Array Make(const Dims& shape) {
  Array array;
  EXPECT_TRUE(Zeros(shape, DType::kFloat64, Order::kC, &array).ok());
  return array;
}

Array Index(const Array& array, const std::vector<IndexItem>& items) {
  Array view;
  const absl::Status status = IndexView(array, items, &view);
  EXPECT_TRUE(status.ok()) << status;
  return view;
}

std::string IndexError(const Array& array,
                       const std::vector<IndexItem>& items) {
  Array view;
  const absl::Status status = IndexView(array, items, &view);
  EXPECT_FALSE(status.ok());
  return std::string(status.message());
}

TEST(IndexView, SlicesMoveTheStart) {
  const Array view = Index(Make({4, 5}), {Slice(1, -1), Slice(1, LONG_MAX, 2)});
  EXPECT_THAT(view.shape(), ElementsAre(2, 2));
  EXPECT_THAT(view.strides(), ElementsAre(40, 16));
  EXPECT_EQ(view.offset(), 48);
  EXPECT_FALSE(view.has(kCContiguous));
  EXPECT_TRUE(view.has(kAxesInOrder));
}

TEST(IndexView, NegativeStepsBeginAtTheEnd) {
  const Array view = Index(Make({5}), {Slice(LONG_MAX, LONG_MIN, -2)});
  EXPECT_THAT(view.shape(), ElementsAre(3));
  EXPECT_THAT(view.strides(), ElementsAre(-16));
  EXPECT_EQ(view.offset(), 32);
}

TEST(IndexView, IntegersNewAxesAndEllipsis) {
  const Array view =
      Index(Make({2, 3, 4}), {At(-1), NewAxis(), Ellipsis(), NewAxis()});
  EXPECT_THAT(view.shape(), ElementsAre(1, 3, 4, 1));
  EXPECT_THAT(view.strides(), ElementsAre(0, 32, 8, 0));
  EXPECT_EQ(view.offset(), 96);
}

TEST(IndexView, EmptySlicesStayInside) {
  const Array view = Index(Make({3}), {Slice(7, 9)});
  EXPECT_THAT(view.shape(), ElementsAre(0));
  EXPECT_EQ(view.offset(), 0);
}

TEST(IndexView, Errors) {
  const Array array = Make({2, 3});
  EXPECT_EQ(IndexError(array, {At(0), At(3)}),
            "index 3 is out of bounds for axis 1 with size 3");
  EXPECT_EQ(IndexError(array, {At(-3)}),
            "index -3 is out of bounds for axis 0 with size 2");
  EXPECT_EQ(IndexError(array, {All(), All(), At(0)}),
            "too many indices for array: array is 2-dimensional, but 3 were "
            "indexed");
  EXPECT_EQ(IndexError(array, {Ellipsis(), Ellipsis()}),
            "an index can only have a single ellipsis ('...')");
}

TEST(Reshape, ResolvesTheUnknownDimension) {
  const Array array = Make({2, 6});
  EXPECT_THAT(*ResolveShape(array, {3, -1}), ElementsAre(3, 4));
  EXPECT_EQ(ResolveShape(array, {5, -1}).status().message(),
            "cannot reshape array of size 12 into shape (5,newaxis)");
  EXPECT_EQ(ResolveShape(array, {-1, 5}).status().message(),
            "cannot reshape array of size 12 into shape (5)");
  EXPECT_EQ(ResolveShape(array, {-1, -1}).status().message(),
            "can only specify one unknown dimension");
}

TEST(Reshape, IsAViewWhereTheStridesAllow) {
  const Array array = Make({4, 6});
  EXPECT_TRUE(ReshapeView(array, {24}, false).has_value());
  const Array part = Index(array, {All(), Slice(0, 3)});
  EXPECT_FALSE(ReshapeView(part, {12}, false).has_value());
  EXPECT_TRUE(ReshapeView(part, {2, 2, 3}, false).has_value());
}

TEST(TypeView, ChangesTheLastAxis) {
  Array view;
  ASSERT_TRUE(TypeView(Make({2, 3}), DType::kInt32, &view).ok());
  EXPECT_THAT(view.shape(), ElementsAre(2, 6));
  EXPECT_THAT(view.strides(), ElementsAre(24, 4));
  Array none;
  EXPECT_FALSE(TypeView(Make({3}), DType::kComplex128, &none).ok());
}

TEST(StridedView, MustLieInTheBase) {
  Array view;
  EXPECT_TRUE(StridedView(Make({10}), 16, {4}, {16}, true, &view).ok());
  Array none;
  EXPECT_FALSE(StridedView(Make({10}), 24, {4}, {24}, true, &none).ok());
  EXPECT_FALSE(StridedView(Make({10}), 0, {2}, {-8}, true, &none).ok());
}

TEST(BroadcastView, CannotBeWritten) {
  Array view;
  ASSERT_TRUE(BroadcastView(Make({3, 1}), {2, 3, 4}, &view).ok());
  EXPECT_THAT(view.strides(), ElementsAre(0, 8, 0));
  EXPECT_FALSE(view.has(kWritable));
}

}  // namespace
}  // namespace fuseau

#include "frontend/layout.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fuseau {
namespace {

using ::testing::ElementsAre;

TEST(Layout, BroadcastShapes) {
  const Dims a = {3, 1}, b = {4}, c = {2, 3, 1};
  auto shape = BroadcastShapes({a, b, c});
  ASSERT_TRUE(shape.ok());
  EXPECT_THAT(*shape, ElementsAre(2, 3, 4));
}

TEST(Layout, BroadcastErrorNamesAllShapes) {
  const Dims a = {3}, b = {4, 2}, c = {};
  auto shape = BroadcastShapes({a, b, c});
  EXPECT_EQ(shape.status().message(),
            "operands could not be broadcast together with shapes (3,) (4,2) "
            "() ");
}

TEST(Layout, ZeroMeetsOne) {
  const Dims a = {0, 3}, b = {1, 3};
  EXPECT_THAT(*BroadcastShapes({a, b}), ElementsAre(0, 3));
}

TEST(Layout, IterationOrderFollowsTheStrides) {
  const int64_t fortran[] = {8, 24, 96};
  uint8_t axes[3];
  IterationOrder(3, {fortran}, axes);
  EXPECT_THAT(axes, ElementsAre(2, 1, 0));
}

TEST(Layout, IterationOrderOfConflictsIsThatOfTheAxes) {
  const int64_t c_order[] = {24, 8}, f_order[] = {8, 16};
  uint8_t axes[2];
  IterationOrder(2, {c_order, f_order}, axes);
  EXPECT_THAT(axes, ElementsAre(0, 1));
}

TEST(Layout, BroadcastAxesSayNothingAboutOrder) {
  const int64_t strides[] = {8, 0, 40};
  uint8_t axes[3];
  IterationOrder(3, {strides}, axes);
  // Axis 0 moves in behind axis 2, past the one that does not move.
  EXPECT_THAT(axes, ElementsAre(1, 2, 0));
}

TEST(Layout, CopyOrderSortsSteps) {
  const Dims shape = {2, 3, 4}, strides = {8, -64, 16};
  uint8_t axes[3];
  CopyOrder(shape, strides, false, false, Order::kKeep, axes);
  EXPECT_THAT(axes, ElementsAre(1, 2, 0));
}

TEST(Layout, ReshapeSplitsAndJoinsAxes) {
  // A (6, 4) array with rows of 10.
  auto strides = ReshapeStrides({6, 4}, {80, 8}, {2, 3, 4}, 8, false);
  ASSERT_TRUE(strides.has_value());
  EXPECT_THAT(*strides, ElementsAre(240, 80, 8));
  EXPECT_FALSE(ReshapeStrides({6, 4}, {80, 8}, {24}, 8, false).has_value());
  EXPECT_TRUE(ReshapeStrides({6, 4}, {32, 8}, {24}, 8, false).has_value());
}

TEST(Layout, ReshapeInFortranOrder) {
  auto strides = ReshapeStrides({2, 3}, {8, 16}, {6}, 8, true);
  ASSERT_TRUE(strides.has_value());
  EXPECT_THAT(*strides, ElementsAre(8));
  EXPECT_FALSE(ReshapeStrides({2, 3}, {24, 8}, {6}, 8, true).has_value());
}

TEST(Layout, ReshapeOfNegativeStrides) {
  auto strides = ReshapeStrides({6}, {-8}, {2, 3}, 8, false);
  ASSERT_TRUE(strides.has_value());
  EXPECT_THAT(*strides, ElementsAre(-24, -8));
}

}  // namespace
}  // namespace fuseau

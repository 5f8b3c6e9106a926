#include "passes/access.h"

#include <random>

#include "gtest/gtest.h"

namespace fuseau::passes {
namespace {

int64_t At(const Access& a, const Dims& point) {
  int64_t byte = a.offset;
  for (size_t d = 0; d < point.size(); ++d) byte += point[d] * a.strides[d];
  return byte;
}

// All points of a space, in order.
std::vector<Dims> Points(const Dims& space) {
  std::vector<Dims> points;
  for (int64_t n = 0; n < Count(space); ++n) {
    Dims p(space.size());
    int64_t rest = n;
    for (int d = static_cast<int>(space.size()) - 1; d >= 0; --d) {
      p[d] = rest % space[d];
      rest /= space[d];
    }
    points.push_back(p);
  }
  return points;
}

TEST(AccessTest, DenseAccessIgnoresUnitDimensions) {
  EXPECT_EQ(DenseAccess({4, 1, 5}, 8).strides, (Dims{40, 0, 8}));
}

TEST(AccessTest, ReshapeOfContiguousWindowComposes) {
  const Access outer = DenseAccess({2, 3, 4}, 8);
  auto got = Compose(outer, {2, 3, 4}, {24}, 8, {16, {8}});
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->offset, 16);
  EXPECT_EQ(got->strides, (Dims{96, 32, 8}));
}

TEST(AccessTest, FlatteningAStridedWindowDoesNotCompose) {
  EXPECT_FALSE(
      Compose(DenseAccess({24}, 8), {24}, {4, 6}, 8, {0, {80, 8}}).has_value());
}

// Whatever composes must agree with reading the window element by element.
TEST(AccessTest, ComposeAgreesWithIndexing) {
  std::mt19937 random(7);
  auto pick = [&](int lo, int hi) {
    return std::uniform_int_distribution<int>(lo, hi)(random);
  };
  int composed = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    Dims shape(pick(1, 3)), window_strides;
    for (auto& s : shape) s = pick(1, 4);
    for (size_t d = 0; d < shape.size(); ++d)
      window_strides.push_back(4 * pick(-9, 9));
    const Access window{4 * pick(0, 9), window_strides};
    // A random view of the dense storage of the window.
    const Dims dense = DenseStrides(shape, 4);
    Dims space(pick(1, 3)), strides(space.size());
    Access outer{0, {}};
    for (size_t d = 0; d < space.size(); ++d) {
      space[d] = pick(1, 4);
      strides[d] = dense[pick(0, shape.size() - 1)] * pick(-2, 2);
    }
    outer.strides = strides;
    outer.offset = 4 * pick(0, Count(shape) - 1);
    Normalize(outer, space);
    const ByteRange range = Extent(outer.offset, space, outer.strides, 4);
    if (range.lo < 0 || range.hi > Count(shape) * 4) continue;
    auto got = Compose(outer, space, shape, 4, window);
    if (!got) continue;
    ++composed;
    for (const Dims& p : Points(space)) {
      int64_t linear = At(outer, p) / 4;
      Dims index(shape.size());
      for (int d = static_cast<int>(shape.size()) - 1; d >= 0; --d) {
        index[d] = linear % shape[d];
        linear /= shape[d];
      }
      ASSERT_EQ(At(*got, p), At(window, index));
    }
  }
  EXPECT_GT(composed, 3000);
}

}  // namespace
}  // namespace fuseau::passes

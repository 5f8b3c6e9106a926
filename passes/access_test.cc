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

TEST(AccessTest, UntouchedIsTheRestOfTheStorage) {
  // The inner 3 x 2 elements of 5 x 4: two elements between the rows.
  const auto rest = Untouched({40, {32, 8}}, {3, 2}, 8, 160);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(*rest,
            (std::vector<Runs>{
                {56, 16, {2}, {32}}, {0, 40, {}, {}}, {120, 40, {}, {}}}));
  // All of it, also backwards or transposed.
  EXPECT_EQ(Untouched({0, {32, 8}}, {5, 4}, 8, 160), std::vector<Runs>());
  EXPECT_EQ(Untouched({152, {-8}}, {20}, 8, 160), std::vector<Runs>());
  EXPECT_EQ(Untouched({0, {8, 32}}, {4, 5}, 8, 160), std::vector<Runs>());
  // Rows that overlap, and those that lie between each other.
  EXPECT_EQ(Untouched({0, {8, 8}}, {3, 3}, 8, 160), std::nullopt);
  EXPECT_EQ(Untouched({0, {24, 16}}, {3, 3}, 8, 160), std::nullopt);
}

// Each byte is either touched or left, and none is both.
TEST(AccessTest, UntouchedOfRandomWindows) {
  std::mt19937 random(5);
  auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  int known = 0;
  for (int round = 0; round < 3000; ++round) {
    const int64_t item = int64_t{1} << pick(0, 3);
    Access access{item * pick(0, 6), {}};
    Dims space;
    for (int64_t d = pick(0, 3); d > 0; --d) {
      space.push_back(pick(1, 4));
      access.strides.push_back(item * pick(-9, 9));
    }
    const ByteRange range = Extent(access.offset, space, access.strides, item);
    if (range.lo < 0) continue;
    const int64_t bytes = range.hi + pick(0, 9);
    const auto rest = Untouched(access, space, item, bytes);
    if (!rest) continue;
    ++known;
    std::vector<int> count(bytes);
    for (const Dims& p : Points(space))
      for (int64_t b = 0; b < item; ++b) ++count[At(access, p) + b];
    for (const Runs& runs : *rest)
      for (const Dims& p : Points(runs.sizes))
        for (int64_t b = 0; b < runs.bytes; ++b)
          ++count[At({runs.offset, runs.strides}, p) + b];
    EXPECT_EQ(count, std::vector<int>(bytes, 1));
  }
  EXPECT_GT(known, 300);
}

}  // namespace
}  // namespace fuseau::passes

#include "runtime/cpu/strided_copy.h"

#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/caches.h"

namespace fuseau::runtime {
namespace {

int64_t Pick(std::mt19937& random, int64_t lo, int64_t hi) {
  return std::uniform_int_distribution<int64_t>(lo, hi)(random);
}

// Strides in any order of axes, with gaps and flips; returns the bytes needed
// and the offset of element 0.
int64_t RandomView(std::mt19937& random, const Dims& sizes, int64_t item,
                   Dims* strides, int64_t* offset) {
  std::vector<int> order;
  for (size_t d = 0; d < sizes.size(); ++d) {
    order.insert(order.begin() + Pick(random, 0, order.size()),
                 static_cast<int>(d));
  }
  strides->assign(sizes.size(), 0);
  *offset = 0;
  int64_t step = item;
  for (int d : order) {
    step *= Pick(random, 0, 3) == 0 ? 2 : 1;
    const bool flip = Pick(random, 0, 3) == 0;
    (*strides)[d] = flip ? -step : step;
    if (flip) *offset += step * (sizes[d] - 1);
    step *= sizes[d];
  }
  return step + item;
}

// More than the caches hold, in runs that begin anywhere in a line.
TEST(StridedCopyTest, LongRunsPastTheCaches) {
  constexpr int64_t kRun = 5000, kFrom = 5100, kTo = 5003;
  const int64_t rows = Caches().shared / kRun;
  std::vector<char> from(rows * kFrom), to(rows * kTo, 'x');
  for (size_t i = 0; i < from.size(); ++i)
    from[i] = static_cast<char>(i * 7 + (i >> 9));
  CopyStrided(to.data(), {kTo, 1}, from.data(), {kFrom, 1}, {rows, kRun}, 1);
  for (int64_t row = 0; row < rows; ++row) {
    ASSERT_EQ(std::memcmp(&to[row * kTo], &from[row * kFrom], kRun), 0) << row;
    ASSERT_EQ(to[row * kTo + kRun], 'x') << row;
  }
}

TEST(StridedCopyTest, EqualsElementByElement) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 3000; ++trial) {
    const int64_t item = int64_t{1} << Pick(random, 0, 4);
    Dims sizes;
    for (int64_t d = Pick(random, 0, 4); d > 0; --d) {
      sizes.push_back(Pick(random, 1, 5));
    }
    Dims to_strides, from_strides;
    int64_t to_offset = 0, from_offset = 0;
    std::vector<char> to(
        RandomView(random, sizes, item, &to_strides, &to_offset));
    std::vector<char> from(
        RandomView(random, sizes, item, &from_strides, &from_offset));
    for (char& c : from) c = static_cast<char>(Pick(random, -128, 127));
    std::vector<char> expected = to;
    for (int64_t i = 0; i < Count(sizes); ++i) {
      int64_t rest = i, a = to_offset, b = from_offset;
      for (int d = static_cast<int>(sizes.size()) - 1; d >= 0; --d) {
        a += rest % sizes[d] * to_strides[d];
        b += rest % sizes[d] * from_strides[d];
        rest /= sizes[d];
      }
      std::copy_n(&from[b], item, &expected[a]);
    }
    CopyStrided(to.data() + to_offset, to_strides, from.data() + from_offset,
                from_strides, sizes, item);
    ASSERT_EQ(to, expected) << trial;
  }
}

TEST(StridedCopyTest, CopiesNothingOfAnEmptyView) {
  CopyStrided(nullptr, {8, 8}, nullptr, {8, 8}, {0, 4}, 8);
}

TEST(ScratchLayoutTest, KeepsStridesThatWasteLittle) {
  const ScratchLayout layout = MakeScratchLayout({10, 6}, {64, 8}, 8);
  EXPECT_EQ(layout.strides, (Dims{64, 8}));
  EXPECT_EQ(layout.lo, 0);
  EXPECT_EQ(layout.bytes, 9 * 64 + 6 * 8);
}

TEST(ScratchLayoutTest, PacksWideViewsAndKeepsTheClassOfTheInnermostStride) {
  EXPECT_EQ(MakeScratchLayout({10, 6}, {8000, 8}, 8).strides, (Dims{48, 8}));
  EXPECT_EQ(MakeScratchLayout({10, 6}, {8, 8000}, 8).strides, (Dims{96, 16}));
  EXPECT_EQ(MakeScratchLayout({10, 6}, {8000, 0}, 8).strides, (Dims{8, 0}));
  const ScratchLayout back = MakeScratchLayout({10, 6}, {8000, -8}, 8);
  EXPECT_EQ(back.strides, (Dims{48, -8}));
  EXPECT_EQ(back.lo, -40);
  EXPECT_EQ(back.bytes, 480);
}

}  // namespace
}  // namespace fuseau::runtime

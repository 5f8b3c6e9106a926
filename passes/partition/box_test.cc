#include "passes/partition/box.h"

#include <algorithm>
#include <random>

#include "gtest/gtest.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes::partition {
namespace {

using runtime::CopyPart;
using testing::ForEachRun;

// The bytes of a box, in its order.
std::vector<int64_t> BytesOf(const CopyPart& part) {
  std::vector<int64_t> bytes;
  ForEachRun(part, [&](int64_t at) {
    for (int64_t i = 0; i < part.bytes; ++i) bytes.push_back(at + i);
  });
  return bytes;
}

TEST(BoxTest, ClippingKeepsTheBytesOfTheRange) {
  std::mt19937 random(3);
  const auto pick = [&](int64_t lo, int64_t hi) {
    return std::uniform_int_distribution<int64_t>(lo, hi)(random);
  };
  for (int i = 0; i < 20000; ++i) {
    Dims shape, strides;
    for (int64_t d = pick(0, 3); d > 0; --d) {
      shape.push_back(pick(1, 4));
      strides.push_back(pick(-40, 40));
    }
    const int64_t item = pick(1, 8);
    const Packing packing = Pack(1000, shape, strides, item);
    const Box& box = packing.box;
    // Every element is in the copy, where the access says.
    std::vector<int64_t> all;
    for (const Region& region : Clip(box, {INT64_MIN / 4, INT64_MAX / 4})) {
      for (int64_t at : BytesOf(PartOf(box, region, 0))) all.push_back(at);
    }
    ASSERT_EQ(static_cast<int64_t>(all.size()), box.bytes());
    ASSERT_TRUE(std::is_sorted(all.begin(), all.end()));
    const CopyPart original{1000, 1, shape, strides};
    const CopyPart packed{packing.offset, 1, shape, packing.strides};
    const std::vector<int64_t> from = BytesOf(original), to = BytesOf(packed);
    for (size_t e = 0; e < from.size(); ++e) ASSERT_EQ(all[to[e]], from[e]);
    // Parts of a range.
    const int64_t lo = pick(850, 1150), hi = lo + pick(0, 150);
    std::vector<int64_t> want, places, got, got_places;
    for (size_t e = 0; e < all.size(); ++e) {
      if (all[e] < lo || all[e] >= hi) continue;
      want.push_back(all[e]);
      places.push_back(static_cast<int64_t>(e));
    }
    const auto regions = Clip(box, {lo, hi});
    EXPECT_LE(regions.size(), 2 * box.shape.size() + 1);
    for (const Region& region : regions) {
      for (int64_t at : BytesOf(PartOf(box, region, 0))) got.push_back(at);
      for (int64_t at : BytesOf(PackedPartOf(box, region, 0)))
        got_places.push_back(at);
    }
    ASSERT_EQ(got, want);
    ASSERT_EQ(got_places, places);
  }
}

}  // namespace
}  // namespace fuseau::passes::partition

#include "passes/partition/sorts.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace fuseau::passes::partition {
namespace {

// A network sorts everything if it sorts all zeros and ones.
TEST(SortingNetworkTest, SortsZerosAndOnes) {
  for (int count = 0; count <= 12; ++count) {
    const auto network = SortingNetwork(count);
    for (int ones = 0; ones < 1 << count; ++ones) {
      std::vector<int> line;
      for (int i = 0; i < count; ++i) line.push_back(ones >> i & 1);
      for (const auto& [low, high] : network) {
        ASSERT_LT(low, high);
        ASSERT_LT(high, count);
        if (line[low] > line[high]) std::swap(line[low], line[high]);
      }
      EXPECT_TRUE(std::is_sorted(line.begin(), line.end()))
          << count << " elements, " << ones;
    }
  }
}

TEST(SortingNetworkTest, HasAsManyComparisonsAsOddEvenMerges) {
  EXPECT_EQ(SortingNetwork(2).size(), 1u);
  EXPECT_EQ(SortingNetwork(4).size(), 5u);
  EXPECT_EQ(SortingNetwork(8).size(), 19u);
  EXPECT_EQ(SortingNetwork(16).size(), 63u);
}

}  // namespace
}  // namespace fuseau::passes::partition

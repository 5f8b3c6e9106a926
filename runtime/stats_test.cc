#include "runtime/stats.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

TEST(StatsTest, CountsAndResets) {
  ResetCounters();
  Increment(Counter::kLaunches);
  Increment(Counter::kLaunches, 4);
  EXPECT_EQ(ReadCounter(Counter::kLaunches), 5);
  EXPECT_EQ(ReadCounter(Counter::kWindows), 0);
  ResetCounters();
  EXPECT_EQ(ReadCounter(Counter::kLaunches), 0);
}

TEST(StatsTest, EveryCounterHasItsOwnName) {
  std::set<std::string> names;
  for (int i = 0; i < kCounterCount; ++i) {
    names.insert(std::string(CounterName(static_cast<Counter>(i))));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kCounterCount));
  EXPECT_EQ(names.count(""), 0u);
}

}  // namespace
}  // namespace fuseau::runtime

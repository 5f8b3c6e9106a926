#include "frontend/plan_cache.h"

#include "gtest/gtest.h"

namespace fuseau {
namespace {

PlanCache::PlanPtr Plan() { return std::make_shared<runtime::Plan>(); }

TEST(PlanCache, FindsWhatWasInserted) {
  PlanCache cache(1 << 20);
  PlanCache::PlanPtr plan = Plan(), found;
  cache.Insert("a", plan);
  EXPECT_TRUE(cache.Find("a", &found));
  EXPECT_EQ(found, plan);
  EXPECT_FALSE(cache.Find("b", &found));
}

TEST(PlanCache, ForgetsTheLeastRecentlyUsed) {
  PlanCache probe(1 << 20);
  probe.Insert("a", Plan());
  PlanCache cache(2 * probe.bytes());
  PlanCache::PlanPtr found;
  cache.Insert("a", Plan());
  cache.Insert("b", Plan());
  EXPECT_TRUE(cache.Find("a", &found));
  cache.Insert("c", Plan());
  EXPECT_FALSE(cache.Find("b", &found));
  EXPECT_TRUE(cache.Find("a", &found));
  EXPECT_TRUE(cache.Find("c", &found));
}

}  // namespace
}  // namespace fuseau

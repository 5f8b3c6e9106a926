#include "frontend/plan_cache.h"

#include "gtest/gtest.h"

namespace fuseau {
namespace {

// The words of a trace that has one input of so many bytes and no results.
class Words {
 public:
  explicit Words(int64_t bytes) {
    writer_.Input(bytes);
    writer_.BeginEnds(1);
    writer_.Finish();
  }
  operator ir::TraceWords() const { return writer_.words(); }

 private:
  ir::TraceWriter writer_;
};

Program* Insert(int64_t bytes, PlanCache* cache) {
  const Words words(bytes);
  return cache->Insert(words,
                       std::make_unique<Program>(words, JitMode::kNever));
}

TEST(PlanCache, FindsWhatWasInserted) {
  PlanCache cache(1 << 20);
  Program* program = Insert(1, &cache);
  EXPECT_EQ(cache.Find(Words(1)), program);
  EXPECT_EQ(cache.Find(Words(2)), nullptr);
}

TEST(PlanCache, ExpectsWhatCameNextBefore) {
  PlanCache cache(1 << 20);
  EXPECT_TRUE(cache.Expected().empty());
  Program* one = Insert(1, &cache);
  EXPECT_EQ(cache.Expected(), ir::TraceWords(Words(1)));
  Program* two = Insert(2, &cache);
  cache.Find(Words(1));
  EXPECT_EQ(cache.Expected(), ir::TraceWords(Words(2)));
  EXPECT_EQ(cache.FindExpected(), two);
  EXPECT_EQ(cache.Expected(), ir::TraceWords(Words(1)));
  EXPECT_EQ(cache.FindExpected(), one);
  // Again and again the same.
  cache.Find(Words(1));
  EXPECT_EQ(cache.FindExpected(), one);
}

TEST(PlanCache, CountsMisses) {
  PlanCache cache(1 << 20);
  for (int times = 1; times <= 3; ++times) {
    cache.Find(Words(1));
    EXPECT_EQ(cache.TimesMissed(), times);
  }
  cache.Find(Words(2));
  EXPECT_EQ(cache.TimesMissed(), 1);
}

TEST(PlanCache, DoesNotExpectWhatIsForgotten) {
  PlanCache probe(1 << 20);
  Insert(1, &probe);
  PlanCache cache(2 * probe.bytes());
  Insert(1, &cache);
  Insert(2, &cache);
  cache.Find(Words(1));
  cache.Find(Words(1));
  cache.Find(Words(2));
  cache.Find(Words(1));  // expects 2
  Insert(3, &cache);     // forgets 2
  cache.Find(Words(1));
  EXPECT_EQ(cache.Expected(), ir::TraceWords(Words(3)));
  cache.Find(Words(3));
  EXPECT_EQ(cache.Expected(), ir::TraceWords(Words(1)));
}

TEST(PlanCache, ForgetsTheLeastRecentlyUsed) {
  PlanCache probe(1 << 20);
  Insert(1, &probe);
  PlanCache cache(2 * probe.bytes());
  Insert(1, &cache);
  Insert(2, &cache);
  EXPECT_NE(cache.Find(Words(1)), nullptr);
  Insert(3, &cache);
  EXPECT_EQ(cache.Find(Words(2)), nullptr);
  EXPECT_NE(cache.Find(Words(1)), nullptr);
  EXPECT_NE(cache.Find(Words(3)), nullptr);
  EXPECT_LE(cache.bytes(), 2 * probe.bytes());
}

}  // namespace
}  // namespace fuseau

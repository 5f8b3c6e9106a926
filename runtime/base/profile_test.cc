#include "runtime/base/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace fuseau::profile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The events of the only thread.
std::vector<std::vector<int64_t>> NumbersOfEvents(const std::string& text) {
  constexpr size_t kColumns = 10;
  std::vector<std::vector<int64_t>> events;
  const size_t at = text.find("\"events\":[");
  if (at == std::string::npos) return events;
  std::stringstream in(text.substr(at + 9));
  char separator = 0;
  int64_t number = 0;
  while (in >> separator && separator != ']' && in >> number) {
    if (events.empty() || events.back().size() == kColumns) {
      events.emplace_back();
    }
    events.back().push_back(number);
  }
  return events;
}

TEST(ProfileTest, NotesNothingUnlessItRuns) {
  {
    const Scope scope(Kind::kKernel, "early");
    EXPECT_FALSE(scope.noted());
  }
  ASSERT_TRUE(Start());
  EXPECT_FALSE(Start());
  {
    const Scope scope(Kind::kKernel, "noted");
    EXPECT_TRUE(scope.noted());
  }
  const std::string text = Stop({});
  EXPECT_THAT(text, HasSubstr("\"noted\""));
  EXPECT_THAT(text, Not(HasSubstr("early")));
  EXPECT_FALSE(On());
}

TEST(ProfileTest, AProfileBeginsEmpty) {
  ASSERT_TRUE(Start());
  {
    const Scope scope(Kind::kKernel, "first");
  }
  Stop({});
  ASSERT_TRUE(Start());
  EXPECT_THAT(Stop({}), Not(HasSubstr("first")));
}

TEST(ProfileTest, AnEventThatOutlivesItsProfileIsLost) {
  ASSERT_TRUE(Start());
  {
    const Scope scope(Kind::kKernel, "long");
    Stop({});
    ASSERT_TRUE(Start());
  }
  EXPECT_THAT(NumbersOfEvents(Stop({})), IsEmpty());
}

TEST(ProfileTest, ThreadsHaveListsOfTheirOwn) {
  ASSERT_TRUE(Start());
  std::thread([] {
    NameThread("other \"one\"");
    const Scope scope(Kind::kCopy, "copy");
  }).join();
  {
    const Scope scope(Kind::kKernel, "kernel");
  }
  const std::string text = Stop({});
  EXPECT_THAT(text, HasSubstr(R"("name":"other \"one\"","rank":0)"));
}

TEST(ProfileTest, ChunksOfOneLaunchAreOneEvent) {
  ASSERT_TRUE(Start());
  Current of;
  of.name = Intern("work");
  const int64_t now = Now();
  NoteWork(of, 1, now, now + 100);
  NoteWork(of, 1, now + 200, now + 300);
  NoteWork(of, 2, now + 400, now + 500);
  NoteWork(of, 2, now + 400 + 1'000'000, now + 500 + 1'000'000);
  // Three events of ten numbers each.
  EXPECT_THAT(NumbersOfEvents(Stop({})),
              ElementsAre(SizeIs(10), SizeIs(10), SizeIs(10)));
}

TEST(ProfileTest, KernelsHaveTheLinesOfTheirNodes) {
  ASSERT_TRUE(Start());
  const std::vector<int32_t> node_lines = {0, 3, 5, 3};
  {
    const Evaluation evaluation(node_lines);
    EXPECT_EQ(Evaluation::LinesOfNodes({}), LinesOf({3, 3, 5}));
    EXPECT_EQ(Evaluation::LinesOfNodes({2}), LinesOf({5}));
    EXPECT_EQ(Evaluation::LinesOfNodes({1, 3}), LinesOf({3, 3}));
    // Nodes of another trace.
    EXPECT_EQ(Evaluation::LinesOfNodes({9}), LinesOf({3, 3, 5}));
  }
  EXPECT_EQ(Evaluation::LinesOfNodes({2}), 0);
  const std::string text = Stop({"", "a.py:1"});
  EXPECT_THAT(text, HasSubstr(R"("places":["","a.py:1"])"));
}

TEST(ProfileTest, CountsByLine) {
  ASSERT_TRUE(Start());
  Count(Tally::kElementRead, 7);
  Count(Tally::kElementRead, 7);
  EXPECT_THAT(Stop({}), HasSubstr(R"("element_reads":[[7,2]])"));
}

}  // namespace
}  // namespace fuseau::profile

#include "distrib/local/local_group.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "distrib/testing/rank_programs.h"

namespace fuseau::distrib {
namespace {

void RunOnThreads(int size, void (*run)(Group&),
                  absl::Duration delay = absl::ZeroDuration()) {
  std::vector<std::unique_ptr<Group>> groups = MakeLocalGroups(size, delay);
  std::vector<std::thread> threads;
  for (auto& group : groups) {
    threads.emplace_back([group = std::move(group), run]() mutable {
      run(*group);
      group.reset();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class LocalGroups
    : public testing::TestWithParam<std::tuple<RankProgram, int>> {};

TEST_P(LocalGroups, Conform) {
  const auto& [program, size] = GetParam();
  RunOnThreads(size, program.run);
}

INSTANTIATE_TEST_SUITE_P(
    All, LocalGroups,
    testing::Combine(testing::ValuesIn(RankPrograms().begin(),
                                       RankPrograms().end()),
                     testing::Values(1, 2, 3, 4)),
    [](const auto& info) {
      return absl::StrCat(std::get<0>(info.param).name, "_",
                          std::get<1>(info.param));
    });

TEST(LocalGroupTest, ASlowLinkConforms) {
  for (const RankProgram& program : RankPrograms()) {
    SCOPED_TRACE(program.name);
    RunOnThreads(3, program.run, absl::Microseconds(100));
  }
}

TEST(LocalGroupTest, MessagesAreUnderWayOnASlowLink) {
  static constexpr absl::Duration kDelay = absl::Milliseconds(50);
  RunOnThreads(
      2,
      [](Group& group) {
        const char sent = 'a';
        char got = 'x';
        runtime::Transfer transfer;
        const int peer = 1 - group.rank();
        transfer.sends = {{peer, 1, {{0, 1, {}, {}}}}};
        transfer.receives = {{peer, 1, {{0, 1, {}, {}}}}};
        ASSERT_TRUE(group.Agree({}).ok());
        const absl::Time start = absl::Now();
        ASSERT_EQ(group.Start(1, transfer, &sent, &got), absl::OkStatus());
        group.Progress();
        if (absl::Now() - start < kDelay / 2) EXPECT_EQ(got, 'x');
        ASSERT_EQ(group.Finish(1, nullptr), absl::OkStatus());
        EXPECT_EQ(got, 'a');
        EXPECT_GE(absl::Now() - start, kDelay / 2);
      },
      kDelay);
}

TEST(LocalGroupTest, ALostRankIsAnErrorForAllOthers) {
  RunOnThreads(3, [](Group& group) {
    if (group.rank() == 1) {
      LoseLocalRank(group, 1);
      return;
    }
    const auto all = group.Agree({});
    EXPECT_EQ(all.status().code(), absl::StatusCode::kUnavailable);
    const auto payload = all.status().GetPayload(kRankFailurePayload);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(std::string(*payload).substr(0, 2), "1\t");
    EXPECT_FALSE(group.Health().ok());
    EXPECT_EQ(group.Exchange(1, {}, nullptr, nullptr, nullptr), group.Health());
    EXPECT_EQ(group.Agree({}).status(), group.Health());
  });
}

TEST(LocalGroupTest, WhoWaitsForARankThatLeftHasAFailure) {
  RunOnThreads(3, [](Group& group) {
    if (group.rank() == 0) return;
    const auto command = group.NextCommand();
    EXPECT_EQ(command.status().code(), absl::StatusCode::kUnavailable);
    const auto payload = command.status().GetPayload(kRankFailurePayload);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(std::string(*payload).substr(0, 2), "0\t");
  });
}

}  // namespace
}  // namespace fuseau::distrib

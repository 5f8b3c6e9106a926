// What becomes of a job when one of its processes ends or stands still.

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "distrib/clock.h"
#include "distrib/environment.h"
#include "distrib/join.h"
#include "distrib/testing/processes.h"

namespace fuseau::distrib {
namespace {

using runtime::Transfer;

constexpr int kRanks = 3;
constexpr absl::Duration kStartLimit = absl::Seconds(30);
// What is promised.
constexpr absl::Duration kKillLimit = absl::Seconds(2);

// What a rank does until it gets an error.
using Work = absl::Status (*)(Group& group);

// Rounds of messages of that size around the ring, one after the other.
template <int64_t kBytes>
absl::Status TransferWork(Group& group) {
  std::vector<char> source(kBytes, 'a'), target(kBytes);
  Transfer transfer;
  transfer.sends.push_back(
      {(group.rank() + 1) % group.size(), kBytes, {{0, kBytes, {}, {}}}});
  transfer.receives.push_back(
      {(group.rank() + kRanks - 1) % kRanks, kBytes, {{0, kBytes, {}, {}}}});
  absl::Status status;
  for (uint64_t tag = 0; status.ok(); ++tag) {
    status =
        group.Exchange(tag, transfer, source.data(), target.data(), nullptr);
  }
  // Nothing may write to memory that the group has given back.
  std::fill(target.begin(), target.end(), 'z');
  Say("failed");
  if (std::getenv("FUSEAU_TEST_LINGER") != nullptr) {
    absl::SleepFor(absl::Seconds(2));
  }
  EXPECT_TRUE(std::all_of(target.begin(), target.end(),
                          [](char c) { return c == 'z'; }));
  return status;
}

// Waits for a message that nobody sends.
absl::Status WaitWork(Group& group) {
  char target[8];
  Transfer transfer;
  transfer.receives.push_back(
      {(group.rank() + 1) % kRanks, 8, {{0, 8, {}, {}}}});
  return group.Exchange(1, transfer, nullptr, target, nullptr);
}

absl::Status AgreementWork(Group& group) {
  while (true) {
    const absl::StatusOr<Outcome> all = group.Agree({});
    if (!all.ok()) return all.status();
  }
}

// All but the victim agree and wait for it.
absl::Status IdleWork(Group& group) {
  if (group.rank() == 0) {  // computes
    while (group.Health().ok()) absl::SleepFor(absl::Milliseconds(1));
    return group.Health();
  }
  return group.NextCommand().status();
}

absl::Status CommandWork(Group& group) {
  const std::string command(1 << 20, 'c');
  while (true) {
    if (group.rank() == 0) {
      if (absl::Status s = group.SendCommand(command); !s.ok()) return s;
    } else if (auto next = group.NextCommand(); !next.ok()) {
      return next.status();
    }
  }
}

// Rank 1 has a child that outlives it; the others wait.
absl::Status ForkWork(Group& group) {
  if (group.rank() != 1) return WaitWork(group);
  if (fork() == 0) {
    Say(absl::StrCat("pid ", getpid()));
    const absl::Status status = group.Agree({}).status();
    Say(absl::StrCat("child ", absl::StatusCodeToString(status.code())));
    absl::SleepFor(absl::Seconds(20));
    _exit(0);
  }
  return WaitWork(group);
}

// Rank 1 ends without a word, as programs do that call exit().
absl::Status ExitWork(Group& group) {
  if (group.rank() == 1) std::exit(0);
  return AgreementWork(group);
}

struct State {
  const char* name;
  Work work;
};
constexpr State kStates[] = {
    {"SmallTransfer", TransferWork<64>},
    {"LargeTransfer", TransferWork<4 << 20>},
    {"Wait", WaitWork},
    {"Agreement", AgreementWork},
    {"Idle", IdleWork},
    {"Command", CommandWork},
};
constexpr State kOthers[] = {{"Fork", ForkWork}, {"Exit", ExitWork}};

// The rank is done when it knows that the victim is lost, and says so.
int RunProgram(const std::string& name) {
  const auto options = ReadEnvironment();
  EXPECT_TRUE(options.ok()) << options.status();
  if (!options.ok()) return 1;
  Say("starts");
  absl::StatusOr<std::unique_ptr<Group>> group = Join(**options);
  absl::Status status = group.status();
  if (group.ok()) {
    Say("joined");
    for (absl::Span<const State> states :
         {absl::MakeSpan(kStates), absl::MakeSpan(kOthers)}) {
      for (const State& state : states) {
        if (state.name == name) status = state.work(**group);
      }
    }
    if (std::getenv("FUSEAU_TEST_LINGER") == nullptr) {
      EXPECT_EQ((*group)->Health(), status);
    }
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  const auto payload = status.GetPayload(kRankFailurePayload);
  EXPECT_TRUE(payload.has_value()) << status;
  std::string text(payload.value_or(absl::Cord("nothing")));
  std::replace(text.begin(), text.end(), '\t', ' ');
  Say(absl::StrCat("lost ", text));
  return testing::Test::HasFailure() ? 1 : 0;
}

std::string HostName() {
  char host[256];
  gethostname(host, sizeof(host));
  return host;
}

// Files and segments of shared memory that were left by these processes. Names
// of files do not tell whose they are: what was there before does not count.
std::set<std::string> SharedFiles() {
  std::set<std::string> names;
  DIR* const folder = opendir("/dev/shm");
  if (folder == nullptr) return names;
  while (const dirent* entry = readdir(folder)) {
    if (absl::StrContains(entry->d_name, "ucx")) names.insert(entry->d_name);
  }
  closedir(folder);
  return names;
}
int SegmentsOf(const std::set<pid_t>& pids) {
  std::ifstream file("/proc/sysvipc/shm");
  std::string line;
  std::getline(file, line);  // key shmid perms size cpid ...
  int count = 0;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string key, id, permissions, size;
    pid_t creator = 0;
    words >> key >> id >> permissions >> size >> creator;
    count += pids.count(creator) > 0;
  }
  return count;
}

class Kill
    : public testing::TestWithParam<std::tuple<State, int, const char*>> {};

TEST_P(Kill, AllOthersHaveARankFailureWithinTwoSeconds) {
  const auto& [state, victim, transports] = GetParam();
  const std::set<std::string> files = SharedFiles();
  Variables variables;
  if (absl::string_view(transports) == "tcp") {
    variables["UCX_TLS"] = "tcp,self";
  }
  std::set<pid_t> pids;
  {
    Processes job(kRanks);
    job.StartAll(state.name, variables);
    for (int rank = 0; rank < kRanks; ++rank) {
      ASSERT_TRUE(job.Heard(rank, "joined", kStartLimit)) << job.Output(rank);
      pids.insert(job.pid(rank));
    }
    absl::SleepFor(absl::Milliseconds(100));  // into the work
    const absl::Time killed = Now();
    ASSERT_EQ(kill(job.pid(victim), SIGKILL), 0);
    for (int rank = 0; rank < kRanks; ++rank) {
      if (rank == victim) continue;
      EXPECT_EQ(job.Wait(rank, kKillLimit - (Now() - killed)), 0)
          << "rank " << rank << ": " << job.Output(rank);
      EXPECT_TRUE(absl::StrContains(
          job.Output(rank),
          absl::StrCat("says lost ", victim, " ", HostName(), " ")))
          << job.Output(rank);
    }
    RecordProperty("milliseconds",
                   static_cast<int>(absl::ToInt64Milliseconds(Now() - killed)));
    EXPECT_EQ(job.Wait(victim, kKillLimit), 1000 + SIGKILL);
  }
  // Files of others come and go; what is left stays.
  const absl::Time limit = Now() + absl::Seconds(5);
  std::set<std::string> left;
  do {
    left = SharedFiles();
    for (const std::string& name : files) left.erase(name);
    absl::SleepFor(absl::Milliseconds(20));
  } while ((!left.empty() || SegmentsOf(pids) > 0) && Now() < limit);
  EXPECT_THAT(left, testing::IsEmpty());
  EXPECT_EQ(SegmentsOf(pids), 0);
}

INSTANTIATE_TEST_SUITE_P(All, Kill,
                         testing::Combine(testing::ValuesIn(kStates),
                                          testing::Values(0, 2),
                                          testing::Values("shm", "tcp")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param).name,
                                               "_", std::get<1>(info.param),
                                               "_", std::get<2>(info.param));
                         });

// Rank 2 never comes; rank 1 or rank 0 ends while the others wait for it.
class KillInBootstrap : public testing::TestWithParam<int> {};

TEST_P(KillInBootstrap, TheOtherHasARankFailureWithinTwoSeconds) {
  const int victim = GetParam(), survivor = 1 - victim;
  Processes job(kRanks);
  job.Start(0, "Idle", {{"FUSEAU_LOG", "2"}});
  job.Start(1, "Idle");
  const absl::Time limit = Now() + kStartLimit;
  while (!absl::StrContains(job.Output(0), "rank 1 joins from ")) {
    ASSERT_LT(Now(), limit) << job.Output(0);
    absl::SleepFor(absl::Milliseconds(5));
  }
  ASSERT_EQ(kill(job.pid(victim), SIGKILL), 0);
  EXPECT_EQ(job.Wait(survivor, kKillLimit), 0) << job.Output(survivor);
  EXPECT_TRUE(absl::StrContains(job.Output(survivor),
                                absl::StrCat("says lost ", victim, " ")))
      << job.Output(survivor);
  EXPECT_TRUE(absl::StrContains(job.Output(survivor), " bootstrap\n"))
      << job.Output(survivor);
}

INSTANTIATE_TEST_SUITE_P(All, KillInBootstrap, testing::Values(0, 1));

TEST(MissingRank, IsNamedOnAllOthers) {
  Processes job(4);
  for (int rank : {0, 2}) {
    job.Start(rank, "Idle", {{"FUSEAU_JOIN_SECONDS", "2"}});
  }
  for (int rank : {0, 2}) {
    EXPECT_NE(job.Wait(rank, absl::Seconds(20)), -1);
    EXPECT_TRUE(absl::StrContains(job.Output(rank),
                                  "ranks 1, 3 of 4 did not join in time"))
        << job.Output(rank);
  }
}

TEST(MissingRank, IsRankZero) {
  Processes job(2);
  job.Start(1, "Idle",
            {{"FUSEAU_JOIN_SECONDS", "1"}, {"FUSEAU_STORE", "127.0.0.1:1"}});
  EXPECT_EQ(job.Wait(1, absl::Seconds(20)), 0) << job.Output(1);
  EXPECT_TRUE(
      absl::StrContains(job.Output(1), "says lost 0 127.0.0.1 bootstrap"))
      << job.Output(1);
}

// The child has copies of the connections of its parent, whose end must be seen
// all the same. It cannot use the group.
TEST(ForkTest, TheChildOfARankHidesNothing) {
  Processes job(kRanks);
  job.StartAll("Fork");
  ASSERT_TRUE(job.Heard(1, "child FAILED_PRECONDITION", kStartLimit))
      << job.Output(1);
  const std::string output = job.Output(1);
  const pid_t child = std::atoi(&output[output.find("says pid ") + 9]);
  ASSERT_GT(child, 1) << output;
  ASSERT_EQ(kill(job.pid(1), SIGKILL), 0);
  for (int rank : {0, 2}) {
    EXPECT_EQ(job.Wait(rank, kKillLimit), 0) << job.Output(rank);
    EXPECT_TRUE(absl::StrContains(job.Output(rank), "says lost 1 "))
        << job.Output(rank);
  }
  EXPECT_EQ(kill(child, SIGKILL), 0);  // it was there until now
}

TEST(ExitTest, WithoutLeavingIsALossToTheOthersAndNoCrash) {
  Processes job(kRanks);
  job.StartAll("Exit");
  EXPECT_TRUE(job.AllPass(kStartLimit));
  for (int rank : {0, 2}) {
    EXPECT_TRUE(absl::StrContains(job.Output(rank), "says lost 1 "))
        << job.Output(rank);
  }
}

TEST(LibraryTest, JoinSaysThatUcxIsMissing) {
  Processes job(2);
  job.Start(0, "Idle", {{"FUSEAU_UCX_LIBRARY", "/nowhere/libucp.so.0"}});
  EXPECT_EQ(job.Wait(0, kStartLimit), 1);
  EXPECT_TRUE(absl::StrContains(job.Output(0), "several ranks need UCX"))
      << job.Output(0);
  EXPECT_TRUE(absl::StrContains(job.Output(0), "/nowhere/libucp.so.0"));
}

// A rank that stands still counts as lost after the time of the setting. When
// it wakes up, it finds that the job is over and harms nobody.
class Stop : public testing::TestWithParam<std::tuple<State, int>> {};

TEST_P(Stop, CountsAsTheEnd) {
  const auto& [state, victim] = GetParam();
  Processes job(kRanks);
  job.StartAll(state.name,
               {{"FUSEAU_SILENCE_SECONDS", "2"}, {"FUSEAU_TEST_LINGER", "1"}});
  for (int rank = 0; rank < kRanks; ++rank) {
    ASSERT_TRUE(job.Heard(rank, "joined", kStartLimit)) << job.Output(rank);
  }
  absl::SleepFor(absl::Milliseconds(100));
  const absl::Time stopped = Now();
  ASSERT_EQ(kill(job.pid(victim), SIGSTOP), 0);
  const bool lingers = absl::StrContains(state.name, "Transfer");
  const int other = victim == 0 ? 1 : 0;
  if (lingers) {
    ASSERT_TRUE(job.Heard(other, "failed", absl::Seconds(10)));
  } else {
    EXPECT_EQ(job.Wait(other, absl::Seconds(10)), 0) << job.Output(other);
  }
  EXPECT_GE(Now() - stopped, absl::Seconds(1));
  EXPECT_LE(Now() - stopped, absl::Seconds(6));
  ASSERT_EQ(kill(job.pid(victim), SIGCONT), 0);
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(job.Wait(rank, absl::Seconds(10)), 0) << job.Output(rank);
    if (rank == victim) continue;
    EXPECT_TRUE(
        absl::StrContains(job.Output(rank), absl::StrCat("says lost ", victim)))
        << job.Output(rank);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Stop,
    testing::Combine(testing::Values(kStates[0], kStates[1], kStates[3]),
                     testing::Values(0, 2)),
    [](const auto& info) {
      return absl::StrCat(std::get<0>(info.param).name, "_",
                          std::get<1>(info.param));
    });

}  // namespace
}  // namespace fuseau::distrib

int main(int argc, char** argv) {
  return fuseau::distrib::RunTestsOrProgram(argc, argv,
                                            fuseau::distrib::RunProgram);
}

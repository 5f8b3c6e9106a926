// Groups of processes: over shared memory, and over TCP as between hosts.

#include "distrib/testing/processes.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "distrib/environment.h"
#include "distrib/join.h"
#include "distrib/testing/rank_programs.h"

namespace fuseau::distrib {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(90);

class ProcessGroups
    : public testing::TestWithParam<std::tuple<RankProgram, int, const char*>> {
};

TEST_P(ProcessGroups, Conform) {
  const auto& [program, ranks, transports] = GetParam();
  Processes job(ranks);
  Variables variables;
  if (absl::string_view(transports) == "tcp") {
    variables["UCX_TLS"] = "tcp,self";
  }
  job.StartAll(program.name, variables);
  job.AllPass(kLimit);
}

INSTANTIATE_TEST_SUITE_P(
    All, ProcessGroups,
    testing::Combine(testing::ValuesIn(RankPrograms().begin(),
                                       RankPrograms().end()),
                     testing::Values(2, 3, 4), testing::Values("shm", "tcp")),
    [](const auto& info) {
      return absl::StrCat(std::get<0>(info.param).name, "_",
                          std::get<1>(info.param), "_",
                          std::get<2>(info.param));
    });

TEST(SharedMemoryTest, ALineSaysThatItIsNotUsed) {
  for (const char* use : {"y", "n"}) {
    Processes job(2);
    job.StartAll("CommandRuns", {{"UCX_MM_ERROR_HANDLING", use}});
    job.AllPass(kLimit);
    EXPECT_EQ(absl::StrContains(job.Output(0), "do not use shared memory"),
              use == absl::string_view("n"))
        << job.Output(0);
  }
}

int RunProgram(const std::string& name) {
  const auto options = ReadEnvironment();
  EXPECT_TRUE(options.ok()) << options.status();
  if (!options.ok()) return 1;
  for (const RankProgram& program : RankPrograms()) {
    if (program.name != name) continue;
    absl::StatusOr<std::unique_ptr<Group>> group = Join(**options);
    EXPECT_TRUE(group.ok()) << group.status();
    if (group.ok()) program.run(**group);
  }
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace
}  // namespace fuseau::distrib

int main(int argc, char** argv) {
  return fuseau::distrib::RunTestsOrProgram(argc, argv,
                                            fuseau::distrib::RunProgram);
}

#include "distrib/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

namespace fuseau::distrib {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

constexpr char kToken[] = "00112233445566778899aabbccddeeff";

absl::StatusOr<std::optional<JoinOptions>> Read(const Variables& variables) {
  return ReadEnvironment([&](const char* name) -> const char* {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

JoinOptions ReadJob(const Variables& variables) {
  const auto options = Read(variables);
  EXPECT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options.ok() && options->has_value());
  return options.ok() && options->has_value() ? **options : JoinOptions();
}

void ExpectError(const Variables& variables, const std::string& text) {
  EXPECT_THAT(std::string(Read(variables).status().message()), HasSubstr(text));
}

const Variables kStore = {{"FUSEAU_STORE", "127.0.0.1:4000"},
                          {"FUSEAU_RANK", "2"},
                          {"FUSEAU_RANKS", "4"},
                          {"FUSEAU_TOKEN", kToken}};
const Variables kSlurm = {{"SLURM_PROCID", "1"},
                          {"SLURM_STEP_NUM_TASKS", "2"},
                          {"SLURM_JOB_ID", "17"},
                          {"SLURM_STEP_ID", "3"},
                          {"FUSEAU_TOKEN", kToken}};
const Variables kMaster = {{"RANK", "1"},
                           {"WORLD_SIZE", "2"},
                           {"MASTER_ADDR", "localhost"},
                           {"MASTER_PORT", "29500"},
                           {"FUSEAU_TOKEN", kToken}};

Variables With(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

TEST(EnvironmentTest, ASingleProcessHasNoJob) {
  for (const Variables& variables :
       {Variables{}, Variables{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}},
        Variables{{"FUSEAU_RANK", "1"}}, Variables{{"RANK", "0"}}}) {
    const auto options = Read(variables);
    ASSERT_TRUE(options.ok());
    EXPECT_FALSE(options->has_value());
  }
}

TEST(EnvironmentTest, TheStoreComesFirst) {
  const JoinOptions options = ReadJob(
      With(With(With(kSlurm, kMaster), {{"PMIX_NAMESPACE", "x"}}), kStore));
  EXPECT_FALSE(options.pmix);
  EXPECT_EQ(options.rank, 2);
  EXPECT_EQ(options.ranks, 4);
  EXPECT_EQ(options.store.host, "127.0.0.1");
  EXPECT_EQ(options.store.port, 4000);
  EXPECT_EQ(options.store_fd, -1);
  EXPECT_EQ(FormatToken(options.token), kToken);
  EXPECT_FALSE(options.spmd);
  EXPECT_EQ(options.join_time, absl::Seconds(60));
  EXPECT_EQ(options.silence, absl::Seconds(9));
}

TEST(EnvironmentTest, SettingsOfTheJob) {
  const JoinOptions options =
      ReadJob(With(kStore, {{"FUSEAU_STORE", "[::1]:5"},
                            {"FUSEAU_STORE_FD", "7"},
                            {"FUSEAU_SPMD", "1"},
                            {"FUSEAU_INTERFACE", "eth0"},
                            {"FUSEAU_JOIN_SECONDS", "5"},
                            {"FUSEAU_SILENCE_SECONDS", "3"}}));
  EXPECT_EQ(options.store.host, "::1");
  EXPECT_EQ(options.store_fd, 7);
  EXPECT_TRUE(options.spmd);
  EXPECT_EQ(options.interface, "eth0");
  EXPECT_EQ(options.join_time, absl::Seconds(5));
  EXPECT_EQ(options.silence, absl::Seconds(3));
}

TEST(EnvironmentTest, PmixNeedsNoToken) {
  EXPECT_TRUE(ReadJob({{"PMIX_NAMESPACE", "job"},
                       {"SLURM_PROCID", "0"},
                       {"SLURM_STEP_NUM_TASKS", "2"}})
                  .pmix);
}

TEST(EnvironmentTest, SlurmOnOneNodeUsesTheLoopback) {
  const JoinOptions options = ReadJob(kSlurm);
  EXPECT_EQ(options.rank, 1);
  EXPECT_EQ(options.ranks, 2);
  EXPECT_EQ(options.store.host, "127.0.0.1");
  EXPECT_EQ(options.store.port, 10000 + 17 * 31 + 3);
}

TEST(EnvironmentTest, SlurmOnSeveralNodesUsesTheFirst) {
  for (const auto& [list, first] : {std::pair{"n[03-07,9],m1", "n03"},
                                    {"n1,n2", "n1"},
                                    {"a-b1", "a-b1"},
                                    {"x[7]", "x7"}}) {
    const JoinOptions options =
        ReadJob(With(kSlurm, {{"SLURM_STEP_NUM_NODES", "2"},
                              {"SLURM_STEP_NODELIST", list}}));
    EXPECT_EQ(options.store.host, first);
  }
}

TEST(EnvironmentTest, ThePortNextToThatOfTheMaster) {
  const JoinOptions options = ReadJob(kMaster);
  EXPECT_EQ(options.rank, 1);
  EXPECT_EQ(options.store.host, "localhost");
  EXPECT_EQ(options.store.port, 29501);
}

TEST(EnvironmentTest, WhatIsWrongIsNamed) {
  ExpectError(With(kStore, {{"FUSEAU_RANK", "4"}}), "FUSEAU_RANK=4");
  ExpectError(With(kStore, {{"FUSEAU_RANK", ""}}), "FUSEAU_RANK is not set");
  ExpectError(With(kStore, {{"FUSEAU_RANKS", "0"}}), "FUSEAU_RANKS=0");
  ExpectError(With(kStore, {{"FUSEAU_STORE", "nowhere"}}), "host:port");
  ExpectError(With(kStore, {{"FUSEAU_STORE", ":4"}}), "host:port");
  ExpectError(With(kStore, {{"FUSEAU_STORE", "a:70000"}}), "host:port");
  ExpectError(With(kStore, {{"FUSEAU_SPMD", "maybe"}}), "FUSEAU_SPMD=maybe");
  ExpectError(With(kStore, {{"FUSEAU_JOIN_SECONDS", "x"}}),
              "FUSEAU_JOIN_SECONDS=x");
  ExpectError(With(kStore, {{"FUSEAU_TOKEN", ""}}), "FUSEAU_TOKEN");
}

TEST(EnvironmentTest, ABadTokenIsNotRepeated) {
  const auto options = Read(With(kStore, {{"FUSEAU_TOKEN", "secret"}}));
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(std::string(options.status().message()),
              testing::Not(HasSubstr("secret")));
}

TEST(EnvironmentTest, ATokenFileIsTheUsersAlone) {
  const std::string path = testing::TempDir() + "/fuseau_token";
  std::ofstream(path) << kToken << "\n";
  Variables variables = With(kStore, {{"FUSEAU_TOKEN_FILE", path}});
  variables.erase("FUSEAU_TOKEN");
  chmod(path.c_str(), 0644);
  ExpectError(variables, "no other can read");
  chmod(path.c_str(), 0600);
  EXPECT_EQ(FormatToken(ReadJob(variables).token), kToken);
  const std::string link = path + "_link";
  std::remove(link.c_str());
  ASSERT_EQ(symlink(path.c_str(), link.c_str()), 0);
  variables["FUSEAU_TOKEN_FILE"] = link;
  EXPECT_FALSE(Read(variables).ok());
  std::remove(link.c_str());
  std::remove(path.c_str());
  ExpectError(variables, "No such file");
}

}  // namespace
}  // namespace fuseau::distrib

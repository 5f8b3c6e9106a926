#include "distrib/testing/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "distrib/bootstrap/handshake.h"
#include "distrib/clock.h"

extern char** environ;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// A thread of UCX may still look around when the program calls exit().
extern "C" __attribute__((visibility("default"))) const char*
__tsan_default_suppressions() {
  return "race:libucs.so.0\n";
}
#endif
#endif

namespace fuseau::distrib {
namespace {

constexpr char kProgram[] = "FUSEAU_TEST_PROGRAM";
constexpr int kRunning = -1;
// No rank of a test needs longer, whatever else the machine does.
constexpr unsigned kRankSeconds = 120;

}  // namespace

Processes::Processes(int ranks)
    : pids_(ranks, 0),
      outputs_(ranks, -1),
      texts_(ranks),
      statuses_(ranks, kRunning) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_, 64), 0);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  token_ = FormatToken(*NewToken());
}

Processes::~Processes() {
  for (size_t rank = 0; rank < pids_.size(); ++rank) {
    if (pids_[rank] > 0 && statuses_[rank] == kRunning) {
      kill(pids_[rank], SIGKILL);
      Wait(static_cast<int>(rank), absl::Seconds(10));
    }
    if (outputs_[rank] >= 0) close(outputs_[rank]);
  }
  if (listener_ >= 0) close(listener_);
}

void Processes::Start(int rank, absl::string_view program,
                      Variables variables) {
  int pipes[2];
  ASSERT_EQ(pipe2(pipes, O_CLOEXEC), 0);
  Variables all = {
      {kProgram, std::string(program)},
      {"FUSEAU_RANK", absl::StrCat(rank)},
      {"FUSEAU_RANKS", absl::StrCat(pids_.size())},
      {"FUSEAU_STORE", absl::StrCat("127.0.0.1:", port_)},
      {"FUSEAU_TOKEN", token_},
  };
  const int store = rank == 0 ? listener_ : -1;
  if (store >= 0) all["FUSEAU_STORE_FD"] = absl::StrCat(store);
  for (auto& [name, value] : variables) all[name] = value;
  std::vector<std::string> texts;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name(
        absl::string_view(*entry).substr(0, std::strcspn(*entry, "=")));
    if (all.count(name) > 0) continue;
    if (!absl::StartsWith(name, "FUSEAU_") || name == "FUSEAU_UCX_LIBRARY") {
      texts.emplace_back(*entry);
    }
  }
  for (const auto& [name, value] : all) {
    texts.push_back(absl::StrCat(name, "=", value));
  }
  std::vector<char*> environment;
  for (std::string& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);
  char self[] = "/proc/self/exe";
  char* const arguments[] = {self, nullptr};
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    dup2(pipes[1], STDOUT_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    if (store >= 0) fcntl(store, F_SETFD, 0);
    execve(self, arguments, environment.data());
    _exit(127);
  }
  close(pipes[1]);
  fcntl(pipes[0], F_SETFL, O_NONBLOCK);
  outputs_[rank] = pipes[0];
  pids_[rank] = pid;
  if (rank == 0) {
    // Its end is to end the listening too.
    close(listener_);
    listener_ = -1;
  }
}

void Processes::StartAll(absl::string_view program,
                         const Variables& variables) {
  for (size_t rank = 0; rank < pids_.size(); ++rank) {
    Start(static_cast<int>(rank), program, variables);
  }
}

void Processes::Read(int rank) {
  char bytes[4096];
  while (true) {
    const ssize_t n = read(outputs_[rank], bytes, sizeof(bytes));
    if (n <= 0) return;
    texts_[rank].append(bytes, n);
  }
}

bool Processes::Heard(int rank, absl::string_view word, absl::Duration limit) {
  const absl::Time end = Now() + limit;
  const std::string line = absl::StrCat("\nsays ", word, "\n");
  while (true) {
    Read(rank);
    if (absl::StrContains(absl::StrCat("\n", texts_[rank]), line)) return true;
    if (Now() >= end) return false;
    pollfd file{outputs_[rank], POLLIN, 0};
    poll(&file, 1, 10);
  }
}

int Processes::Wait(int rank, absl::Duration limit) {
  const absl::Time end = Now() + limit;
  while (statuses_[rank] == kRunning) {
    Read(rank);
    int status = 0;
    if (waitpid(pids_[rank], &status, WNOHANG) == pids_[rank]) {
      statuses_[rank] =
          WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
      Read(rank);
      break;
    }
    if (Now() >= end) return -1;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return statuses_[rank];
}

bool Processes::AllPass(absl::Duration limit) {
  const absl::Time end = Now() + limit;
  bool pass = true;
  for (size_t i = 0; i < pids_.size(); ++i) {
    const int rank = static_cast<int>(i);
    const int status = Wait(rank, end - Now());
    if (status == 0) continue;
    pass = false;
    ADD_FAILURE() << "rank " << rank << " ended with " << status << ":\n"
                  << texts_[rank];
  }
  return pass;
}

std::string Processes::Output(int rank) {
  Read(rank);
  return texts_[rank];
}

void Say(absl::string_view word) {
  const std::string line = absl::StrCat("says ", word, "\n");
  [[maybe_unused]] const ssize_t n =
      write(STDOUT_FILENO, line.data(), line.size());
}

int RunTestsOrProgram(int argc, char** argv,
                      const std::function<int(const std::string&)>& program) {
  testing::InitGoogleTest(&argc, argv);
  if (const char* name = std::getenv(kProgram)) {
    alarm(kRankSeconds);
    return program(name);
  }
  return RUN_ALL_TESTS();
}

}  // namespace fuseau::distrib

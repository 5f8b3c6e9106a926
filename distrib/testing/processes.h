// Ranks that are processes: copies of the test itself, started with a program's
// name in their environment. They end with the test.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fuseau::distrib {

// Variables of the environment that a rank gets besides those of its job.
using Variables = std::map<std::string, std::string>;

class Processes {
 public:
  // A new job with a listening socket on the loopback for rank 0, and a token.
  explicit Processes(int ranks);
  ~Processes();  // kills what is left
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // Starts `program` as that rank.
  void Start(int rank, absl::string_view program, Variables variables = {});
  void StartAll(absl::string_view program, const Variables& variables = {});

  pid_t pid(int rank) const { return pids_[rank]; }
  int port() const { return port_; }
  const std::string& token() const { return token_; }

  // Waits for a line "word" that the rank has printed with Say.
  bool Heard(int rank, absl::string_view word, absl::Duration limit);
  // The exit status of the rank, or 1000 + the signal that ended it; -1 if it
  // still runs when the time is over.
  int Wait(int rank, absl::Duration limit);
  // All ranks ended with 0 in time.
  bool AllPass(absl::Duration limit);
  // What the rank has printed until now.
  std::string Output(int rank);

 private:
  void Read(int rank);

  std::vector<pid_t> pids_;
  std::vector<int> outputs_;  // pipes
  std::vector<std::string> texts_;
  std::vector<int> statuses_;
  int listener_ = -1;
  int port_ = 0;
  std::string token_;
};

// In a rank: prints a line for Heard.
void Say(absl::string_view word);

// main() of a test: runs the program that the environment names, which returns
// the exit status, or else the tests. A program ends after two minutes in any
// case.
int RunTestsOrProgram(int argc, char** argv,
                      const std::function<int(const std::string&)>& program);

}  // namespace fuseau::distrib

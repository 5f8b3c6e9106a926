// The way into a job.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distrib/bootstrap/handshake.h"
#include "distrib/bootstrap/socket.h"
#include "distrib/group.h"

namespace fuseau::distrib {

struct JoinOptions {
  // PMIx tells rank, size, store and token: those below are not set.
  bool pmix = false;
  int rank = 0;
  int ranks = 1;
  HostPort store;     // where rank 0 listens
  int store_fd = -1;  // rank 0: it listens there already
  Token token{};

  std::string interface;  // see FindInterface
  bool spmd = false;      // every rank runs the program
  absl::Duration join_time = absl::Seconds(60);
  absl::Duration silence = absl::Seconds(9);  // what rank 0 has, counts
  // Whether rank 0 is to give up waiting for the others; asked ten times a
  // second.
  std::function<bool()> interrupted;
  std::string build;  // in place of the real one, for tests
};

// Returns once all ranks are there. Fails on all of them otherwise.
absl::StatusOr<std::unique_ptr<Group>> Join(const JoinOptions& options);

}  // namespace fuseau::distrib

// How the ranks of a job find together: all connect to rank 0, which tells them
// who is there.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distrib/bootstrap/handshake.h"
#include "distrib/bootstrap/hello.h"
#include "distrib/bootstrap/socket.h"

namespace fuseau::distrib {

struct Meeting {
  Roster roster;
  // To all ranks, by rank, if this is rank 0; else to rank 0 alone, at 0.
  std::vector<Socket> connections;
};

// Rank 0. Connections that are none of the job's ranks are dropped with a line
// in the log; nobody has to wait for them. Fails, on all ranks that have come,
// if one does not come in time, ends, or is unlike rank 0, or when
// `interrupted`, which is asked ten times a second, says so.
absl::StatusOr<Meeting> Gather(const Socket& listener, const Token& token,
                               const Hello& mine, double silence_seconds,
                               absl::Time limit,
                               const std::function<bool()>& interrupted = {});

// The other ranks.
absl::StatusOr<Meeting> Attend(const HostPort& root, const Token& token,
                               int rank, const Hello& mine, absl::Time limit);

}  // namespace fuseau::distrib

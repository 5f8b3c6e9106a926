// What a rank is, as it tells the others when it joins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

struct Hello {
  uint32_t ranks = 0;     // how many it expects
  uint32_t spmd = 0;      // whether every rank runs the program
  std::string build;      // of fuseau
  std::string ucx;        // its version
  std::string processor;  // for information
  std::string host;
  std::string boot;     // the same for all ranks of one host
  std::string address;  // for UCX

  std::string Encode() const;
  static absl::StatusOr<Hello> Decode(absl::string_view bytes);
};

// All ranks, and what rank 0 decides for all.
struct Roster {
  double silence_seconds = 0;
  std::vector<Hello> ranks;

  std::string Encode() const;
  static absl::StatusOr<Roster> Decode(absl::string_view bytes);
};

// What this process is, but for `ranks`, `spmd`, `ucx` and `address`.
Hello DescribeProcess();

// Whether ranks can work together: one build of fuseau, one version of UCX (two
// hang over shared memory), one idea of the job.
absl::Status CheckAlike(const Hello& root, const Hello& other, int rank);

}  // namespace fuseau::distrib

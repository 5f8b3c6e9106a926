// Profiles of what this process does, with the ranks of its job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/cone.h"

namespace fuseau {

// From here on events are noted, and each operation with the line of the
// program that records it. A RuntimeError if a profile runs already.
absl::Status StartProfile();

struct Profiles {
  // What each rank has noted, as `TakePart` gives it (rank_profile.h).
  std::vector<std::string> ranks;
  // What was evaluated here, a list of JSON objects: `runs`, `nodes` (each with
  // the name of its operation, its type, the numbers of what it reads, and its
  // line), `outputs`.
  std::string graphs;
};
absl::StatusOr<Profiles> StopProfile();

// An evaluation of the cone, whose nodes these lines recorded. Graphs that are
// alike are noted once; of others the first ones are kept.
void NoteGraph(const Cone& cone, absl::Span<const int32_t> lines);

}  // namespace fuseau

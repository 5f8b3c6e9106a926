// What the ranks do that do not run the user's program.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "distrib/group.h"
#include "frontend/rank_program.h"
#include "frontend/rank_wire.h"

namespace fuseau {

// A rank's part of a value. `part` covers the window of the distribution, or
// all bytes of a value that is whole; null if the rank has none.
struct RankPart {
  int64_t bytes = 0;  // of the whole value
  passes::Distribution distribution;
  runtime::BufferRef part;
};

// Does one after the other what rank 0 commands, and keeps the parts of values
// between commands. An error of a command is told to all ranks and leaves the
// worker ready for the next one.
class RankWorker {
 public:
  explicit RankWorker(distrib::Group* group) : group_(group) {}

  // Until rank 0 leaves in good order (OK), or a rank is lost.
  absl::Status Serve();

 private:
  // Whether there may be more commands.
  absl::StatusOr<bool> Do(absl::string_view command);
  absl::Status Run(WireReader* command);
  absl::Status Define(WireReader* command);
  absl::Status Place(WireReader* command);
  absl::Status Fetch(WireReader* command);
  absl::Status FetchRange(WireReader* command);
  absl::Status Store(WireReader* command);
  absl::Status Load(WireReader* command);
  absl::StatusOr<const RankPart*> Find(uint64_t id) const;

  distrib::Group* const group_;
  absl::flat_hash_map<uint64_t, RankPart> parts_;
  // Why a program could not be made is told when it is run.
  absl::flat_hash_map<uint64_t, absl::StatusOr<std::unique_ptr<RankProgram>>>
      programs_;
};

// A value as rows of `pitch` bytes, the last one perhaps shorter: for each of
// the first `parts` ranks about as many.
passes::Distribution CutEvenly(int64_t bytes, int64_t pitch, int parts,
                               int ranks);

// The memory of a rank for its part of a value that is distributed so; null if
// it has none.
absl::StatusOr<runtime::BufferRef> AllocatePart(
    int64_t bytes, const passes::Distribution& distribution, int rank);

// Moves a value from one distribution to another one.
absl::Status Redistribute(distrib::Group* group, uint64_t run, int64_t bytes,
                          const passes::Distribution& from,
                          const runtime::BufferRef& source,
                          const passes::Distribution& to,
                          const runtime::BufferRef& target,
                          const std::atomic<bool>* cancel);

// The owner of some bytes of a cut value sends them to rank 0, or to all ranks.
// `to` is not looked at on other ranks.
absl::Status SendRange(distrib::Group* group, uint64_t run,
                       const RankPart& value, int64_t lo, int64_t hi,
                       bool to_all, char* to);

}  // namespace fuseau

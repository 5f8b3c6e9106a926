// The ranks of a job, as one of them sees it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/transfer.h"

namespace fuseau::distrib {

// How a run went; combined over all ranks.
struct Outcome {
  // Of the lowest rank that failed. Its message names the rank.
  absl::Status status;
  uint8_t float_flags = 0;  // all of them together
  // What all ranks must have alike, such as a digest of what they are about to
  // do; else the status is FailedPrecondition, and `unlike` tells so.
  uint64_t stamp = 0;
  bool unlike = false;
  // What they may have different: the outcome tells whether some do.
  uint64_t view = 0;
  bool views_differ = false;
};

// Every function may be called by one thread at a time. All of them fail, from
// then on, once a rank is lost: with the payload kRankFailurePayload, within 2
// s of the end of its process and 10 s of its standstill. None waits for a rank
// that is gone.
class Group {
 public:
  virtual ~Group() = default;  // An orderly leave if nothing failed.

  virtual int rank() const = 0;
  virtual int size() const = 0;
  // On how many hosts the ranks are.
  virtual int hosts() const = 0;

  // Does a transfer. Ranks call it with the same tags in the same order for
  // the exchanges that they take part in.
  virtual absl::Status Exchange(uint64_t tag, const runtime::Transfer& transfer,
                                const char* source, char* target,
                                const std::atomic<bool>* cancel) = 0;

  // The same in two halves, with work between them. Start has read what this
  // rank gives when it returns, so the source may be overwritten; Finish
  // returns when the target is filled. The transfer and the target stay until
  // then. Several transfers of different tags may be under way, also during an
  // Exchange; ranks start them in the same order and finish them in any.
  virtual absl::Status Start(uint64_t tag, const runtime::Transfer& transfer,
                             const char* source, char* target) = 0;
  virtual absl::Status Finish(uint64_t tag,
                              const std::atomic<bool>* cancel) = 0;
  // Lets transfers that are under way move on. It never waits.
  virtual void Progress() = 0;
  // Gives up all transfers that are under way: their memory is free then. So
  // does an error of Exchange, Start or Finish.
  virtual void Drop() = 0;

  // Commands go from rank 0 to all others, in order. They have any size.
  virtual absl::Status SendCommand(absl::string_view command) = 0;
  // The next one; waits for it, without using the processor for long.
  virtual absl::StatusOr<std::string> NextCommand() = 0;

  // All ranks come together; each gives its outcome and gets that of all.
  virtual absl::StatusOr<Outcome> Agree(const Outcome& mine) = 0;

  // Each gives a text of any size and gets those of all, by rank.
  virtual absl::StatusOr<std::vector<std::string>> Gather(
      absl::string_view mine) = 0;

  // Wakes all ranks that wait for this one, in exchanges of the run as well;
  // they get this error from them, and it is forgotten with the next Agree.
  virtual void Fail(const absl::Status& why) = 0;

  // The first loss of a rank, or OK. Costs nothing.
  virtual absl::Status Health() const = 0;
};

// The tag of a transfer of a run.
inline uint64_t TransferTag(uint64_t run, int64_t transfer) {
  return run << 20 | static_cast<uint64_t>(transfer);
}

// Payload of statuses: "rank<TAB>host<TAB>phase".
inline constexpr char kRankFailurePayload[] = "fuseau/rank_failure";

}  // namespace fuseau::distrib

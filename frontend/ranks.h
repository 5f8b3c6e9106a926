// The job of many ranks that this process belongs to, as the one (or one of
// those) that runs the user's program.
//
// A ready node may have a RankValue: what the ranks hold of its value. A node
// that is away has nothing else. Values never change, so what ranks hold stays
// right for as long as the node lives; who writes into a node's buffer drops
// its RankValue first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "distrib/group.h"
#include "frontend/cone.h"
#include "frontend/deferred_drops.h"
#include "frontend/journal.h"
#include "frontend/rank_files.h"
#include "frontend/rank_program.h"
#include "frontend/rank_worker.h"
#include "passes/partition.h"

namespace fuseau {

// What the ranks hold of a value; `part` is this rank's. Under the language's
// lock.
struct RankValue {
  uint64_t id = 0;
  RankPart held;
  int32_t layout = 0;  // number of the distribution
};

class Ranks {
 public:
  enum class Mode : uint8_t {
    kController,  // rank 0 runs the program and commands the others
    kSpmd,        // every rank runs it and makes the same evaluations
  };

  // Null in a process that is alone. The pointer is read on every evaluation.
  static Ranks* active() { return active_; }
  // Joins a job; all nodes that there are stay as they are.
  static void Join(std::unique_ptr<distrib::Group> group, Mode mode);
  // The same for ranks of another kind, be it a single one.
  static void Activate(std::unique_ptr<Ranks> ranks);
  // Lets the other ranks go; the process is alone from then on, and what is
  // away is lost.
  static absl::Status Leave();

  virtual ~Ranks();

  int rank() const { return group_->rank(); }
  int size() const { return group_->size(); }
  Mode mode() const { return mode_; }
  const passes::PartitionOptions& options() const { return options_; }

  // Under the evaluation lock, as all that follow. The trace that is likely to
  // be run next; no words if none is known. They stay until the next Run.
  ir::TraceWords Expected() const {
    return last_entry_ != nullptr ? last_entry_->next->trace()
                                  : ir::TraceWords();
  }
  // Computes a cone on all ranks if that pays, and attaches the results.
  // `*done` tells whether it did; if not, the inputs of the cone are in this
  // process now.
  absl::Status Run(Cone* cone, const std::atomic<bool>& cancel, bool* done);
  // The whole value of a node that is away.
  virtual absl::Status Fetch(Node* node);
  // Some bytes of a node that is away, all owned by one rank.
  virtual absl::Status FetchBytes(Node* node, int64_t offset, int64_t bytes,
                                  char* to);

  // Every rank writes its part of a value that is in parts to a file, and reads
  // its part of a new one, cut into rows of `pitch` bytes, which is away then.
  // Both give the CRC-32 of all bytes if it is wanted.
  absl::StatusOr<uint32_t> Store(const Node* node, const FilePlace& place);
  absl::StatusOr<Node*> Load(int64_t bytes, int64_t pitch,
                             const FilePlace& place, uint32_t* sum);

  // Where all ranks run the program (ranks_spmd.cc); else these do nothing.
  //
  // Before an evaluation: that all make the same one, of which these are the
  // roots, and what all of them have dropped.
  absl::Status Settle(absl::Span<Node* const> roots);
  // Which exposures are over on all ranks.
  absl::Status EndExposures(absl::Span<const BaseRef> bases);
  // They come together, and an error of one is an error of all. Else the status
  // itself.
  absl::Status Meet(const absl::Status& mine);
  // What the first rank gives; what the others give does not matter.
  absl::StatusOr<std::string> Share(absl::string_view mine);
  // Takes the first rank's limits.
  absl::Status ShareLimits();

  // All ranks begin to profile what they do, or end that and come together:
  // what each has noted, by rank. Under the evaluation lock.
  absl::Status StartProfile();
  absl::StatusOr<std::vector<std::string>> StopProfile(
      absl::Span<const std::string> lines);

  // All that is away, before the job is left.
  absl::Status FetchAll();

  // The memory of new arrays of so many bytes is better made by all ranks.
  bool IsLarge(int64_t bytes) const {
    return passes::IsLarge(bytes, size(), options_.min_bytes);
  }
  // On how many ranks, the first ones, they are.
  int PartsOf(int64_t bytes) const {
    return passes::PartsOf(bytes, size(), options_.min_bytes);
  }
  // A function that has no form in parts is about to have arrays that are away,
  // of so many bytes, on one rank. ResourceExhausted above the limit
  // (FUSEAU_GATHER_BYTES); one warning for each name if they are large.
  absl::Status MayGather(absl::string_view name, int64_t bytes) const;
  // What ranks hold of a node's value is needed no more.
  void Release(Node* node, const RankValue* value);

 protected:
  struct Entry {
    std::vector<uint64_t> key;  // words of the trace, then layouts
    size_t words = 0;
    ir::TraceWords trace() const { return {key.data(), words}; }
    absl::Span<const uint64_t> layouts() const {
      return absl::MakeConstSpan(key).subspan(words);
    }
    Entry* next = nullptr;  // what was asked for after this one, the last time
    bool cut = false;
    uint64_t index = 0;  // number of the program
    absl::Status status;
    std::unique_ptr<RankProgram> program;
  };

  Ranks(std::unique_ptr<distrib::Group> group, Mode mode);

  // What the ranks do is behind these; they see to everything else. Whether a
  // cone is computed by all ranks though it is not worth it.
  virtual bool MustCut(const Cone& cone) const;
  // Brings a value of this process to the ranks.
  virtual absl::Status Spread(Node* node, uint64_t run, RankValue* value);
  // Runs a program on all ranks; `outputs` gets this rank's parts.
  virtual absl::Status Execute(const Entry& entry, uint64_t run,
                               absl::Span<const runtime::BufferRef> parts,
                               const Cone& cone,
                               const std::atomic<bool>& cancel,
                               std::vector<runtime::BufferRef>* outputs,
                               uint8_t* float_flags);

  std::vector<passes::Distribution> InputsOf(const Entry& entry) const;

 private:
  int32_t LayoutOf(const passes::Distribution& distribution);
  std::unique_ptr<RankValue> NewValue(int64_t bytes,
                                      const passes::Distribution& distribution);
  // `expected`: the trace is that of what came after the last entry before.
  absl::StatusOr<Entry*> EntryFor(const Cone& cone, bool expected);
  absl::StatusOr<Entry*> LookUp(ir::TraceWords words,
                                absl::Span<const int32_t> layouts);
  absl::Status Define(Entry* entry);
  passes::Distribution PlaceFor(const Cone& cone, size_t input) const;
  absl::Status Place(Node* node, const passes::Distribution& distribution);
  absl::Status Compute(Entry* entry, Cone* cone,
                       const std::atomic<bool>& cancel);
  void Hold(Node* node, RankValue* value);
  // An agreement of ranks that all run the program, in which `act` says what
  // they do. What differs is an error of all of them, from then on.
  absl::StatusOr<distrib::Outcome> Vote(distrib::Outcome mine,
                                        absl::string_view act);
  // What every rank computes for itself must be alike, too: the next agreement
  // compares it.
  void NoteUncut(const Cone& cone);
  // The ids of values that all ranks still hold, in order.
  absl::StatusOr<std::vector<uint64_t>> HeldByAll();
  absl::Status Send(const WireWriter& command);
  absl::Status SendFrees();
  // The end of a run: what all ranks say to it. Without the language's lock.
  absl::Status Agree(const absl::Status& mine, uint8_t* float_flags);

  static void ForgetJob();

  static Ranks* active_;

  const std::unique_ptr<distrib::Group> group_;
  const Mode mode_;
  const int64_t window_bytes_;  // of the process alone
  passes::PartitionOptions options_;
  uint64_t run_ = 0;
  uint64_t next_id_ = 1;
  uint64_t next_program_ = 1;
  std::vector<passes::Distribution> layouts_;
  absl::flat_hash_map<uint64_t, std::vector<std::unique_ptr<Entry>>> entries_;
  size_t entry_count_ = 0;
  Entry* last_entry_ = nullptr;         // that was asked for
  absl::flat_hash_set<Node*> holders_;  // nodes with a RankValue
  std::vector<uint64_t> freed_;
  // Where all ranks run the program.
  DeferredDrops drops_;
  Journal journal_;
  uint64_t uncut_ = 0;   // digest of what was computed without the others
  absl::Status parted_;  // not OK: they do different things
};

}  // namespace fuseau

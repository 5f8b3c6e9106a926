// What the program has dropped, where every rank of a job runs it.
//
// A garbage collector frees what lies in cycles whenever it likes, so an array
// may be gone on one rank and still be there on another. But which values an
// evaluation computes, and which memory it may overwrite, depends on who is
// alive. So a drop counts when all ranks have it. Before each evaluation they
// compare what each could drop of the values that matter to it: those that are
// pending, and those that these read. They are the same on all ranks, in the
// same order, and a node's place in this order is its name.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "frontend/graph.h"

namespace fuseau {

// Under the language's lock. Report and Apply are for who evaluates.
class DeferredDrops {
 public:
  // A row of words, sorted: for a node that this rank could drop bases of, its
  // place and their number; for a ready one whose memory others have, such as a
  // snapshot, its place with kLent.
  using Report = std::vector<uint64_t>;

  // A base that nobody refers to any more.
  void Add(Base* base);

  // What this rank could drop. The places hold until the next report.
  Report Look();
  // What all ranks could drop, and what memory others have on any of them.
  static Report Join(absl::Span<const Report> reports);
  // Drops so much of what the last report told of.
  void Apply(const Report& agreed);
  // Drops all, when nobody is left to agree with.
  void Finish();
  // The place of a node in the last report's order; -1 if it has none.
  int64_t PlaceOf(const Node* node) const;

  // An operation that is recorded reads a base that is exposed.
  void NoteExposedRead(Base* base) { exposed_reads_.emplace_back(base); }
  std::vector<BaseRef> TakeExposedReads() {
    return std::exchange(exposed_reads_, {});
  }

 private:
  void DropUnread();

  std::vector<Base*> dropped_;
  size_t looked_at_ = 0;         // of them, in the last report
  std::vector<NodeRef> inputs_;  // what pending nodes read and is computed
  std::vector<BaseRef> exposed_reads_;
  uint32_t epoch_ = 0;  // of the last report
};

}  // namespace fuseau

// One pass over consecutive rows of a lagged write: results wait in a ring of
// rows until no later row reads the old elements that they replace.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "runtime/cpu/launch.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

// Zeros mean that the executor decides; tests set them.
struct LaggedTuning {
  int64_t chunks = 0;     // pieces that run side by side
  int64_t tile_rows = 0;  // rows of one kernel call
  // Steps of dimension 1 in one kernel call, where rows can be computed in
  // pieces.
  int64_t piece_lines = 0;
  bool whole = false;  // all results to scratch, then back
};

// How rows of one operand lie in memory of our own.
struct RowPlace {
  Dims strides;      // of all dimensions; the first one is the row step
  int64_t lo = 0;    // of a row's first byte, relative to its first element
  int64_t step = 0;  // bytes from row to row

  // The address of row 0 when `first_row` is the first one in `block`.
  const char* Address(const char* block, int64_t first_row) const {
    return block - lo - first_row * step;
  }
};

// A "row" is a step along dimension `depth` with all that is inside it.
RowPlace MakeRowPlace(const Arguments& args, int operand, int64_t item_size,
                      int depth = 0);

// Turns an operand to rows in memory of our own, whose row 0 is at `address`.
void Redirect(Arguments* args, int operand, const RowPlace& place,
              const char* address);

// Copies rows [lo, hi) of an operand between two places, each given by the
// address of its row 0 and its strides.
void CopyRows(char* to, absl::Span<const int64_t> to_strides, const char* from,
              absl::Span<const int64_t> from_strides, const Arguments& args,
              int64_t lo, int64_t hi, int64_t item_size);

// Large rows are computed in pieces along dimension 1. A "line" is one step of
// dimension 1 in one row, numbered row by row. When the writer and all readers
// take the same steps along both dimensions, and rows follow each other in
// memory, addresses grow with the number of the line: what lies below all that
// is still to be read may be overwritten. So the results need to wait for about
// `behind` rows, not for one row more, and they return to memory while its
// lines are in the cache.
struct Lines {
  int64_t per_row = 0;
  int64_t row_step = 0;
  int64_t step = 0;
  // Line n may be overwritten when its offset (from line 0) is at most the next
  // line's minus `reach`.
  int64_t reach = 0;
  int64_t piece = 0;  // lines of one kernel call
  int64_t ring = 0;   // lines that the ring holds
  RowPlace place;     // of a line in the ring

  int64_t Offset(int64_t line) const {
    return line / per_row * row_step + line % per_row * step;
  }
  // How many lines, from line 0 on, nobody reads any more when `next` is the
  // next one to be computed.
  int64_t Free(int64_t next) const {
    const int64_t limit = Offset(next) - reach;
    if (limit < 0) return 0;
    return std::min(next, limit / row_step * per_row +
                              std::min(per_row, limit % row_step / step + 1));
  }
};

// The ring of a launch with one lagged write.
struct LaggedRing {
  LaggedRing(const Launch& launch, const Arguments& args,
             const LaggedTuning& tuning);

  int out = 0;
  int64_t out_item = 0;
  int64_t behind = 0;
  int operands = 0;
  RowPlace place;
  std::optional<Lines> lines;  // when rows are computed in pieces
  int64_t tile_rows = 0;
  int64_t slots = 0;      // rows or lines that the ring holds
  int64_t slot_step = 0;  // bytes of each
  int64_t bytes = 0;      // of the ring
  // Of what may wait between two calls of Compute.
  int64_t waiting_bytes = 0;
};

// Rows from `first_row` on, computed in order.
class LaggedSweep {
 public:
  // `args` has the addresses of the array. The ring, the arguments and the
  // context must outlive the sweep.
  LaggedSweep(const LaggedRing& ring, const Arguments& args,
              const RunContext& context, int64_t first_row);

  // Takes `memory` (ring.bytes) for its ring. Sweeps may share one: results
  // that wait are brought from `store` and, by Park, back there.
  void Unpark(char* memory, const char* store);
  void Park(char* store) const;

  // Computes rows up to `end` and moves those to the array that no later row
  // reads any more. `args` may turn readers to copies of the old rows.
  void Compute(const Arguments& args, int64_t end);
  // Moves the rows that still wait. No row may be computed after that.
  void Finish();

  // All rows before it are in the array.
  int64_t written() const { return ring_.lines ? flushed_ / unit_ : flushed_; }

 private:
  // Rows, or lines where rows are computed in pieces.
  int64_t Slot(int64_t index) const { return (index - first_) % ring_.slots; }
  void ComputePieces(const Arguments& args, int64_t end);
  void Flush(int64_t end);
  void FlushLines(int64_t end);

  const LaggedRing& ring_;
  const Arguments& args_;
  const RunContext& context_;
  const int64_t unit_;  // lines of a row; 1 if rows are computed as they are
  char* memory_ = nullptr;
  int64_t next_;     // the row to be computed next
  int64_t flushed_;  // all rows (lines) before it are in the array
  int64_t first_;    // the row (line) in the ring's first slot
};

}  // namespace fuseau::runtime

// A trace as one rank of a job runs it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "distrib/group.h"
#include "frontend/float_errors.h"
#include "frontend/program.h"
#include "ir/trace_words.h"
#include "passes/partition.h"
#include "runtime/executor.h"

namespace fuseau {

class RankProgram {
 public:
  // Of a trace over whole values and the distributions of its inputs.
  static absl::StatusOr<std::unique_ptr<RankProgram>> Make(
      ir::TraceWords words, absl::Span<const passes::Distribution> inputs,
      const passes::PartitionOptions& options, int rank, int ranks);

  // Runs this rank's part; all ranks of the group run theirs, with the same
  // number. `parts` has this rank's part of each input of the trace over whole
  // values, `outputs` gets its part of each output; null where it has none.
  // `*float_flags` gets the kinds of floating-point errors that were met.
  absl::Status Run(distrib::Group* group, uint64_t run,
                   absl::Span<const runtime::BufferRef> parts,
                   absl::Span<const runtime::ScalarValue> scalars,
                   const std::atomic<bool>& cancel,
                   std::vector<runtime::BufferRef>* outputs);

  // Other ranks have met these kinds of floating-point errors: notes the first
  // operations that could.
  void NoteErrorsElsewhere(uint8_t flags) const;

  const passes::Partition& partition() const { return partition_; }
  // The sizes of the outputs, as whole values.
  const std::vector<int64_t>& output_bytes() const { return output_bytes_; }
  // Whether a run may write to its inputs.
  bool overwrites_inputs() const { return overwrites_inputs_; }

 private:
  RankProgram() = default;

  absl::Status MakeTables();

  passes::Partition partition_;
  std::vector<runtime::BufferRef> tables_;  // inputs that never change
  std::vector<uint64_t> words_;
  std::vector<int64_t> output_bytes_;
  std::vector<FloatErrors> suspects_;  // what each operation could raise
  std::unique_ptr<Program> program_;
  bool overwrites_inputs_ = false;
};

}  // namespace fuseau

// Traces computed without a compiler, at NumPy's speed or better.
//
// The operations of a trace are called one after the other, as NumPy's loops
// are. Neighbours over one space that read each other's elements in place are a
// group: it is computed in blocks, so that what passes between them stays in
// the cache, and large groups by several threads. An update writes where the
// old value is, if nobody reads that later.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/float_errors.h"
#include "frontend/reduction_runs.h"
#include "ir/trace.h"
#include "runtime/executor.h"

namespace fuseau {

class Interpreter {
 public:
  // An error if an operation has no loop.
  static absl::StatusOr<std::unique_ptr<const Interpreter>> Make(
      const ir::Trace& trace);

  // As runtime::Execute. All memory is asked for before anything is written.
  // Floating-point errors that operations are watched for are noted
  // (float_errors.h).
  absl::Status Run(absl::Span<const runtime::BufferRef> inputs,
                   absl::Span<const runtime::ScalarValue> scalars,
                   const std::atomic<bool>* cancel,
                   std::vector<runtime::BufferRef>* outputs,
                   runtime::Exchanger* exchanger = nullptr) const;

  // Whether a run writes to its inputs.
  bool overwrites_inputs() const { return overwrites_inputs_; }
  // What one thread needs for a run, about.
  double seconds() const { return seconds_; }
  // Of the temporary values of a run.
  int64_t scratch_bytes() const { return scratch_bytes_; }
  // What this object takes in memory, about.
  int64_t bytes() const;

 private:
  // Memory that values live in.
  struct Storage {
    enum Kind : uint8_t {
      kInput,    // inputs[index]
      kScalar,   // scalars[index]
      kOwn,      // a buffer of its own, since it is a result
      kScratch,  // at `index` in the memory of the run
      kLocal,    // at `index` in the memory of the block
    };
    Kind kind = kScratch;
    int64_t index = 0;
    int64_t bytes = 0;
  };
  // A loop over the space of its group. Operands as the loop has them, the
  // result last.
  struct Step {
    runtime::InnerLoop loop;
    FloatErrors raises = {};  // its name and what it is watched for
    bool counts = false;  // an iota: the first operand is the place in the row
    int32_t first_operand = 0;
    int32_t operand_count = 0;
  };
  struct Operand {
    int32_t storage = -1;
    int64_t offset = 0;
    int32_t strides = 0;  // in dims_, one for each dimension of the group
  };
  struct Group {
    enum Kind : uint8_t { kSteps, kReduction, kRoutine, kCopy };
    Kind kind = kSteps;
    // In steps_, reductions_ or routines_.
    int32_t first = 0;
    int32_t count = 0;
    int32_t shape = 0;   // in dims_
    int32_t rank = 0;    // at least 1
    int64_t block = 1;   // rows of a block
    double seconds = 0;  // for all of it
    // kReduction, kCopy
    Operand from;
    // these and kRoutine
    int32_t to = -1;
    int64_t bytes = 0;
    FloatErrors raises = {};  // of these
  };
  struct Routine {
    runtime::RoutineCall call;
    std::vector<Operand> operands;  // without strides, which the call has
  };
  using Addresses = absl::InlinedVector<char*, 48>;

  class Maker;

  Interpreter() = default;
  void RunSteps(const Group& group, const Addresses& at, char* locals,
                const std::atomic<bool>* cancel) const;
  absl::Status Call(const Group& group, const Addresses& at,
                    const std::atomic<bool>* cancel,
                    runtime::Exchanger* exchanger) const;
  void RunBlock(const Group& group, const Addresses& at, char* locals,
                int64_t row, int64_t rows) const;

  std::vector<Storage> storages_;
  std::vector<Group> groups_;
  std::vector<Step> steps_;
  std::vector<Operand> operands_;
  std::vector<int64_t> dims_;
  std::vector<ReductionRuns> reductions_;
  std::vector<Routine> routines_;
  // Storages: of the inputs, of the numbers, those with scratch memory, and of
  // the results.
  std::vector<int32_t> inputs_;
  std::vector<int32_t> scalars_;
  std::vector<int32_t> scratch_;
  std::vector<int32_t> outputs_;
  int64_t scratch_bytes_ = 0;
  int64_t local_bytes_ = 0;  // of one block
  double seconds_ = 0;
  bool overwrites_inputs_ = false;
  bool raises_ = false;  // an operation may raise floating-point errors
};

}  // namespace fuseau

// Small traces computed straight from their words.
//
// A trace that has not been seen before may never come again, such as those of
// a loop over elements whose sizes change. To make an interpreter for it would
// take several times as long as to compute it once; so it is computed operation
// by operation, in record order, with the interpreter's loops.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ir/trace_words.h"
#include "runtime/executor.h"
#include "runtime/inner_loops.h"

namespace fuseau {

// For one thread at a time; keeps its memory.
class DirectRun {
 public:
  // Whether the trace is so small, and all its operations are such, that this
  // is the way to compute it once. The words must live until it has run.
  bool Take(ir::TraceWords words);
  // What one thread needs for the run, about.
  double seconds() const { return seconds_; }

  // Computes the trace that was taken. All memory is asked for before anything
  // is written. `*destroyed` tells whether an error leaves inputs that can't be
  // read again. Floating-point errors are noted.
  absl::Status Run(absl::Span<const runtime::BufferRef> inputs,
                   absl::Span<const runtime::ScalarValue> scalars,
                   bool* destroyed, std::vector<runtime::BufferRef>* outputs);

 private:
  struct Value {
    ir::NodeWords node;
    int64_t bytes = 0;
    int32_t input = -1;     // which input or number it is
    int32_t last_use = -1;  // the last node that reads it; kEnd: a result
    // The value whose memory this one has: its own number but for updates in
    // place.
    int32_t memory = -1;
    bool result = false;  // the memory is that of a result
    bool donated = false;
  };
  static constexpr int32_t kEnd = INT32_MAX;

  bool Read(ir::TraceWords words);
  bool Suits(const ir::NodeWords& node, double* seconds) const;
  void ShareMemory();
  absl::Status Place(absl::Span<const runtime::BufferRef> inputs,
                     absl::Span<const runtime::ScalarValue> scalars,
                     std::vector<runtime::BufferRef>* outputs);
  absl::Status Compute(int32_t i);
  void ComputeElements(int32_t i, const ir::NodeWords& node, char* to,
                       const int64_t* to_strides);
  absl::Status ComputeRoutine(int32_t i, const ir::NodeWords& node);

  std::vector<Value> values_;
  std::vector<int32_t> outputs_;
  std::vector<char*> at_;
  std::vector<char> scratch_;
  double seconds_ = 0;
  bool overwrites_inputs_ = false;
};

}  // namespace fuseau

// What one evaluation computes.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/graph.h"
#include "ir/trace_words.h"
#include "runtime/executor.h"

namespace fuseau {

// The pending nodes that must be computed together, as a trace with its inputs.
// One evaluation runs at a time, so there is one object, which keeps its
// memory.
class Cone {
 public:
  // A number that marks nodes met on one walk, for near_epoch as well.
  static uint32_t NewEpoch() { return ++last_epoch_; }

  // Collects what the roots need, and small results that cost little beside
  // that. `overwritten`, if not null, is a computed node whose pending readers
  // are collected too. `donated`, if not null, is a node whose buffer the trace
  // may take although a base still names it.
  absl::Status Collect(absl::Span<Node* const> roots, Node* overwritten,
                       Node* donated);
  // The same for everything that is pending.
  absl::Status CollectAll();
  // Before collecting: the trace that is likely to come out. The words stay
  // until the cone is cleared.
  void Expect(ir::TraceWords words) { trace_.Expect(words); }
  // Forgets everything.
  void Clear();

  bool empty() const { return nodes_.empty(); }
  ir::TraceWords trace() const { return trace_.words(); }
  bool as_expected() const { return trace_.as_expected(); }
  absl::Span<const runtime::BufferRef> inputs() const { return inputs_; }
  absl::Span<const runtime::ScalarValue> scalars() const { return scalars_; }
  // The nodes of the inputs, in order.
  absl::Span<Node* const> input_nodes() const { return input_nodes_; }
  // After nodes of inputs have got other buffers.
  void BindInputs();
  // The lines that recorded the nodes, by their places in the trace; 0 for what
  // is no operation.
  std::vector<int32_t> Lines() const;
  int64_t operations() const { return static_cast<int64_t>(nodes_.size()); }
  // The sizes of all values together: a measure of the work.
  int64_t bytes() const { return bytes_; }

  // The values are there.
  void Attach(std::vector<runtime::BufferRef>* outputs);
  // The same where ranks hold values: `held` has what they hold of each output
  // or null, and `hold` gives it to the node. A value in no buffer is away.
  void Attach(std::vector<runtime::BufferRef>* outputs,
              absl::Span<RankValue* const> held,
              absl::FunctionRef<void(Node*, RankValue*)> hold);
  // The values can never be computed, since inputs are destroyed.
  void Lose();

 private:
  void Mark(Node* node);
  bool Close();
  bool JoinSmallResults();
  bool AbsorbReaders(const Node* overwritten);
  absl::Status BuildTrace(Node* donated, bool all);
  bool IsResult(const Node* node) const;
  int32_t IndexOf(const NodeOperand& operand, bool whole);
  int32_t AddNumber(const char* bytes, DType dtype);
  absl::Status AddNode(Node* node);

  static uint32_t last_epoch_;
  uint32_t epoch_ = 0;
  Node* first_ = nullptr;  // of the cone, in record order; null: it is empty
  int64_t members_ = 0;
  std::vector<Node*> nodes_;  // in record order, kept alive by the results
  std::vector<Node*> input_nodes_;  // kept alive by those that read them
  std::vector<runtime::BufferRef> inputs_;  // not counted
  std::vector<runtime::ScalarValue> scalars_;
  std::vector<NodeRef> outputs_;
  ir::TraceWriter trace_;
  int64_t bytes_ = 0;
};

}  // namespace fuseau

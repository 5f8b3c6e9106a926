#include "frontend/ahead.h"

#include <algorithm>
#include <vector>

#include "frontend/cone.h"
#include "frontend/evaluate.h"
#include "frontend/evaluation_lock.h"
#include "frontend/layout.h"
#include "frontend/ranks.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/window.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// The values that arguments began with. Under the language's lock.
std::vector<NodeRef>& Arguments() {
  static auto* const arguments = new std::vector<NodeRef>;
  return *arguments;
}

// The place of an argument's value; -1 for another one.
int64_t PlaceOf(const Node* node) {
  const std::vector<NodeRef>& all = Arguments();
  const auto it = std::find_if(all.begin(), all.end(), [&](const NodeRef& a) {
    return a.get() == node;
  });
  return it == all.end() ? -1 : it - all.begin();
}

// A pending node with the bytes of another one.
NodeRef CopyOf(Node* source) {
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(OpCode::kCopy, DType::kUInt8, 1, 1);
  node->bytes = source->bytes;
  node->shape()[0] = source->bytes;
  node->strides(0)[0] = 1;
  graph.SetOperand(node, 0, source, 0, DType::kUInt8);
  graph.Commit(node);
  return NodeRef::Adopt(node);
}

bool IsWhole(const Array& array) {
  return array.offset() == 0 && array.has(kCContiguous) &&
         array.node()->bytes == array.size() * array.item_size();
}

class Tracer {
 public:
  explicit Tracer(std::string* constants) : constants_(constants) {}

  absl::Status Add(absl::Span<const Array* const> arguments,
                   absl::Span<const Array* const> results) {
    if (arguments.size() != Arguments().size()) {
      return absl::InternalError("these are not the arguments of the trace");
    }
    for (const Array* result : results) {
      Array dense = *result;
      if (!IsWhole(dense)) {
        dense = Array();
        FUSEAU_RETURN_IF_ERROR(Copy(*result, Order::kC, &dense));
      }
      result_nodes_.emplace_back(dense.node());
      body_.result_shapes.emplace_back(dense.shape().begin(),
                                       dense.shape().end());
    }
    for (size_t a = 0; a < arguments.size(); ++a) {
      Node* const now = arguments[a]->node();
      const bool same = now == Arguments()[a].get();
      written_nodes_.push_back(same             ? NodeRef()
                               : now->pending() ? NodeRef(now)
                                                : CopyOf(now));
      body_.argument_bytes.push_back(now->bytes);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<AheadTrace> Collect() {
    std::vector<Node*> roots;
    for (const auto* list : {&result_nodes_, &written_nodes_}) {
      for (const NodeRef& node : *list) {
        if (node && node->pending()) roots.push_back(node.get());
      }
    }
    EvaluationLock lock;
    Cone cone;
    absl::Status status = cone.Collect(roots, nullptr, nullptr);
    if (status.ok()) status = Read(cone);
    cone.Clear();
    FUSEAU_RETURN_IF_ERROR(status);
    return AheadTrace{std::move(trace_), std::move(body_)};
  }

 private:
  absl::Status Read(const Cone& cone) {
    trace_ = ir::ReadTrace(cone.trace());
    trace_.outputs.clear();
    auto scalar = cone.scalars().begin();
    for (const ir::TraceNode& node : trace_.nodes) {
      if (node.op != OpCode::kScalar) continue;
      body_.scalars.push_back(runtime::ProgramScalar::Of(node.dtype, *scalar));
      ++scalar;
    }
    for (Node* node : cone.input_nodes()) {
      const int64_t place = PlaceOf(node);
      if (place < 0 && node->state != NodeState::kReady) {
        return absl::InternalError("an array of another trace is used");
      }
      body_.inputs.push_back(
          place >= 0
              ? runtime::ValueSource{runtime::ValueSource::kArgument, place}
              : Constant(node->buffer->data(), node->bytes));
      body_.input_bytes.push_back(node->bytes);
    }
    // Memory of the caller may be written to if it is to hold new elements.
    size_t input = 0;
    for (ir::TraceNode& node : trace_.nodes) {
      if (node.op != OpCode::kInput) continue;
      const runtime::ValueSource& source = body_.inputs[input++];
      node.donated = source.kind == runtime::ValueSource::kArgument &&
                     static_cast<bool>(written_nodes_[source.index]);
    }
    for (const NodeRef& node : result_nodes_) {
      body_.results.push_back(ResultOf(node.get()));
    }
    for (const NodeRef& node : written_nodes_) {
      body_.written.push_back(node ? Output(node.get()) : -1);
    }
    return absl::OkStatus();
  }

  runtime::ValueSource ResultOf(Node* node) {
    if (node->pending()) {
      return {runtime::ValueSource::kOutput, Output(node)};
    }
    if (const int64_t place = PlaceOf(node); place >= 0) {
      return {runtime::ValueSource::kArgument, place};
    }
    return node->state == NodeState::kValue
               ? Constant(node->operands[0].scalar, node->bytes)
               : Constant(node->buffer->data(), node->bytes);
  }

  // The place among the outputs of the trace.
  int64_t Output(const Node* node) {
    std::vector<int32_t>& all = trace_.outputs;
    const auto it = std::find(all.begin(), all.end(), node->index);
    if (it != all.end()) return it - all.begin();
    all.push_back(node->index);
    return static_cast<int64_t>(all.size()) - 1;
  }

  runtime::ValueSource Constant(const char* bytes, int64_t count) {
    constexpr size_t kAlignment = 64;
    const std::string content(bytes, static_cast<size_t>(count));
    size_t at = constants_->find(content);
    while (at != std::string::npos && at % kAlignment != 0) {
      at = constants_->find(content, at + 1);
    }
    if (at == std::string::npos) {
      at = (constants_->size() + kAlignment - 1) / kAlignment * kAlignment;
      constants_->resize(at);
      *constants_ += content;
    }
    return {runtime::ValueSource::kConstant, static_cast<int64_t>(at)};
  }

  std::string* const constants_;
  std::vector<NodeRef> result_nodes_, written_nodes_;
  ir::Trace trace_;
  runtime::VariantBody body_;
};

}  // namespace

absl::Status NeedsArgument() {
  return absl::FailedPreconditionError(
      "the program needs a value that depends on an argument, and a program "
      "that is compiled ahead of time has no values: conditions, loops and "
      "shapes may depend on sizes and constants only, and only operations that "
      "are recorded can be compiled");
}

absl::Status BeginAhead() {
  if (Ranks::active() != nullptr) {
    return absl::FailedPreconditionError(
        "a rank of a job cannot compile ahead of time");
  }
  FUSEAU_RETURN_IF_ERROR(EvaluateAll());
  Arguments().clear();
  window.operations = window.next_cut = window.max_bytes = INT64_MAX;
  window.due = false;
  tracing_ahead = traced_ahead = true;
  return absl::OkStatus();
}

void EndAhead() {
  tracing_ahead = false;
  Arguments().clear();
  ReadWindowLimits();
  RestartWindow(Graph::Get());
}

absl::Status AheadArgument(DType dtype, absl::Span<const int64_t> shape,
                           Array* out) {
  if (!tracing_ahead) return absl::InternalError("no trace has begun");
  Graph& graph = Graph::Get();
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  Node* node = graph.NewReady(nullptr, bytes);
  node->state = NodeState::kAway;
  Arguments().emplace_back(node);
  MakeArray(node, dtype, shape, nullptr, kWritable, out);
  return absl::OkStatus();
}

absl::StatusOr<AheadTrace> TraceAhead(absl::Span<const Array* const> arguments,
                                      absl::Span<const Array* const> results,
                                      std::string* constants) {
  Tracer tracer(constants);
  FUSEAU_RETURN_IF_ERROR(tracer.Add(arguments, results));
  return tracer.Collect();
}

}  // namespace fuseau

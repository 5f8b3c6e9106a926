#include "frontend/cone.h"

#include <cstring>

#include "runtime/base/status.h"

namespace fuseau {

uint32_t Cone::last_epoch_ = 0;

absl::Status Cone::Collect(absl::Span<Node* const> roots, Node* overwritten,
                           Node* donated) {
  epoch_ = ++last_epoch_;
  for (Node* root : roots) {
    if (root->pending()) root->epoch = root->root_epoch = epoch_;
  }
  if (overwritten != nullptr) overwritten->absorb_epoch = epoch_;
  return Complete(donated, /*named=*/false);
}

absl::Status Cone::CollectNamed() {
  epoch_ = ++last_epoch_;
  return Complete(/*donated=*/nullptr, /*named=*/true);
}

absl::Status Cone::Complete(Node* donated, bool named) {
  while (Close(named) && AbsorbReaders()) {
  }
  return BuildTrace(donated);
}

void Cone::Clear() {
  // A window may be of any size; memory is kept for those of usual sizes.
  constexpr size_t kKept = 4096;
  auto clear = [](auto& list) {
    list.clear();
    if (list.capacity() > kKept) list.shrink_to_fit();
  };
  for (runtime::BufferRef& input : inputs_) input.Release();
  clear(nodes_);
  clear(input_nodes_);
  clear(inputs_);
  clear(scalars_);
  clear(outputs_);
  trace_.Clear();
  bytes_ = 0;
}

// Adds what the nodes of the cone read. Record order is an order of
// computation, so one walk back is enough. `named` takes in what a base has as
// its value. Tells whether pending nodes are left that are not in the cone.
bool Cone::Close(bool named) {
  bool others = false;
  for (Node* n = Graph::Get().last_pending(); n != nullptr; n = n->previous) {
    if (named && n->base_refs > 0) n->epoch = epoch_;
    if (n->epoch != epoch_) {
      others = true;
      continue;
    }
    for (int k = 0; k < n->operand_count; ++k) {
      Node* read = n->operands[k].node;
      if (read != nullptr && read->pending()) read->epoch = epoch_;
    }
  }
  return others;
}

// Values without a name that the cone computes or overwrites will be gone, so
// whoever else reads one must be computed now. True if there were any.
bool Cone::AbsorbReaders() {
  Graph& graph = Graph::Get();
  for (Node* n = graph.first_pending(); n != nullptr; n = n->next) {
    if (n->epoch != epoch_) continue;
    if (n->base_refs == 0 && n->op != OpCode::kIota) n->absorb_epoch = epoch_;
    if (n->op == OpCode::kUpdate) {
      Node* old = n->operands[0].node;
      if (old->base_refs == 0) old->absorb_epoch = epoch_;
    }
  }
  bool grew = false;
  for (Node* n = graph.first_pending(); n != nullptr; n = n->next) {
    if (n->epoch == epoch_) continue;
    for (int k = 0; k < n->operand_count; ++k) {
      const Node* read = n->operands[k].node;
      if (read == nullptr || read->absorb_epoch != epoch_) continue;
      n->epoch = epoch_;
      if (n->base_refs == 0) n->absorb_epoch = epoch_;
      grew = true;
      break;
    }
  }
  return grew;
}

absl::Status Cone::BuildTrace(Node* donated) {
  watched_ = 0xff;
  for (Node* n = Graph::Get().first_pending(); n != nullptr; n = n->next) {
    if (n->epoch != epoch_) continue;
    nodes_.push_back(NodeRef(n));
    bytes_ += n->bytes;
    watched_ &= n->watched;
    FUSEAU_RETURN_IF_ERROR(AddNode(n));
  }
  trace_.BeginEnds(input_nodes_.size());
  for (const NodeRef& n : nodes_) {
    if (n->base_refs > 0 || n->root_epoch == epoch_) {
      outputs_.push_back(n.get());
      trace_.Output(n->index);
    }
  }
  for (size_t i = 0; i < input_nodes_.size(); ++i) {
    const Node* input = input_nodes_[i];
    if (input == donated ||
        (input->reads == input->refs && input->buffer->Unique())) {
      trace_.Donate(i);
    }
    // The node keeps the buffer: a reference more would be two atomic steps.
    inputs_.push_back(runtime::BufferRef::Adopt(input->buffer.get()));
  }
  trace_.Finish();
  return absl::OkStatus();
}

// The place in the trace of a value that is read; -1 if it is lost. Inputs and
// numbers get theirs when they are first read.
int32_t Cone::IndexOf(const NodeOperand& operand, bool whole) {
  Node* const read = operand.node;
  if (read == nullptr) return AddNumber(operand.scalar, operand.dtype);
  if (read->epoch == epoch_ && read->state != NodeState::kValue) {
    ++read->reads;
    return read->index;
  }
  if (read->state == NodeState::kValue) {
    if (!whole && (operand.offset != 0 || operand.dtype != read->dtype)) {
      // A part of a complex number.
      return AddNumber(read->operands[0].scalar + operand.offset,
                       operand.dtype);
    }
    if (read->epoch != epoch_) {
      read->epoch = epoch_;
      read->index = AddNumber(read->operands[0].scalar, read->dtype);
    }
    return read->index;
  }
  if (read->state == NodeState::kLost) return -1;
  FUSEAU_CHECK(!read->pending());
  read->epoch = epoch_;
  read->reads = 1;
  read->index = trace_.Input(read->bytes);
  input_nodes_.push_back(read);
  return read->index;
}

int32_t Cone::AddNumber(const char* bytes, DType dtype) {
  std::memcpy(scalars_.emplace_back().bytes, bytes,
              static_cast<size_t>(ItemSize(dtype)));
  return trace_.Scalar(dtype);
}

absl::Status Cone::AddNode(Node* n) {
  const bool update = n->op == OpCode::kUpdate;
  int32_t values[Node::kMaxOperands];
  for (int k = 0; k < n->operand_count; ++k) {
    values[k] = IndexOf(n->operands[k], update && k == 0);
    if (values[k] < 0) {
      return absl::DataLossError(
          "the value was lost when an earlier evaluation failed");
    }
  }
  ir::TraceWriter::Operation out =
      trace_.Begin(n->op, n->dtype, n->rank, n->operand_count, n->shape());
  const ir::Family family = ir::RowOf(n->op).family;
  if (family == ir::Family::kReduction) out.Reduced(n->reduced);
  if (family == ir::Family::kRoutine) {
    out.Calls(n->reduced, n->attribute);
  }
  if (update) out.WritesTo(n->write_offset, n->write_strides());
  for (int k = 0; k < n->operand_count; ++k) {
    const NodeOperand& o = n->operands[k];
    if (update && k == 0) {
      out.Whole(values[k], o.dtype);
    } else if (o.node == nullptr || o.node->state == NodeState::kValue) {
      out.Number(values[k], o.dtype);
    } else {
      out.Window(values[k], o.dtype, o.offset, n->strides(k));
    }
  }
  n->index = trace_.End(out);
  n->reads = 0;
  return absl::OkStatus();
}

void Cone::Attach(std::vector<runtime::BufferRef>* outputs) {
  FUSEAU_CHECK(outputs->size() == outputs_.size());
  Graph& graph = Graph::Get();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    Node* node = outputs_[i];
    // A single element is remembered as a number, so that later operations take
    // it as one.
    int64_t elements = 1;
    for (int d = 0; d < node->rank; ++d) {
      if ((node->reduced >> d & 1) == 0) elements *= node->shape()[d];
    }
    if (node->op != OpCode::kUpdate && elements == 1) {
      char value[16] = {};
      std::memcpy(value, (*outputs)[i]->data(), ItemSize(node->dtype));
      graph.SetValue(node, value);
    } else {
      graph.SetReady(node, std::move((*outputs)[i]));
    }
  }
  nodes_.clear();
}

void Cone::Lose() {
  for (Node* node : outputs_) {
    Graph::Get().SetReady(node, nullptr);
    node->state = NodeState::kLost;
  }
  nodes_.clear();
}

}  // namespace fuseau

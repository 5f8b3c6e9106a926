#include "frontend/cone.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/status.h"

namespace fuseau {

uint32_t Cone::last_epoch_ = 0;

absl::Status Cone::Collect(absl::Span<Node* const> roots, Node* overwritten,
                           Node* donated) {
  epoch_ = ++last_epoch_;
  for (Node* root : roots) {
    if (root->pending()) root->epoch = epoch_;
  }
  if (overwritten != nullptr) overwritten->absorb_epoch = epoch_;
  do {
    Close();
  } while (AbsorbReaders());
  return BuildTrace(roots, donated);
}

// Adds what the nodes of the cone read. Record order is an order of
// computation, so one walk back is enough.
void Cone::Close() {
  for (Node* n = Graph::Get().last_pending(); n != nullptr; n = n->previous) {
    if (n->epoch != epoch_) continue;
    for (int k = 0; k < n->operand_count; ++k) {
      Node* read = n->operands[k].node;
      if (read != nullptr && read->pending()) read->epoch = epoch_;
    }
  }
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

absl::Status Cone::BuildTrace(absl::Span<Node* const> roots, Node* donated) {
  // An operation comes with an input or a number, more often than not.
  const size_t count = static_cast<size_t>(Graph::Get().pending_count());
  nodes_.reserve(count);
  trace_.nodes.reserve(2 * count + 2);
  for (Node* n = Graph::Get().first_pending(); n != nullptr; n = n->next) {
    if (n->epoch != epoch_) continue;
    nodes_.push_back(NodeRef(n));
    bytes_ += n->bytes;
    FUSEAU_RETURN_IF_ERROR(AddNode(n));
  }
  for (const NodeRef& n : nodes_) {
    if (n->base_refs > 0 ||
        std::find(roots.begin(), roots.end(), n.get()) != roots.end()) {
      outputs_.push_back(n.get());
      trace_.outputs.push_back(n->index);
    }
  }
  for (size_t i = 0; i < input_nodes_.size(); ++i) {
    Node* input = input_nodes_[i];
    const bool ours = input == donated ||
                      (input->reads == input->refs && input->buffer->Unique());
    trace_.nodes[input_index_[i]].donated = ours;
    donates_ |= ours;
    inputs_.push_back(input->buffer);
  }
  return absl::OkStatus();
}

// The place in the trace of a value that is read. Inputs and numbers get theirs
// when they are first read.
absl::StatusOr<int32_t> Cone::IndexOf(Node* read) {
  const int32_t next = static_cast<int32_t>(trace_.nodes.size());
  if (read->epoch == epoch_) {
    ++read->reads;
    return read->index;
  }
  if (read->state == NodeState::kLost) {
    return absl::DataLossError(
        "the value was lost when an earlier evaluation failed");
  }
  FUSEAU_CHECK(!read->pending());
  read->epoch = epoch_;
  read->reads = 1;
  read->index = next;
  ir::TraceNode& node = trace_.nodes.emplace_back();
  if (read->state == NodeState::kValue) {
    node.op = OpCode::kScalar;
    node.dtype = read->dtype;
    std::memcpy(scalars_.emplace_back().bytes, read->operands[0].scalar, 16);
  } else {
    node.op = OpCode::kInput;
    node.dtype = DType::kUInt8;
    node.shape.push_back(read->bytes);
    input_nodes_.push_back(read);
    input_index_.push_back(next);
  }
  return next;
}

absl::Status Cone::AddNode(Node* n) {
  absl::InlinedVector<ir::TraceOperand, 3> operands;
  const bool update = n->op == OpCode::kUpdate;
  const size_t rank = n->rank;
  for (int k = 0; k < n->operand_count; ++k) {
    const NodeOperand& from = n->operands[k];
    ir::TraceOperand& to = operands.emplace_back();
    to.dtype = from.dtype;
    if (from.node == nullptr) {
      to.value = static_cast<int32_t>(trace_.nodes.size());
      ir::TraceNode& number = trace_.nodes.emplace_back();
      number.op = OpCode::kScalar;
      number.dtype = from.dtype;
      std::memcpy(scalars_.emplace_back().bytes, from.scalar, 16);
    } else {
      FUSEAU_ASSIGN_OR_RETURN(to.value, IndexOf(from.node));
      to.offset = from.offset;
    }
    if (!update || k > 0) {
      to.strides.assign(n->strides(k), n->strides(k) + rank);
    }
  }
  n->index = static_cast<int32_t>(trace_.nodes.size());
  n->reads = 0;
  ir::TraceNode& node = trace_.nodes.emplace_back();
  node.op = n->op;
  node.dtype = n->dtype;
  node.shape.assign(n->shape(), n->shape() + rank);
  node.operands = std::move(operands);
  if (update) {
    node.write_offset = n->write_offset;
    node.write_strides.assign(n->write_strides(), n->write_strides() + rank);
  }
  const ir::Family family = ir::RowOf(n->op).family;
  const bool routine = family == ir::Family::kRoutine;
  if (routine) node.attribute = n->attribute;
  if (routine || family == ir::Family::kReduction) {
    for (size_t d = 0; d < rank; ++d) {
      node.reduced.push_back((n->reduced >> d & 1) != 0);
    }
  }
  return absl::OkStatus();
}

void Cone::Attach(std::vector<runtime::BufferRef> outputs) {
  FUSEAU_CHECK(outputs.size() == outputs_.size());
  inputs_.clear();
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
      std::memcpy(value, outputs[i]->data(), ItemSize(node->dtype));
      graph.SetValue(node, value);
    } else {
      graph.SetReady(node, std::move(outputs[i]));
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

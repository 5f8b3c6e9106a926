#include "frontend/cone.h"

#include <algorithm>
#include <cstring>

#include "frontend/evaluate.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// What a small result may cost to be computed before it is wanted: for each
// element of the cone's largest space so many additions. To read an element
// from memory once more costs half of that.
constexpr int64_t kJoinWork = 8;
// A result is small if it has this part of the elements of that space, or one.
constexpr int64_t kSmallPart = 16;
// So many operations before the cone's first are looked at for such results.
constexpr int kJoinReach = 64;

int64_t ElementsOf(const Node& node) {
  return Count({node.shape(), node.rank});
}

// Whether nobody but the node has its memory, if it has any here.
bool OwnsBuffer(const Node& node) {
  return node.state == NodeState::kAway ||
         (!node.lent && node.buffer->Unique());
}

bool IsSmall(const Node& node, int64_t pass) {
  constexpr int64_t kUsualSize = 8;
  return node.bytes <= std::max(kUsualSize * pass / kSmallPart, kUsualSize);
}

}  // namespace

uint32_t Cone::last_epoch_ = 0;

absl::Status Cone::Collect(absl::Span<Node* const> roots, Node* overwritten,
                           Node* donated) {
  epoch_ = NewEpoch();
  first_ = nullptr;
  members_ = 0;
  for (Node* root : roots) {
    if (!root->pending()) continue;
    Mark(root);
    root->root_epoch = epoch_;
  }
  if (overwritten != nullptr) overwritten->absorb_epoch = epoch_;
  bool others = Close();
  if (others && JoinSmallResults()) others = Close();
  while (others && AbsorbReaders(overwritten)) others = Close();
  return BuildTrace(donated, /*all=*/false);
}

absl::Status Cone::CollectAll() {
  epoch_ = NewEpoch();
  return BuildTrace(/*donated=*/nullptr, /*all=*/true);
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

void Cone::Mark(Node* node) {
  if (node->epoch == epoch_) return;
  node->epoch = epoch_;
  ++members_;
}

// Adds what the nodes of the cone read. Record order is an order of
// computation, so one walk back is enough, and it ends at the first of them:
// what was recorded before may be any amount. Tells whether pending nodes are
// left that are not in the cone.
bool Cone::Close() {
  Graph& graph = Graph::Get();
  int64_t seen = 0;
  for (Node* n = graph.last_pending(); seen < members_; n = n->previous) {
    if (n->epoch != epoch_) continue;
    ++seen;
    first_ = n;
    for (int k = 0; k < n->operand_count; ++k) {
      Node* read = n->operands[k].node;
      if (read != nullptr && read->pending()) Mark(read);
    }
  }
  return members_ < graph.pending_count();
}

// Small results that are pending, such as other reductions of the same array,
// join if they read what the cone reads or computes anyway: so one pass through
// memory is enough for all of them. What costs more than that saves waits until
// it is wanted, since it may never be. True if there were any.
bool Cone::JoinSmallResults() {
  if (first_ == nullptr) return false;
  int64_t pass = 0;  // elements of the largest space of the cone
  for (Node* n = first_; n != nullptr; n = n->next) {
    if (n->epoch != epoch_) continue;
    pass = std::max(pass, ElementsOf(*n));
    for (int k = 0; k < n->operand_count; ++k) {
      Node* read = n->operands[k].node;
      if (read != nullptr) read->near_epoch = epoch_;
    }
  }
  Node* from = first_;
  for (int i = 0; i < kJoinReach && from->previous != nullptr; ++i) {
    from = from->previous;
  }
  const int64_t before = members_;
  for (Node* n = from; n != nullptr; n = n->next) {
    if (n->epoch == epoch_) {
      n->near_epoch = epoch_;
      n->extra_work = 0;
      continue;
    }
    const ir::OpRow& row = ir::RowOf(n->op);
    if (row.family == ir::Family::kRoutine) continue;
    int64_t work = ElementsOf(*n) * std::max<int64_t>(row.flops, 1);
    bool near = true;
    for (int k = 0; k < n->operand_count; ++k) {
      const Node* read = n->operands[k].node;
      if (read == nullptr || read->state == NodeState::kValue) continue;
      near &= read->near_epoch == epoch_ ||
              (read->state == NodeState::kReady && IsSmall(*read, pass));
      if (read->pending()) work += read->extra_work;
    }
    if (!near || work > kJoinWork * pass) continue;
    n->near_epoch = epoch_;
    n->extra_work = work;
    if (n->base_refs > 0 && IsSmall(*n, pass)) Mark(n);
  }
  return members_ > before;
}

// Values without a name that the cone computes or overwrites will be gone, so
// whoever else reads one must be computed now. True if there were any.
bool Cone::AbsorbReaders(const Node* overwritten) {
  // Readers come behind what they read, so those of the cone's own values are
  // behind its first. Those of a value that is there already may be anywhere.
  bool anywhere = overwritten != nullptr || first_ == nullptr;
  for (Node* n = first_; n != nullptr; n = n->next) {
    if (n->epoch != epoch_) continue;
    if (n->base_refs == 0 && n->op != OpCode::kIota) n->absorb_epoch = epoch_;
    if (n->op == OpCode::kUpdate) {
      Node* old = n->operands[0].node;
      if (old->base_refs > 0) continue;
      old->absorb_epoch = epoch_;
      anywhere |= !old->pending() && old->refs > 1;
    }
  }
  const int64_t before = members_;
  for (Node* n = anywhere ? Graph::Get().first_pending() : first_; n != nullptr;
       n = n->next) {
    if (n->epoch == epoch_) continue;
    for (int k = 0; k < n->operand_count; ++k) {
      const Node* read = n->operands[k].node;
      if (read == nullptr || read->absorb_epoch != epoch_) continue;
      Mark(n);
      if (n->base_refs == 0) n->absorb_epoch = epoch_;
      break;
    }
  }
  return members_ > before;
}

// Whether somebody but the cone has the node, or will read it. The numbers of
// an iota are made again by whoever reads it.
bool Cone::IsResult(const Node* node) const {
  return node->refs != node->reads &&
         (node->op != OpCode::kIota || node->base_refs > 0 ||
          node->root_epoch == epoch_);
}

absl::Status Cone::BuildTrace(Node* donated, bool all) {
  for (Node* n = all ? Graph::Get().first_pending() : first_; n != nullptr;
       n = n->next) {
    if (all) n->epoch = epoch_;
    if (n->epoch != epoch_) continue;
    nodes_.push_back(n);
    bytes_ += n->bytes;
    FUSEAU_RETURN_IF_ERROR(AddNode(n));
  }
  trace_.BeginEnds(input_nodes_.size());
  for (Node* n : nodes_) {
    if (!IsResult(n)) continue;
    outputs_.emplace_back(n);
    trace_.Output(n->index);
  }
  for (size_t i = 0; i < input_nodes_.size(); ++i) {
    const Node* input = input_nodes_[i];
    if (input == donated ||
        (input->reads == input->refs && OwnsBuffer(*input))) {
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

namespace {

// Whether an operand reads several elements of a known number, as those of a
// smaller type: then it has to lie in memory.
bool IsSpreadNumber(const Node* n, int k) {
  const NodeOperand& o = n->operands[k];
  if (o.node == nullptr || o.node->state != NodeState::kValue ||
      o.dtype == o.node->dtype) {
    return false;
  }
  for (int d = 0; d < n->rank; ++d) {
    if (n->shape()[d] > 1 && n->strides(k)[d] != 0) return true;
  }
  return false;
}

}  // namespace

absl::Status Cone::AddNode(Node* n) {
  const bool update = n->op == OpCode::kUpdate;
  for (int k = update ? 1 : 0; k < n->operand_count; ++k) {
    if (IsSpreadNumber(n, k)) {
      Node* const number = n->operands[k].node;
      FUSEAU_RETURN_IF_ERROR(EnsureBuffer(number));
      number->epoch = 0;  // Its place in the trace so far is that of a number.
    }
  }
  int32_t values[Node::kMaxOperands];
  for (int k = 0; k < n->operand_count; ++k) {
    values[k] = IndexOf(n->operands[k], update && k == 0);
    if (values[k] < 0) {
      return absl::DataLossError(
          "the value was lost when an earlier evaluation failed");
    }
  }
  ir::TraceWriter::Operation out = trace_.Begin(
      n->op, n->dtype, n->rank, n->operand_count, n->watched, n->shape());
  const ir::Family family = ir::RowOf(n->op).family;
  if (family == ir::Family::kReduction) out.Reduced(n->reduced);
  if (family == ir::Family::kRoutine) {
    out.Calls(n->reduced, n->attribute);
  }
  if (n->op == OpCode::kIota) out.CountsFrom(0);
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

std::vector<int32_t> Cone::Lines() const {
  std::vector<int32_t> lines;
  for (const Node* node : nodes_) {
    const size_t index = static_cast<size_t>(node->index);
    if (lines.size() <= index) lines.resize(index + 1);
    lines[index] = node->line;
  }
  return lines;
}

void Cone::BindInputs() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i].Release();
    inputs_[i] = runtime::BufferRef::Adopt(input_nodes_[i]->buffer.get());
  }
}

void Cone::Attach(std::vector<runtime::BufferRef>* outputs) {
  Attach(outputs, {}, [](Node*, RankValue*) {});
}

// Readers come before what they read, as SetReady and Retire want it.
void Cone::Attach(std::vector<runtime::BufferRef>* outputs,
                  absl::Span<RankValue* const> held,
                  absl::FunctionRef<void(Node*, RankValue*)> hold) {
  FUSEAU_CHECK(outputs->size() == outputs_.size());
  Graph& graph = Graph::Get();
  size_t left = outputs_.size();
  for (size_t i = nodes_.size(); i-- > 0;) {
    Node* node = nodes_[i];
    if (left == 0 || node != outputs_[left - 1].get()) {
      graph.Retire(node);
      continue;
    }
    runtime::BufferRef& buffer = (*outputs)[--left];
    RankValue* const value = held.empty() ? nullptr : held[left];
    if (__builtin_expect(value != nullptr, false)) hold(node, value);
    if (!buffer) {
      graph.SetAway(node);
      continue;
    }
    // A single element is remembered as a number, so that later operations take
    // it as one.
    int64_t elements = 1;
    for (int d = 0; d < node->rank; ++d) {
      if ((node->reduced >> d & 1) == 0) elements *= node->shape()[d];
    }
    if (node->op != OpCode::kUpdate && elements == 1) {
      char number[16] = {};
      std::memcpy(number, buffer->read(), ItemSize(node->dtype));
      graph.DropRankValue(node);
      graph.SetValue(node, number);
    } else {
      graph.SetReady(node, std::move(buffer));
    }
  }
  nodes_.clear();
}

void Cone::Lose() {
  Graph& graph = Graph::Get();
  size_t left = outputs_.size();
  for (size_t i = nodes_.size(); i-- > 0;) {
    Node* node = nodes_[i];
    if (left == 0 || node != outputs_[left - 1].get()) {
      graph.Retire(node);
      continue;
    }
    --left;
    graph.SetReady(node, nullptr);
    node->state = NodeState::kLost;
  }
  nodes_.clear();
}

}  // namespace fuseau

#include "frontend/graph.h"

#include <cstring>

#include "frontend/deferred_drops.h"
#include "frontend/exposure.h"
#include "frontend/journal.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// Slabs are never given back: the memory of a graph is that of its largest
// number of nodes at a time, some 400 bytes each.
constexpr int kSlabNodes = 256;
constexpr int kSlabBases = 256;

}  // namespace

Graph Graph::instance_;

Node* Graph::AddSlab() {
  Node* slab = new Node[kSlabNodes];
  for (int i = 0; i + 1 < kSlabNodes; ++i) slab[i].next = &slab[i + 1];
  return slab;
}

Base* Graph::AddBases() {
  Base* slab = new Base[kSlabBases];
  for (int i = 0; i + 1 < kSlabBases; ++i) slab[i].next_free = &slab[i + 1];
  return slab;
}

void Graph::SetScalarOperand(Node* node, int k, const char scalar[16],
                             DType dtype) {
  NodeOperand& operand = node->operands[k];
  operand.node = nullptr;
  std::memcpy(operand.scalar, scalar, 16);
  operand.dtype = dtype;
  int64_t* strides = node->strides(k);
  FUSEAU_SHORT_LOOP
  for (int d = 0; d < node->rank; ++d) strides[d] = 0;
}

Node* Graph::NewValue(DType dtype, const char value[16]) {
  Node* node = NewNode(OpCode::kScalar, dtype, 0, 0);
  node->state = NodeState::kValue;
  node->bytes = ItemSize(dtype);
  std::memcpy(node->operands[0].scalar, value, 16);
  return node;
}

Node* Graph::NewReady(runtime::BufferRef buffer, int64_t bytes) {
  Node* node = NewNode(OpCode::kInput, DType::kUInt8, 0, 0);
  node->state = NodeState::kReady;
  node->bytes = bytes;
  node->buffer = std::move(buffer);
  return node;
}

void Graph::Unlink(Node* node) {
  (node->previous != nullptr ? node->previous->next : first_) = node->next;
  (node->next != nullptr ? node->next->previous : last_) = node->previous;
  --pending_count_;
}

// `retires`: pending operands are left to Retire.
void Graph::ReleaseOperands(Node* node, bool retires) {
  for (int k = 0; k < node->operand_count; ++k) {
    Node* read = std::exchange(node->operands[k].node, nullptr);
    if (read == nullptr) continue;
    if (retires && read->pending()) {
      --read->refs;
    } else {
      Unref(read);
    }
  }
  node->operand_count = 0;
  if (node->dims != node->inline_dims) {
    delete[] node->dims;
    node->dims = node->inline_dims;
  }
  node->rank = 0;
}

// A chain may be 100,000 nodes long, so there is no recursion: nodes that die
// while another one is freed wait in a list.
void Graph::Drop(Node* node) {
  if (node->pending()) Unlink(node);
  node->next = dead_;
  dead_ = node;
  if (dropping_) return;
  dropping_ = true;
  while (dead_ != nullptr) {
    Node* dead = dead_;
    dead_ = dead->next;
    ReleaseOperands(dead, /*retires=*/false);
    dead->buffer.reset();
    DropRankValue(dead);
    dead->exposed = dead->lent = false;
    dead->next = free_nodes_;
    free_nodes_ = dead;
  }
  dropping_ = false;
}

void Graph::DropBase(Base* base) {
  if (__builtin_expect(deferred != nullptr, false)) {
    deferred->Add(base);
  } else {
    DropNow(base);
  }
}

void Graph::DropNow(Base* base) {
  FUSEAU_CHECK(base->exposed == base->ended);
  Node* node = std::exchange(base->cur, nullptr);
  if (base->exposed > 0) SetExposed(node, false);
  base->next_free = free_bases_;
  free_bases_ = base;
  RemoveBaseRef(node);
  Unref(node);
}

void Graph::NoteExposedRead(Base* base) {
  read_exposed = true;
  if (deferred != nullptr) deferred->NoteExposedRead(base);
}

void Graph::Record(OpCode op, DType dtype, int rank, int64_t bytes) {
  journal->Add(op, dtype, rank, bytes);
}

void Graph::SetReady(Node* node, runtime::BufferRef buffer) {
  if (node->pending()) {
    Unlink(node);
    if (node->base_refs > 0) pending_bytes_ -= node->bytes;
  }
  node->state = NodeState::kReady;
  node->op = OpCode::kInput;
  node->buffer = std::move(buffer);
  ReleaseOperands(node, /*retires=*/true);
}

void Graph::Retire(Node* node) {
  if (node->refs > 0) return;
  Unlink(node);
  ReleaseOperands(node, /*retires=*/true);
  node->next = free_nodes_;
  free_nodes_ = node;
}

void Graph::SetValue(Node* node, const char value[16]) {
  FUSEAU_CHECK(node->pending());
  Unlink(node);
  if (node->base_refs > 0) pending_bytes_ -= node->bytes;
  node->state = NodeState::kValue;
  node->op = OpCode::kScalar;
  char bytes[16];
  std::memcpy(bytes, value, 16);
  ReleaseOperands(node, /*retires=*/true);
  std::memcpy(node->operands[0].scalar, bytes, 16);
}

}  // namespace fuseau

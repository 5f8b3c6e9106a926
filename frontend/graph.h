// The lazy graph: what was recorded and not computed yet.
//
// A Node makes one value, a dense storage of bytes in C order, exactly as a
// node of an ir::Trace does. A Base is the storage identity that Python's
// arrays share; it has one value at a time, and a write gives it a new one.
// The graph is one per process, since arrays of all threads may meet in one
// operation; Python's global lock protects it.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "frontend/float_errors.h"
#include "ir/op_table.h"
#include "runtime/base/dims.h"
#include "runtime/base/dtype.h"
#include "runtime/buffer.h"

namespace fuseau {

using ir::OpCode;

enum class NodeState : uint8_t {
  kPending,  // to be computed
  kValue,    // one element, in operands[0].scalar
  kReady,    // in `buffer`
  kAway,     // computed, but held in parts by the ranks of a job
  kLost,     // an evaluation failed after it had destroyed what is needed
};

struct Node;
struct RankValue;     // ranks.h
class DeferredDrops;  // deferred_drops.h
class Journal;        // journal.h

// What a node reads: a strided window of another node's storage, or a number.
struct NodeOperand {
  Node* node = nullptr;  // null: the number in `scalar`
  union {
    int64_t offset;  // bytes
    alignas(8) char scalar[16];
  };
  DType dtype = DType::kFloat64;

  NodeOperand() : scalar{} {}
};

// One value. Lives in a slab of the Graph; the counts say who refers to it.
struct Node {
  static constexpr int kMaxOperands = 3;
  static constexpr int kInlineRank = 4;

  // The iteration space, and the strides of operand `k` over it. An Update's
  // first operand is read whole: in its place stand the strides of the write.
  int64_t* shape() const { return dims; }
  int64_t* strides(int k) const { return dims + (k + 1) * rank; }
  int64_t* write_strides() const { return strides(0); }
  bool pending() const { return state == NodeState::kPending; }
  // Whether the value can be read in this process.
  bool here() const {
    return state == NodeState::kReady || state == NodeState::kValue;
  }

  uint32_t refs = 0;       // all references: bases, readers, NodeRefs
  uint32_t base_refs = 0;  // those of bases that have it as their value
  OpCode op = OpCode::kInput;
  DType dtype = DType::kFloat64;
  NodeState state = NodeState::kPending;
  uint8_t rank = 0;
  uint8_t operand_count = 0;
  uint8_t watched = 0;   // kinds of floating-point errors
  uint64_t reduced = 0;  // bit d: dimension d vanishes
  int64_t bytes = 0;     // of the storage
  int64_t write_offset = 0;
  int64_t attribute = 0;  // of a routine
  // kReady, kAway: what the ranks of a job hold of the value, or null.
  RankValue* rank_value = nullptr;
  // Foreign code may see the buffer, so ranks must not hold copies of it.
  bool exposed = false;
  // The ranks have found that the buffer is not the node's alone.
  bool lent = false;
  // Of the program, that recorded it, where lines are noted; else without
  // meaning.
  int32_t line = 0;
  // Neighbours in the list of pending nodes, which is in record order. A node
  // that is free uses `next` for the list of free ones.
  Node* previous = nullptr;
  Node* next = nullptr;
  // For one evaluation: whether it was met there, and what was found.
  uint32_t epoch = 0;
  uint32_t absorb_epoch = 0;
  uint32_t root_epoch = 0;
  uint32_t near_epoch = 0;
  int32_t index = 0;
  uint32_t reads = 0;
  int64_t extra_work = 0;
  NodeOperand operands[kMaxOperands];
  runtime::BufferRef buffer;
  int64_t* dims = inline_dims;
  int64_t inline_dims[(kMaxOperands + 1) * kInlineRank];
};

// A storage that arrays share. Python's arrays and exports hold references.
struct Base {
  uint32_t refs = 0;
  // Foreign code may read and write the bytes while this is not 0: then `cur`
  // is ready, nobody else has it as value, and no pending node reads it.
  int32_t exposed = 0;
  // Exposures among these that are over here, and that ranks which all run the
  // program have yet to agree on.
  int32_t ended = 0;
  Node* cur = nullptr;
  Base* next_free = nullptr;
};

class Graph {
 public:
  static Graph& Get() { return instance_; }

  // A node with one reference, the caller's. The caller fills in shape, strides
  // and operands, then calls Commit.
  Node* NewNode(OpCode op, DType dtype, int rank, int operand_count) {
    Node* node = free_nodes_;
    if (node == nullptr) node = AddSlab();
    free_nodes_ = node->next;
    node->refs = 1;
    node->base_refs = 0;
    node->op = op;
    node->dtype = dtype;
    node->state = NodeState::kPending;
    node->rank = static_cast<uint8_t>(rank);
    node->operand_count = static_cast<uint8_t>(operand_count);
    node->reduced = 0;
    node->watched = float_watch;
    if (rank > Node::kInlineRank) {
      node->dims = new int64_t[(Node::kMaxOperands + 1) * rank];
    }
    return node;
  }
  void SetOperand(Node* node, int k, Node* read, int64_t offset, DType dtype) {
    NodeOperand& operand = node->operands[k];
    operand.node = read;
    operand.offset = offset;
    operand.dtype = dtype;
    ++read->refs;
  }
  // The strides of a number are 0.
  void SetScalarOperand(Node* node, int k, const char scalar[16], DType dtype);
  // The node's description is complete: it is pending from now on.
  void Commit(Node* node) {
    node->previous = last_;
    node->next = nullptr;
    (last_ != nullptr ? last_->next : first_) = node;
    last_ = node;
    ++pending_count_;
    if (__builtin_expect(line_of_program != nullptr, false)) {
      node->line = line_of_program();
    }
    NoteOperation(node->op, node->dtype, node->rank, node->bytes);
  }
  // Counts an operation. One that was done at once counts too, so that a loop
  // looks the same in every round.
  void NoteOperation(OpCode op, DType dtype, int rank, int64_t bytes) {
    if (rank > 0) element_reads_ = 0;
    tokens_[static_cast<uint64_t>(recorded_++) % kTokens] =
        static_cast<uint32_t>(static_cast<int64_t>(op) |
                              static_cast<int64_t>(dtype) << 8 |
                              static_cast<int64_t>(rank) << 12 | bytes << 16);
    if (__builtin_expect(journal != nullptr, false)) {
      Record(op, dtype, rank, bytes);
    }
  }

  // Nodes that exist already. Each has one reference, the caller's.
  Node* NewValue(DType dtype, const char value[16]);
  Node* NewReady(runtime::BufferRef buffer, int64_t bytes);

  void Ref(Node* node) { ++node->refs; }
  void Unref(Node* node) {
    if (--node->refs == 0) Drop(node);
  }

  // A base with one reference whose value is `node`; takes over the caller's
  // reference to it.
  Base* NewBase(Node* node) {
    Base* base = free_bases_;
    if (base == nullptr) base = AddBases();
    free_bases_ = base->next_free;
    base->refs = 1;
    base->exposed = 0;
    base->ended = 0;
    base->cur = node;
    AddBaseRef(node);
    return base;
  }
  void Ref(Base* base) { ++base->refs; }
  void Unref(Base* base) {
    if (--base->refs == 0) DropBase(base);
  }
  // A base that nobody refers to is gone, whatever is deferred.
  void DropNow(Base* base);
  // Gives the base a new value; takes over the caller's reference to it.
  void SetCurrent(Base* base, Node* node) {
    Node* old = base->cur;
    base->cur = node;
    AddBaseRef(node);
    RemoveBaseRef(old);
    Unref(old);
  }

  // The value is computed: the node forgets what it was made from. Pending
  // nodes among that stay, though nobody may have them any more: they were
  // computed with it, and their own SetReady, SetValue or Retire comes after
  // that of all who read them.
  void SetReady(Node* node, runtime::BufferRef buffer);
  // As SetReady, for a node of one element whose bytes are known.
  void SetValue(Node* node, const char value[16]);
  // The value is computed, and the ranks hold it.
  void SetAway(Node* node) {
    SetReady(node, nullptr);
    node->state = NodeState::kAway;
  }
  // What the ranks hold will be out of date, or is not needed any more.
  void DropRankValue(Node* node) {
    if (__builtin_expect(node->rank_value != nullptr, false)) {
      ReleaseRankValue(node);
    }
  }
  // Frees a pending node unless somebody has it.
  void Retire(Node* node);

  // Pending nodes in record order.
  Node* first_pending() const { return first_; }
  Node* last_pending() const { return last_; }
  int64_t pending_count() const { return pending_count_; }
  // Bytes of the pending values that a base has: they will need memory.
  int64_t pending_bytes() const { return pending_bytes_; }
  int64_t recorded() const { return recorded_; }
  // What the latest operations looked like, by which a loop is known again:
  // token(i) of operation number i, for the last kTokens ones.
  static constexpr int64_t kTokens = 2048;
  uint32_t token(int64_t i) const { return tokens_[i % kTokens]; }

  // To be called when an element of a pending value is about to be read. True
  // after some of these with nothing between them but operations on single
  // numbers: the program goes through elements.
  bool ReadsElements() {
    constexpr int kMany = 8;
    return ++element_reads_ > kMany;
  }

  // Set when a recorded node reads a base that is exposed: it must be computed
  // before the foreign code goes on. Cleared by who computes it.
  bool read_exposed = false;
  // To be called for each base that a recorded node reads.
  void NoteRead(Base* base) {
    if (__builtin_expect(base->exposed != 0, false)) NoteExposedRead(base);
  }

  // Where the program is, by a number; null if nobody wants to know.
  int32_t (*line_of_program)() = nullptr;

  // Where every rank of a job runs the program; else null.
  DeferredDrops* deferred = nullptr;
  Journal* journal = nullptr;

 private:
  static Graph instance_;

  Node* AddSlab();
  Base* AddBases();
  void Drop(Node* node);
  void ReleaseRankValue(Node* node);
  void DropBase(Base* base);
  void NoteExposedRead(Base* base);
  void Record(OpCode op, DType dtype, int rank, int64_t bytes);
  void Unlink(Node* node);
  void ReleaseOperands(Node* node, bool retires);
  void AddBaseRef(Node* node) {
    if (node->base_refs++ == 0 && node->pending()) {
      pending_bytes_ += node->bytes;
    }
  }
  void RemoveBaseRef(Node* node) {
    if (--node->base_refs == 0 && node->pending()) {
      pending_bytes_ -= node->bytes;
    }
  }

  Node* free_nodes_ = nullptr;
  Base* free_bases_ = nullptr;
  Node* first_ = nullptr;
  Node* last_ = nullptr;
  Node* dead_ = nullptr;  // to be freed by the Drop that runs
  bool dropping_ = false;
  int64_t pending_count_ = 0;
  int64_t pending_bytes_ = 0;
  int64_t recorded_ = 0;
  int element_reads_ = 0;
  uint32_t tokens_[kTokens] = {};
};

// A counted reference to a Node or a Base.
template <typename T>
class GraphRef {
 public:
  GraphRef() = default;
  // Takes over a reference that the caller has.
  static GraphRef Adopt(T* target) {
    GraphRef ref;
    ref.target_ = target;
    return ref;
  }
  explicit GraphRef(T* target) : target_(target) {
    if (target_ != nullptr) Graph::Get().Ref(target_);
  }
  GraphRef(const GraphRef& other) : GraphRef(other.target_) {}
  GraphRef(GraphRef&& other) noexcept
      : target_(std::exchange(other.target_, nullptr)) {}
  GraphRef& operator=(GraphRef other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~GraphRef() { reset(); }

  void reset() {
    if (T* target = std::exchange(target_, nullptr)) Graph::Get().Unref(target);
  }
  T* Release() { return std::exchange(target_, nullptr); }
  T* get() const { return target_; }
  T* operator->() const { return target_; }
  explicit operator bool() const { return target_ != nullptr; }

 private:
  T* target_ = nullptr;
};

using NodeRef = GraphRef<Node>;
using BaseRef = GraphRef<Base>;

}  // namespace fuseau

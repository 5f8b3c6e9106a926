// A trace as a row of numbers. Traces are equal if and only if their rows are,
// so a row is the key by which a plan is found again; and it is quick to write,
// so a trace that is known need not be made at all.
//
// First the counts of nodes and of outputs. Then each node: its head, and for
// an input its bytes; for others but numbers the sizes, of a reduction or a
// routine the dimensions that vanish, of a routine its attribute, of an update
// where it writes, then the operands:
// head, and unless a number is read the offset and the strides. At the end the
// donated inputs, a bit each, and the outputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "ir/trace.h"
#include "runtime/base/dims.h"

namespace fuseau::ir {

using TraceWords = absl::Span<const uint64_t>;

// Writes a trace node by node. Keeps its memory from one trace to the next.
class TraceWriter {
 public:
  TraceWriter() { Clear(); }

  void Clear() {
    size_ = 1;  // the counts
    nodes_ = 0;
    Expect({});
    if (capacity_ < kSmall || capacity_ > kLarge) {
      words_ = std::make_unique<uint64_t[]>(kSmall);
      capacity_ = kSmall;
    }
  }

  // The trace is likely to be this one. What is written is compared with it by
  // the way, which costs less than to look the trace up. For a trace that is
  // begun; the words must live until it is finished.
  void Expect(TraceWords words) {
    expected_ = words;
    difference_ = 0;
    compared_ = SIZE_MAX;
  }
  // Whether it is, once it is finished.
  bool as_expected() const { return difference_ == 0; }

  // Each adds a node and gives its number.
  int32_t Input(int64_t bytes) {
    Cursor out = Reserve(2);
    out.Put(Head(OpCode::kInput, DType::kUInt8, 1, 0));
    out.Put(static_cast<uint64_t>(bytes));
    return Added(out);
  }
  int32_t Scalar(DType dtype) {
    Cursor out = Reserve(1);
    out.Put(Head(OpCode::kScalar, dtype, 0, 0));
    return Added(out);
  }

  // Where the next words go, beside those that are expected there. Both are the
  // same place if nothing is.
  class Cursor {
   public:
    void Put(uint64_t word) {
      *at_++ = word;
      difference_ |= word ^ *expected_++;
    }

   private:
    friend class TraceWriter;
    Cursor(uint64_t* at, const uint64_t* expected)
        : at_(at), expected_(expected) {}

    uint64_t* at_;
    const uint64_t* expected_;
    uint64_t difference_ = 0;
  };

  // An operation: Begin, an operand each, End, with a cursor that goes from one
  // to the next. Reduced is for reductions alone, Calls for routines,
  // CountsFrom for iotas, WritesTo for updates.
  class Operation {
   public:
    void Reduced(uint64_t dimensions) { out_.Put(dimensions); }
    void Calls(uint64_t reduced, int64_t attribute) {
      out_.Put(reduced);
      out_.Put(static_cast<uint64_t>(attribute));
    }
    void CountsFrom(int64_t first) { out_.Put(static_cast<uint64_t>(first)); }
    void WritesTo(int64_t offset, const int64_t* strides) {
      out_.Put(static_cast<uint64_t>(offset));
      Put(strides);
    }
    void Number(int32_t value, DType dtype) { out_.Put(Operand(value, dtype)); }
    // The storage as a whole: what an update starts from.
    void Whole(int32_t value, DType dtype) { out_.Put(Operand(value, dtype)); }
    void Window(int32_t value, DType dtype, int64_t offset,
                const int64_t* strides) {
      out_.Put(Operand(value, dtype));
      out_.Put(static_cast<uint64_t>(offset));
      Put(strides);
    }

   private:
    friend class TraceWriter;
    Operation(Cursor out, int rank) : out_(out), rank_(rank) {}
    void Put(const int64_t* dims) {
      FUSEAU_SHORT_LOOP
      for (int d = 0; d < rank_; ++d) out_.Put(static_cast<uint64_t>(dims[d]));
    }

    Cursor out_;
    const int rank_;
  };
  Operation Begin(OpCode op, DType dtype, int rank, int operands,
                  uint8_t watched, const int64_t* shape) {
    Operation operation(
        Reserve(static_cast<size_t>(3 + 2 * rank + operands * (2 + rank))),
        rank);
    operation.out_.Put(Head(op, dtype, rank, operands) |
                       static_cast<uint64_t>(watched) << 32);
    operation.Put(shape);
    return operation;
  }
  int32_t End(const Operation& operation) { return Added(operation.out_); }

  int32_t nodes() const { return nodes_; }

  // What stands at the end: first room for a bit for each input, then Output
  // for each result and Donate for each donated input, then Finish.
  void BeginEnds(size_t inputs) {
    const size_t bits = inputs / 64 + 1;
    donated_at_ = size_;
    compared_ = std::min(compared_, size_);
    uint64_t* out = Reserve(bits).at_;
    for (size_t i = 0; i < bits; ++i) out[i] = 0;
    size_ += bits;
    outputs_ = 0;
  }
  void Output(int32_t node) {
    *Reserve(1).at_ = static_cast<uint64_t>(node);
    ++size_;
    ++outputs_;
  }
  void Donate(size_t input) {
    words_[donated_at_ + input / 64] |= uint64_t{1} << (input % 64);
  }
  void Finish() {
    words_[0] = static_cast<uint64_t>(nodes_) | outputs_ << 32;
    if (size_ != expected_.size() || words_[0] != expected_[0] ||
        words().subspan(compared_) != expected_.subspan(compared_)) {
      difference_ = 1;
    }
  }

  TraceWords words() const { return {words_.get(), size_}; }

 private:
  static constexpr size_t kSmall = 1024;
  static constexpr size_t kLarge = size_t{1} << 17;

  static uint64_t Head(OpCode op, DType dtype, int rank, int operands) {
    return static_cast<uint64_t>(op) | static_cast<uint64_t>(dtype) << 8 |
           static_cast<uint64_t>(rank) << 16 |
           static_cast<uint64_t>(operands) << 24;
  }
  static uint64_t Operand(int32_t value, DType dtype) {
    return static_cast<uint64_t>(value) | static_cast<uint64_t>(dtype) << 32;
  }
  int32_t Added(const Cursor& end) {
    size_ = static_cast<size_t>(end.at_ - words_.get());
    difference_ |= end.difference_;
    return nodes_++;
  }
  Cursor Reserve(size_t more) {
    if (size_ + more > capacity_) Grow(more);
    uint64_t* at = words_.get() + size_;
    if (size_ + more <= expected_.size()) return {at, expected_.data() + size_};
    // Near the end, where the room may be more than is needed, and where what
    // follows is not written in order, Finish compares.
    compared_ = std::min(compared_, size_);
    return {at, at};
  }
  void Grow(size_t more);

  std::unique_ptr<uint64_t[]> words_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  int32_t nodes_ = 0;
  uint64_t outputs_ = 0;
  size_t donated_at_ = 0;
  TraceWords expected_;
  uint64_t difference_ = 0;  // 0: none so far
  size_t compared_ = 0;      // the words before that
};

// Equal traces have equal hashes.
uint64_t HashWords(TraceWords words);

// A node where it stands in the words, without a copy. Sizes and strides are
// those words themselves.
struct NodeWords {
  struct Operand {
    int32_t value = 0;
    DType dtype = DType::kFloat64;
    int64_t offset = 0;
    const int64_t* strides =
        nullptr;  // null: a number, or a storage as a whole
  };

  OpCode op = OpCode::kInput;
  DType dtype = DType::kFloat64;
  uint8_t watched = 0;
  int rank = 0;
  uint64_t reduced = 0;
  int64_t attribute = 0;
  int64_t write_offset = 0;
  const int64_t* shape = nullptr;
  const int64_t* write_strides = nullptr;
  absl::InlinedVector<Operand, 3> operands;

  TraceNode Node() const;
};

// Goes through the words of a trace node by node.
class NodeReader {
 public:
  explicit NodeReader(TraceWords words);
  int32_t nodes() const { return nodes_; }
  int32_t outputs() const { return outputs_; }
  // The next node. `is_number` tells it of the values before.
  template <typename F>
  NodeWords Next(F&& is_number) {
    NodeWords node = Head();
    for (size_t k = 0; k < node.operands.size(); ++k) {
      NodeWords::Operand& operand = node.operands[k];
      operand.value = static_cast<int32_t>(*at_ & 0xffffffff);
      operand.dtype = static_cast<DType>(*at_++ >> 32);
      if (node.op == OpCode::kUpdate && k == 0) continue;
      if (!is_number(operand.value)) {
        operand.offset = static_cast<int64_t>(*at_++);
        operand.strides = Row(node.rank);
      }
    }
    return node;
  }
  // Behind the last node: the words that tell which inputs are donated, and
  // then the outputs.
  const uint64_t* ends() const { return at_; }

 private:
  NodeWords Head();
  const int64_t* Row(int rank) {
    const auto* row = reinterpret_cast<const int64_t*>(at_);
    at_ += rank;
    return row;
  }

  const uint64_t* at_;
  int32_t nodes_;
  int32_t outputs_;
};

// The trace that was written.
Trace ReadTrace(TraceWords words);
// Writes a trace that exists.
void WriteTrace(const Trace& trace, TraceWriter* writer);

}  // namespace fuseau::ir

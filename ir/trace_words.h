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

#include <cstdint>
#include <cstring>
#include <memory>

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
    if (capacity_ < kSmall || capacity_ > kLarge) {
      words_ = std::make_unique<uint64_t[]>(kSmall);
      capacity_ = kSmall;
    }
  }

  // Each adds a node and gives its number.
  int32_t Input(int64_t bytes) {
    uint64_t* out = Reserve(2);
    *out++ = Head(OpCode::kInput, DType::kUInt8, 1, 0);
    *out++ = static_cast<uint64_t>(bytes);
    return Added(out);
  }
  int32_t Scalar(DType dtype) {
    uint64_t* out = Reserve(1);
    *out++ = Head(OpCode::kScalar, dtype, 0, 0);
    return Added(out);
  }

  // An operation: Begin, an operand each, End, with a cursor that goes from one
  // to the next. Reduced is for reductions alone, Calls for routines, WritesTo
  // for updates.
  class Operation {
   public:
    void Reduced(uint64_t dimensions) { *at_++ = dimensions; }
    void Calls(uint64_t reduced, int64_t attribute) {
      *at_++ = reduced;
      *at_++ = static_cast<uint64_t>(attribute);
    }
    void WritesTo(int64_t offset, const int64_t* strides) {
      *at_++ = static_cast<uint64_t>(offset);
      Put(strides);
    }
    void Number(int32_t value, DType dtype) { *at_++ = Operand(value, dtype); }
    // The storage as a whole: what an update starts from.
    void Whole(int32_t value, DType dtype) { *at_++ = Operand(value, dtype); }
    void Window(int32_t value, DType dtype, int64_t offset,
                const int64_t* strides) {
      *at_++ = Operand(value, dtype);
      *at_++ = static_cast<uint64_t>(offset);
      Put(strides);
    }

   private:
    friend class TraceWriter;
    Operation(uint64_t* at, int rank) : at_(at), rank_(rank) {}
    void Put(const int64_t* dims) {
      FUSEAU_SHORT_LOOP
      for (int d = 0; d < rank_; ++d) at_[d] = static_cast<uint64_t>(dims[d]);
      at_ += rank_;
    }

    uint64_t* at_;
    const int rank_;
  };
  Operation Begin(OpCode op, DType dtype, int rank, int operands,
                  const int64_t* shape) {
    Operation operation(
        Reserve(static_cast<size_t>(3 + 2 * rank + operands * (2 + rank))),
        rank);
    *operation.at_++ = Head(op, dtype, rank, operands);
    operation.Put(shape);
    return operation;
  }
  int32_t End(const Operation& operation) { return Added(operation.at_); }

  int32_t nodes() const { return nodes_; }

  // What stands at the end: first room for a bit for each input, then Output
  // for each result and Donate for each donated input, then Finish.
  void BeginEnds(size_t inputs) {
    const size_t bits = inputs / 64 + 1;
    donated_at_ = size_;
    uint64_t* out = Reserve(bits);
    for (size_t i = 0; i < bits; ++i) out[i] = 0;
    size_ += bits;
    outputs_ = 0;
  }
  void Output(int32_t node) {
    *Reserve(1) = static_cast<uint64_t>(node);
    ++size_;
    ++outputs_;
  }
  void Donate(size_t input) {
    words_[donated_at_ + input / 64] |= uint64_t{1} << (input % 64);
  }
  void Finish() { words_[0] = static_cast<uint64_t>(nodes_) | outputs_ << 32; }

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
  int32_t Added(const uint64_t* end) {
    size_ = static_cast<size_t>(end - words_.get());
    return nodes_++;
  }
  uint64_t* Reserve(size_t more) {
    if (size_ + more > capacity_) Grow(more);
    return words_.get() + size_;
  }
  void Grow(size_t more);

  std::unique_ptr<uint64_t[]> words_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  int32_t nodes_ = 0;
  uint64_t outputs_ = 0;
  size_t donated_at_ = 0;
};

// Equal traces have equal hashes.
uint64_t HashWords(TraceWords words);

// The trace that was written.
Trace ReadTrace(TraceWords words);
// Writes a trace that exists.
void WriteTrace(const Trace& trace, TraceWriter* writer);

}  // namespace fuseau::ir

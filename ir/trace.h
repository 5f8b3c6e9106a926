// A trace: what was recorded between two cuts, as a flat list that does not
// need MLIR: the input of the compiler. Values of scalars and addresses of
// buffers are not part of it.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/op_table.h"
#include "runtime/base/dims.h"
#include "runtime/base/dtype.h"

namespace fuseau::ir {

// How an operation reads a value: element `i` of the operation's iteration
// space is the element of type `dtype` at byte `offset + sum(i * strides)` of
// the value's storage. Broadcasting is a stride of 0; slicing, steps, flips and
// transposes are offsets and strides.
struct TraceOperand {
  int32_t value = 0;  // index in Trace::nodes, smaller than the reader's
  DType dtype = DType::kFloat64;
  int64_t offset = 0;
  Dims strides;
};

// A node makes one value: a dense storage in C order of its result shape.
//
// kInput     a buffer; `shape` is {bytes of the buffer} and dtype kUInt8
// kScalar    a number known only when the plan runs; shape {}
// kIota      shape {n}: element i is attribute + i, `dtype` an integer type
// kUnset     a storage of {bytes} with any content: only bytes that an update
//            has replaced are read, and only from its result
// kUpdate    operand 0: the old storage, whole (no strides); operand 1: what is
//            written. `shape` is the iteration space of the write; element i
//            goes to byte `write_offset + sum(i * write_strides)`, type
//            `dtype`. The result is the whole storage with those elements
//            replaced.
// kReduce... any row of family reduction: `shape` is the iteration space read
//            by operand 0; `reduced[d]` tells the dimensions that vanish. The
//            result is dense over the kept dimensions, in order. The order of
//            accumulation is part of the meaning: see ir/README.md.
// a routine  any row of family routine: `shape` is the space of the call, and
//            `reduced[d]` tells the dimensions that the result has not.
// any other  elementwise over `shape`.
struct TraceNode {
  OpCode op = OpCode::kInput;
  DType dtype = DType::kFloat64;  // of the result's elements
  Dims shape;
  absl::InlinedVector<TraceOperand, 3> operands;
  int64_t write_offset = 0;
  Dims write_strides;
  absl::InlinedVector<bool, 4> reduced;
  // Of a routine, whose affair its meaning is; of an iota, its first number.
  int64_t attribute = 0;
  // The kinds of floating-point errors that are to be reported: FloatFlags.
  uint8_t watched = 0;
  // kInput: the plan may write to this buffer, nobody else reads it later.
  bool donated = false;
};

struct Trace {
  std::vector<TraceNode> nodes;
  std::vector<int32_t> outputs;  // nodes whose storage the caller wants
};

}  // namespace fuseau::ir

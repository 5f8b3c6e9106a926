// The loops of single operations over rows of elements: NumPy's own, and ours
// for what is no ufunc.
#pragma once

#include "absl/types/span.h"
#include "ir/op_table.h"
#include "runtime/base/dtype.h"
#include "runtime/inner_loops.h"

namespace fuseau {

// The loop of an elementwise operation, called as NumPy's loops are: the
// operands' addresses, then the result's. That of an iota has the first number,
// an int64, as its operand. Null if there is none.
const runtime::InnerLoop* FindElementLoop(ir::OpCode op,
                                          absl::Span<const DType> in,
                                          DType out);

// Whether the loop rounds differently where the elements of that operand do not
// follow each other: NumPy's loops of complex numbers and of functions. Kernels
// give such loops packed elements.
bool RoundsByLayout(ir::OpCode op, DType operand);

// Whether the elements of each row of a space follow each other, or are one.
bool InRow(absl::Span<const int64_t> shape, const int64_t* strides,
           int64_t item);

// The loop that joins elements to partial results; its operands are the partial
// results and the elements. Null if there is none.
const runtime::InnerLoop* FindJoiningLoop(Combiner combiner, DType element,
                                          DType result);

}  // namespace fuseau

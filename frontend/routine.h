// Recording of what the library's routines compute: products, running sums.
// As record.h: types are resolved before, and on an error nothing has changed.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/promotion.h"

namespace fuseau {

// `op` is a routine of two operands with a generalised ufunc: matmul or vecdot.
absl::Status Product(OpCode op, const Loop& loop,
                     absl::Span<const Operand> operands, Array* out);
// The same with `out=`.
absl::Status ProductInto(OpCode op, const Loop& loop,
                         absl::Span<const Operand> operands,
                         const Array& target);

// NumPy's ufunc.accumulate: `op` is cumsum or one of its like, `dtype` the type
// of the result.
absl::Status Accumulate(OpCode op, const Array& array, int axis, DType dtype,
                        Array* out);

// Lines along an axis: `op` is sort, argsort or one of their stable forms.
absl::Status SortLines(OpCode op, const Array& array, int axis, Array* out);
// `op` is argmax or argmin; the axis has elements. The result has the kept axes
// in C order.
absl::Status PlaceOfExtreme(OpCode op, const Array& array, int axis,
                            Array* out);
// How often each number below `bins` occurs in a vector of int64, all of them
// in range.
absl::Status BinCount(const Array& array, int64_t bins, Array* out);

// The places in a sorted vector of each of `keys`, an array of its type: before
// equal elements, or behind them (`right`).
absl::Status SearchSorted(const Array& line, const Array& keys, bool right,
                          Array* out);
// Lines along an axis to lines of `count` elements: `op` is fft or one of its
// like, `factor` multiplies all results. Computed in float32 or complex64 for
// arrays of these.
absl::Status TransformLines(OpCode op, const Array& array, int axis,
                            int64_t count, double factor, Array* out);

// A node over `space` with nothing but its shape, to be filled in and
// committed.
Node* NewRoutine(OpCode op, DType dtype, absl::Span<const int64_t> space,
                 uint64_t reduced, int operands, int64_t bytes);

}  // namespace fuseau

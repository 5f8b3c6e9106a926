// Recording of operations on arrays. Types are resolved before (promotion.h);
// here are shapes, orders in memory and nodes. Results are made in `*out`, an
// empty array; on an error nothing has changed.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/layout.h"
#include "frontend/promotion.h"

namespace fuseau {

// An elementwise operation with its broadcast. A result of rank 0 is flagged
// as a scalar.
absl::Status Elementwise(OpCode op, const Loop& loop,
                         absl::Span<const Operand> operands, Order order,
                         Array* out);

// The same with NumPy's `out=` and `where=` (null: everywhere). The loop's
// result is converted to the target's type; whether it may be is for the caller
// to check.
absl::Status ElementwiseInto(OpCode op, const Loop& loop,
                             absl::Span<const Operand> operands,
                             const Operand* where, const Array& target);

// The choice between two operands, converted to `dtype`.
absl::Status Where(const Operand& condition, const Operand& x, const Operand& y,
                   DType dtype, Array* out);

// target[...] = source, converted as C converts.
absl::Status Assign(const Array& target, const Operand& source);
// The same where `mask` (bool, broadcast to the target) holds.
absl::Status AssignWhere(const Array& target, const Operand& mask,
                         const Operand& source);

absl::Status Copy(const Array& source, Order order, Array* out);
absl::Status AsType(const Array& source, DType dtype, Order order, Array* out);

absl::Status Empty(absl::Span<const int64_t> shape, DType dtype, Order order,
                   Array* out);
absl::Status Zeros(absl::Span<const int64_t> shape, DType dtype, Order order,
                   Array* out);
absl::Status Full(absl::Span<const int64_t> shape, DType dtype,
                  const Operand& value, Order order, Array* out);
// 0, 1, ..., n - 1.
absl::Status Iota(int64_t n, DType dtype, Array* out);
// A vector of numbers: arrays of rank 0 and of that type, or scalars of it.
absl::Status VectorOf(absl::Span<const Operand> numbers, DType dtype,
                      Array* out);
// An array of rank 0 for a known number of type `dtype`.
void Number(DType dtype, const char value[16], bool scalar_flag, Array* out);

absl::Status Concatenate(absl::Span<const Array* const> arrays, int axis,
                         DType dtype, Array* out);

// Gives the base a new value; takes over the reference. The value of an exposed
// base is computed at once, into its buffer.
absl::Status Publish(Base* base, NodeRef node);

}  // namespace fuseau

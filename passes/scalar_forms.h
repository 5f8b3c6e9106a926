// The scalar form of each elementwise operation: what one element of its result
// is, in arith, math and complex. Both back ends start from these bodies, so
// NaN rules, integer division and casts are decided here once.
#pragma once

#include "absl/types/span.h"
#include "ir/mlir_pch.h"
#include "ir/op_table.h"
#include "runtime/base/dtype.h"

namespace fuseau::passes {

// Builds the scalar form of `op` on scalars of types `in`; the result is a
// scalar of type `out`. Null if NumPy has no such operation on these types.
mlir::Value ScalarForm(mlir::ImplicitLocOpBuilder& builder, ir::OpCode op,
                       mlir::ValueRange operands, absl::Span<const DType> in,
                       DType out);

}  // namespace fuseau::passes

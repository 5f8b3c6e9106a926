// The dialects `fuseau` and `fuseau_exec`.
#pragma once

#include "ir/mlir_pch.h"
// After the MLIR headers.
#include "ir/dialect.h.inc"
#include "ir/exec_dialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "ir/exec_types.h.inc"

#define GET_OP_CLASSES
#include "ir/region_ops.h.inc"
#define GET_OP_CLASSES
#include "ir/exec_ops.h.inc"
#define GET_OP_CLASSES
#include "ir/ops.h.inc"
#include "runtime/base/dtype.h"

namespace fuseau::ir {

// The element type of tensors of `dtype`: integers carry their sign, bool is
// i1.
mlir::Type ElementType(mlir::MLIRContext* context, DType dtype);
// The reverse; the type must come from ElementType.
DType DTypeOf(mlir::Type element_type);
// The type of a scalar in a body: signless integers.
mlir::Type ScalarType(mlir::MLIRContext* context, DType dtype);

// Bytes of a value's storage (of a tensor of one of our element types).
int64_t StorageBytes(mlir::Type tensor_type);

}  // namespace fuseau::ir

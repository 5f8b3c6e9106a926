// The ops of a kernel's body as LLVM instructions on scalars or vectors.
#pragma once

#include "absl/status/status.h"
#include "ir/dialect.h"
#include "llvm/IR/IRBuilder.h"
#include "runtime/base/combiner.h"

namespace fuseau::codegen {

// An element, or one for each lane. `im` is null unless it is complex.
struct Val {
  llvm::Value* re = nullptr;
  llvm::Value* im = nullptr;
};

// `type` or, for more than one lane, a vector of it.
llvm::Type* WithLanes(llvm::Type* type, int width);
llvm::Value* Splat(llvm::IRBuilder<>& b, llvm::Value* scalar, int width);

// The type of the elements; of a complex type, the type of its parts.
llvm::Type* PartType(llvm::LLVMContext& context, mlir::Type type);

// Whether EmitScalarOp knows the op. fuseau.call is not one of them.
absl::Status CheckScalarOp(mlir::Operation& op);
Val EmitScalarOp(llvm::IRBuilder<>& b, int width, mlir::Operation& op,
                 llvm::ArrayRef<Val> operands);

// Joins two partial results; `a` comes first.
Val Combine(llvm::IRBuilder<>& b, Combiner combiner, DType dtype, Val a,
            Val b_);
// The identity of a combiner, a constant. That of a sum of floats is -0.0,
// which changes no bit of what is added to it.
Val Identity(llvm::LLVMContext& context, Combiner combiner, DType dtype,
             int width);
// Like MLIR's select; all lanes of `condition` are i1.
Val Select(llvm::IRBuilder<>& b, llvm::Value* condition, Val a, Val b_);

}  // namespace fuseau::codegen

// The ops of a kernel's body as C++ expressions.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "ir/dialect.h"

namespace fuseau::codegen::gpu {

// The type in the body: integers have no sign there ("u32"), a complex number
// is a Complex<double>.
std::string TypeName(mlir::Type type);

// The number as C++ writes it, of exactly that value.
std::string Literal(mlir::Type type, mlir::Attribute value);

// The op over the names, or literals, of its operands. Unimplemented, with the
// op's name, if there is no code for it.
absl::StatusOr<std::string> ScalarExpression(
    mlir::Operation& op, llvm::ArrayRef<std::string> operands);

}  // namespace fuseau::codegen::gpu

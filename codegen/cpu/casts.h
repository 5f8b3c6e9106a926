// Conversions whose result NumPy and the processor define, but not LLVM.
#pragma once

#include "llvm/IR/IRBuilder.h"

namespace fuseau::codegen {

// What NumPy 2.4's loops over contiguous arrays give on x86, also for NaN,
// infinities and numbers out of range (codegen/README.md has the rule).
// `type` is an integer type of at least 8 bits, or a vector of it.
llvm::Value* CastFloatToInt(llvm::IRBuilder<>& b, llvm::Value* x,
                            llvm::Type* type, bool is_signed);

}  // namespace fuseau::codegen

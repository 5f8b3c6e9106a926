// Kernel op in, LLVM module out. See codegen/README.md for what the code does.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/cpu/target.h"
#include "ir/dialect.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace fuseau::codegen {

// The symbol of every kernel's entry in its object.
inline constexpr char kKernelSymbol[] = "fuseau_kernel";
// Followed by the name of an inner loop: the address of its InnerLoop.
inline constexpr char kLoopPrefix[] = "fuseau.loop:";

// Adds the kernel to a module: a function kKernelSymbol of the type
// runtime::KernelFn. A body that the emitter cannot express gives
// UnimplementedError with the op's name.
absl::Status EmitKernelInto(ir::exec::KernelOp kernel, const Target& target,
                            llvm::Module& module);

// A module of its own for one kernel.
absl::StatusOr<std::unique_ptr<llvm::Module>> EmitKernel(
    ir::exec::KernelOp kernel, const Target& target,
    llvm::LLVMContext& context);

}  // namespace fuseau::codegen

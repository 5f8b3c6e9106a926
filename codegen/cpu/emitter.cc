#include "codegen/cpu/emitter.h"

#include "codegen/cpu/kernel_emitter.h"
#include "codegen/kernel_spec.h"
#include "llvm/IR/Module.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {

absl::Status EmitKernelInto(ir::exec::KernelOp kernel, const Target& target,
                            llvm::Module& module) {
  FUSEAU_ASSIGN_OR_RETURN(KernelSpec spec, ReadKernel(kernel));
  for (mlir::Operation& op : spec.body->without_terminator())
    if (!mlir::isa<ir::CallOp>(op)) FUSEAU_RETURN_IF_ERROR(CheckScalarOp(op));
  KernelEmitter(spec, target, module).Emit();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<llvm::Module>> EmitKernel(
    ir::exec::KernelOp kernel, const Target& target,
    llvm::LLVMContext& context) {
  auto module = std::make_unique<llvm::Module>("kernel", context);
  FUSEAU_RETURN_IF_ERROR(EmitKernelInto(kernel, target, *module));
  return module;
}

}  // namespace fuseau::codegen

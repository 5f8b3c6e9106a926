#include "codegen/compiler.h"

#include <mutex>

#include "codegen/gpu/compiler.h"
#include "codegen/plan_builder.h"
#include "codegen/recording.h"
#include "ir/import.h"
#include "passes/passes.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"
#include "runtime/cpu/quick_call.h"
#include "runtime/overlap.h"
#include "runtime/plan_check.h"

namespace fuseau::codegen {
namespace {

// A context never frees a type or an attribute, and shapes are part of many.
constexpr int kCompilesOfContext = 1000;

// The context keeps types and attributes of many compiles, so that later ones
// are quick. It is made at the first compile, never at import.
class Compiler {
 public:
  static Compiler& Get() {
    static auto* const compiler = new Compiler;
    return *compiler;
  }

  absl::StatusOr<std::shared_ptr<const runtime::Plan>> Compile(
      const ir::Trace& trace, gpu::GpuKernelCache* gpu_kernels) {
    const std::lock_guard lock(mutex_);
    if (compiles_++ % kCompilesOfContext == 0) {
      context_ = std::make_unique<mlir::MLIRContext>(
          mlir::MLIRContext::Threading::DISABLED);
      ir::RegisterDialects(*context_);
    }
    mlir::OwningOpRef<mlir::ModuleOp> module;
    {
      const profile::Scope scope(profile::Kind::kStage, "import");
      module = ir::ImportTrace(trace, *context_, /*with_places=*/true);
    }
    RecordTrace(*module);
    FUSEAU_ASSIGN_OR_RETURN(std::shared_ptr<runtime::Plan> plan,
                            PlanOf(*module, gpu_kernels));
    if (!passes::IsDisabled("overlap")) {
      runtime::OverlapExchanges(plan.get(),
                                runtime::OverlapLimits::FromSettings());
    }
    // What the passes found unused is given all the same.
    plan->input_count = plan->scalar_count = 0;
    for (const ir::TraceNode& node : trace.nodes) {
      plan->input_count += node.op == ir::OpCode::kInput;
      plan->scalar_count += node.op == ir::OpCode::kScalar;
    }
    FUSEAU_RETURN_IF_ERROR(runtime::CheckPlan(*plan));
    if (gpu_kernels == nullptr) runtime::PrepareQuickCalls(plan.get());
    return plan;
  }

 private:
  std::mutex mutex_;
  int64_t compiles_ = 0;
  std::unique_ptr<mlir::MLIRContext> context_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const runtime::Plan>> CompileTrace(
    const ir::Trace& trace) {
  return Compiler::Get().Compile(trace, nullptr);
}

absl::StatusOr<std::shared_ptr<const runtime::Plan>> gpu::CompileTraceForGpu(
    const ir::Trace& trace, const GpuTarget& target) {
  FUSEAU_ASSIGN_OR_RETURN(GpuKernelCache * kernels,
                          GpuKernelCache::For(target));
  return Compiler::Get().Compile(trace, kernels);
}

}  // namespace fuseau::codegen

#include "codegen/gpu/show.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/gpu/emitter.h"
#include "codegen/gpu/launch_shape.h"
#include "ir/import.h"
#include "llvm/ADT/MapVector.h"
#include "passes/passes.h"
#include "runtime/base/status.h"

namespace fuseau::codegen::gpu {
namespace {

namespace exec = ir::exec;

// "// kernel_name: 4 x 3 threads of 256, over 1000 x 1000"
std::string DescribeLaunch(const LaunchRule& rule,
                           llvm::ArrayRef<int64_t> sizes) {
  const auto shape = ShapeOf(rule, absl::MakeConstSpan(sizes));
  return absl::StrCat("// over ", absl::StrJoin(sizes, " x "), ": ",
                      shape.grid.x, " x ", shape.grid.y, " blocks of ",
                      shape.block.x, " x ", shape.block.y, " threads\n");
}

}  // namespace

absl::StatusOr<std::string> ShowKernels(const ir::Trace& trace,
                                        bool with_prelude) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ir::RegisterDialects(context);
  mlir::OwningOpRef<mlir::ModuleOp> module = ir::ImportTrace(trace, context);
  FUSEAU_RETURN_IF_ERROR(
      passes::RunPipeline(*module, {.device = passes::Device::kGpu}));
  llvm::MapVector<mlir::Operation*, std::vector<exec::LaunchOp>> launches;
  std::vector<std::string> routines;
  module->walk([&](mlir::Operation* op) {
    if (auto launch = mlir::dyn_cast<exec::LaunchOp>(op))
      launches[module->lookupSymbol(launch.getKernel())].push_back(launch);
    else if (auto routine = mlir::dyn_cast<exec::RoutineOp>(op))
      routines.push_back(routine.getName().str());
  });
  std::string text = with_prelude
                         ? absl::StrCat("// fuseau.cuh\n", Prelude(), "\n")
                         : "#include \"fuseau.cuh\"\n\n";
  for (auto& [op, uses] : launches) {
    const auto source = EmitCuda(mlir::cast<exec::KernelOp>(op));
    if (absl::IsUnimplemented(source.status())) {
      absl::StrAppend(&text,
                      "// left to the processor: ", source.status().message(),
                      "\n\n");
      continue;
    }
    FUSEAU_RETURN_IF_ERROR(source.status());
    for (exec::LaunchOp launch : uses)
      absl::StrAppend(&text, DescribeLaunch(source->rule, launch.getSizes()));
    absl::StrAppend(&text, source->code, "\n");
  }
  for (const std::string& routine : routines)
    absl::StrAppend(&text, "// left to the processor: ", routine, "\n");
  return text;
}

}  // namespace fuseau::codegen::gpu

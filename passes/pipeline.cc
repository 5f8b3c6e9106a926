// The passes in order.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ir/import.h"
#include "mlir/IR/Verifier.h"
#include "passes/cost.h"
#include "passes/passes.h"
#include "runtime/base/caches.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"

namespace fuseau::passes {
namespace {

// A comma-separated environment setting that names stages; "all" names each.
class Names {
 public:
  explicit Names(const char* variable) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0')
      names_ = absl::StrSplit(value, absl::ByAnyChar(", "), absl::SkipEmpty());
  }
  bool Has(absl::string_view name) const {
    for (const std::string& n : names_)
      if (n == name || n == "all") return true;
    return false;
  }
  bool empty() const { return names_.empty(); }

 private:
  std::vector<std::string> names_;
};

struct Stage {
  const char* name;
  // Null leaves it out.
  std::unique_ptr<mlir::Pass> (*make)(bool disabled, PipelineOptions options);
};

const Stage kStages[] = {
    // Say nothing twice.
    {"simplify",
     [](bool disabled, PipelineOptions) -> std::unique_ptr<mlir::Pass> {
       return disabled ? nullptr : createSimplifyPass();
     }},
    // What is put together from pieces is read piece by piece.
    {"split",
     [](bool disabled, PipelineOptions) -> std::unique_ptr<mlir::Pass> {
       if (disabled) return nullptr;
       return createSplitPass(
           {SettingInt("FUSEAU_LAUNCH_BYTES", kLaunchBytes)});
     }},
    // Operations become loop nests.
    {"fuse",
     [](bool disabled, PipelineOptions) -> std::unique_ptr<mlir::Pass> {
       return createFusePass({disabled});
     }},
    // Nests get their loop order and as few loops as can be.
    {"collapse",
     [](bool disabled, PipelineOptions) -> std::unique_ptr<mlir::Pass> {
       return disabled ? nullptr : createCollapsePass();
     }},
    // Values get buffers; updates run in place where nobody can tell.
    {"place",
     [](bool disabled, PipelineOptions options) -> std::unique_ptr<mlir::Pass> {
       return createPlacePass(
           {disabled,
            options.any_size ? 0
                             : SettingInt("FUSEAU_SWAP_BYTES", Caches().core),
            /*never_lag=*/options.device == Device::kGpu});
     }},
    // Nests over the same rows run while these are in the cache.
    {"sweep",
     [](bool disabled, PipelineOptions options) -> std::unique_ptr<mlir::Pass> {
       if (disabled || options.any_size || options.device == Device::kGpu)
         return nullptr;
       return createSweepPass(
           {SettingInt("FUSEAU_TILE_BYTES", TileBytes(Caches()))});
     }},
    // Bodies become kernels, and what is left is the plan.
    {"outline",
     [](bool, PipelineOptions options) -> std::unique_ptr<mlir::Pass> {
       return createOutlinePass(
           {options.any_size
                ? INT64_MAX
                : SettingInt("FUSEAU_STREAM_BYTES", StreamBytes(Caches())),
            /*for_gpu=*/options.device == Device::kGpu});
     }},
};

}  // namespace

bool IsDisabled(absl::string_view stage) {
  return Names("FUSEAU_DISABLE").Has(stage);
}

absl::Status RunPipeline(mlir::ModuleOp module, PipelineOptions options) {
  const Names disabled("FUSEAU_DISABLE"), dump("FUSEAU_DUMP");
  const Names timing("FUSEAU_TIMING");
  static const bool verify = SettingBool("FUSEAU_VERIFY", false);
  std::string problem;
  mlir::ScopedDiagnosticHandler handler(
      module.getContext(), [&](mlir::Diagnostic& d) {
        absl::StrAppend(&problem, problem.empty() ? "" : "; ", d.str());
        return llvm::success();
      });
  auto show = [&](absl::string_view stage) {
    if (!dump.Has(stage)) return;
    llvm::errs() << "// " << std::string(stage) << "\n";
    module.print(llvm::errs());
    llvm::errs() << "\n";
  };
  show("import");
  for (const Stage& stage : kStages) {
    std::unique_ptr<mlir::Pass> pass =
        stage.make(disabled.Has(stage.name), options);
    if (pass == nullptr) continue;
    const profile::Scope scope(profile::Kind::kStage, stage.name);
    mlir::PassManager manager(module.getContext());
    manager.enableVerifier(verify);
    if (!timing.empty()) manager.enableTiming();
    manager.addPass(std::move(pass));
    if (failed(manager.run(module)) || !problem.empty())
      return absl::InternalError(
          absl::StrCat("pass ", stage.name, " failed: ", problem));
    show(stage.name);
  }
  return absl::OkStatus();
}

}  // namespace fuseau::passes

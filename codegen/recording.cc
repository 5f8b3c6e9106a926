#include "codegen/recording.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/kernel_cache.h"
#include "codegen/plan_builder.h"
#include "ir/import.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include "mlir/Parser/Parser.h"
#include "passes/passes.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::codegen {
namespace {

namespace fs = std::filesystem;

constexpr char kSuffix[] = ".mlir";

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> Parse(
    const fs::path& path, mlir::MLIRContext& context) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::string problem;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic& diagnostic) {
        absl::StrAppend(&problem, problem.empty() ? "" : "; ",
                        diagnostic.str());
        return llvm::success();
      });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), " is no trace: ", problem));
  }
  return module;
}

absl::StatusOr<std::vector<fs::path>> TracesIn(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  for (fs::directory_iterator item(path, error), end; !error && item != end;
       item.increment(error)) {
    if (item->path().extension() == kSuffix) files.push_back(item->path());
  }
  if (files.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(),
                     " has no traces; expected a folder that `fuseau run "
                     "--record` has filled, or a .mlir file of one"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

void RecordTrace(mlir::ModuleOp module) {
  static const std::string* const folder =
      new std::string(SettingString("FUSEAU_RECORD", ""));
  if (folder->empty()) return;
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  const uint64_t hash = llvm::xxh3_64bits(llvm::StringRef(text));
  const std::string path =
      absl::StrCat(*folder, "/", absl::StrFormat("%016x", hash), kSuffix);
  if (fs::exists(path)) return;
  // Other processes may record to the same folder.
  static std::atomic<uint64_t> next{0};
  const std::string temporary =
      absl::StrCat(path, ".", getpid(), ".", next.fetch_add(1));
  std::ofstream file(temporary);
  file << text << "\n";
  file.close();
  std::error_code error;
  if (file) fs::rename(temporary, path, error);
  static std::atomic<bool> warned{false};
  if ((!file || error) && !warned.exchange(true)) {
    LogWarning(absl::StrCat("FUSEAU_RECORD: cannot write ", path));
  }
}

absl::StatusOr<CompiledRecording> CompileRecording(absl::string_view path,
                                                   absl::string_view cache,
                                                   absl::string_view isa) {
  FUSEAU_ASSIGN_OR_RETURN(const std::vector<fs::path> files,
                          TracesIn(std::string(path)));
  runtime::KernelStore store(cache, INT64_MAX, /*read_only=*/false);
  if (!store.enabled()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "kernels cannot be kept in ", cache,
        ": expected a folder of yours that nobody else can write to"));
  }
  KernelCache::Options options;
  options.store = &store;
  FUSEAU_ASSIGN_OR_RETURN(options.target, NamedTarget(isa));
  KernelCache kernels(std::move(options));
  CompiledRecording report;
  const int64_t before =
      runtime::ReadCounter(runtime::Counter::kKernelsCompiled);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ir::RegisterDialects(context);
  for (const fs::path& file : files) {
    FUSEAU_ASSIGN_OR_RETURN(auto module, Parse(file, context));
    FUSEAU_RETURN_IF_ERROR(passes::RunPipeline(*module));
    FUSEAU_RETURN_IF_ERROR(BuildPlan(*module, kernels).status());
    ++report.traces;
  }
  report.kernels =
      runtime::ReadCounter(runtime::Counter::kKernelsCompiled) - before;
  return report;
}

}  // namespace fuseau::codegen

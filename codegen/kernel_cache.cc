#include "codegen/kernel_cache.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/cpu/emitter.h"
#include "codegen/fingerprint.h"
#include "codegen/kernel_report.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include "runtime/base/log.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::codegen {
namespace {

// A loaded kernel takes a few pages beside its object.
constexpr int64_t kKernelOverhead = 16 * 1024;
constexpr int kNameOps = 4;

std::string TextWithoutName(ir::exec::KernelOp kernel) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, mlir::OpPrintingFlags().useLocalScope());
  // fuseau_exec.kernel @name rank ...
  const size_t start = text.find('@');
  const size_t end = text.find(" rank ", start);
  if (start != std::string::npos && end != std::string::npos)
    text.erase(start, end - start);
  return text;
}

// FUSEAU_DUMP names what to write: kernel, llvm or asm, or several of them.
bool Dumps(absl::string_view what) {
  static const std::string* setting =
      new std::string(SettingString("FUSEAU_DUMP", ""));
  return setting->find(std::string(what)) != std::string::npos;
}

// To a file in FUSEAU_DUMP_DIR, or to standard error.
void Dump(absl::string_view name, absl::string_view extension,
          absl::string_view text) {
  const std::string dir = SettingString("FUSEAU_DUMP_DIR", "");
  if (dir.empty()) {
    std::fprintf(stderr, "; %s.%s\n%s\n", std::string(name).c_str(),
                 std::string(extension).c_str(), std::string(text).c_str());
    return;
  }
  const std::string path = absl::StrCat(dir, "/", name, ".", extension);
  std::ofstream file(path);
  file << text;
  if (!file.flush())
    LogWarning(absl::StrCat("FUSEAU_DUMP_DIR: cannot write ", path));
}

template <typename T>
std::string Print(T& printable) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printable.print(stream, nullptr);
  return text;
}

absl::Status DumpAll(ir::exec::KernelOp kernel, llvm::Module& module,
                     absl::string_view name, const Target& target,
                     OptLevel level) {
  if (Dumps("kernel")) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel->print(stream, mlir::OpPrintingFlags().useLocalScope());
    Dump(name, "mlir", text);
  }
  if (Dumps("llvm")) Dump(name, "ll", Print(module));
  if (Dumps("asm")) {
    // Code generation changes the module, so this is another one.
    llvm::LLVMContext context;
    FUSEAU_ASSIGN_OR_RETURN(auto copy, EmitKernel(kernel, target, context));
    FUSEAU_ASSIGN_OR_RETURN(std::string text, CompileAssembly(*copy, level));
    Dump(name, "s", text);
  }
  return absl::OkStatus();
}

}  // namespace

std::string KernelKey(ir::exec::KernelOp kernel, const Target& target,
                      OptLevel level) {
  return absl::StrCat("fuseau ", FUSEAU_EMITTER_FINGERPRINT, " llvm ",
                      CompilerVersion(), " ", target.cpu, " ", target.features,
                      " O", level == OptLevel::kO0 ? 0 : 1, "\n",
                      TextWithoutName(kernel));
}

std::string KernelName(ir::exec::KernelOp kernel, absl::string_view key) {
  std::vector<std::string> names;
  for (mlir::Operation& op : kernel.getBody().front().without_terminator()) {
    llvm::StringRef name = op.getName().stripDialect();
    if (auto call = mlir::dyn_cast<ir::CallOp>(op))
      name = call.getLoop().split('.').first;
    else if (op.getNumOperands() == 0)
      continue;
    // addf, addi: the type is of no interest here.
    if (name.size() == 4 && (name.back() == 'f' || name.back() == 'i'))
      name = name.drop_back();
    if (!llvm::is_contained(names, name.str())) names.push_back(name.str());
    if (names.size() == kNameOps) break;
  }
  if (names.empty()) names.push_back("copy");
  const uint64_t hash =
      llvm::xxh3_64bits(llvm::StringRef(key.data(), key.size()));
  std::string result;
  for (const std::string& name : names) absl::StrAppend(&result, name, "_");
  absl::StrAppend(&result, absl::StrFormat("%06x", hash & 0xffffff));
  return result;
}

KernelCache& KernelCache::Global() {
  static auto* cache = [] {
    Options options;
    options.level =
        SettingInt("FUSEAU_OPT", 1) == 0 ? OptLevel::kO0 : OptLevel::kO1;
    options.store = &runtime::KernelStore::Global();
    options.target = ProcessTarget();
    return new KernelCache(std::move(options));
  }();
  return *cache;
}

absl::StatusOr<KernelCache::Made> KernelCache::Make(ir::exec::KernelOp kernel,
                                                    const std::string& key) {
  const std::string name = KernelName(kernel, key);
  const bool dumps = Dumps("kernel") || Dumps("llvm") || Dumps("asm");
  if (options_.store && !dumps) {
    if (std::optional<std::string> object = options_.store->Get(key)) {
      const profile::Scope scope(profile::Kind::kStage,
                                 absl::StrCat("load ", name));
      FUSEAU_ASSIGN_OR_RETURN(auto loaded, LoadObject(*object, name));
      return Made{std::move(loaded), static_cast<int64_t>(object->size())};
    }
  }
  profile::Scope scope(profile::Kind::kStage, absl::StrCat("generate ", name));
  llvm::LLVMContext context;
  FUSEAU_ASSIGN_OR_RETURN(auto module,
                          EmitKernel(kernel, options_.target, context));
  if (dumps)
    FUSEAU_RETURN_IF_ERROR(
        DumpAll(kernel, *module, name, options_.target, options_.level));
  FUSEAU_ASSIGN_OR_RETURN(std::string object,
                          CompileObject(*module, options_.level));
  scope.event().bytes = static_cast<int64_t>(object.size());
  runtime::Increment(runtime::Counter::kKernelsCompiled);
  FUSEAU_ASSIGN_OR_RETURN(auto loaded, LoadObject(object, name));
  if (options_.store) options_.store->Put(key, object);
  return Made{std::move(loaded), static_cast<int64_t>(object.size())};
}

absl::StatusOr<std::shared_ptr<const runtime::Kernel>> KernelCache::Get(
    ir::exec::KernelOp kernel) {
  const std::string key = KernelKey(kernel, options_.target, options_.level);
  std::shared_ptr<Entry> entry;
  {
    std::unique_lock lock(mutex_);
    auto [it, is_new] = entries_.try_emplace(key);
    if (!is_new) {
      entry = it->second;
      made_.wait(lock, [&] { return entry->ready; });
      if (!entry->kernel.ok()) return entry->kernel;
      runtime::Increment(runtime::Counter::kKernelCacheMemoryHits);
      // It may have been evicted by now; then it has no place in the order.
      auto again = entries_.find(key);
      if (again != entries_.end() && again->second == entry)
        order_.splice(order_.begin(), order_, entry->place);
      return entry->kernel;
    }
    entry = it->second = std::make_shared<Entry>();
  }
  absl::StatusOr<Made> made = Make(kernel, key);
  const std::lock_guard lock(mutex_);
  entry->ready = true;
  made_.notify_all();
  if (!made.ok()) {
    // A later request tries again: the loop that is missing now may come.
    entry->kernel = made.status();
    auto it = entries_.find(key);
    if (it != entries_.end() && it->second == entry) entries_.erase(it);
    return made.status();
  }
  entry->kernel = made->kernel;
  auto it = entries_.find(key);
  if (it == entries_.end() || it->second != entry) return made->kernel;
  entry->bytes = made->bytes + kKernelOverhead;
  bytes_ += entry->bytes;
  order_.push_front(key);
  entry->place = order_.begin();
  Evict();
  return made->kernel;
}

void KernelCache::Evict() {
  while (bytes_ > options_.memory_bytes && order_.size() > 1) {
    auto it = entries_.find(order_.back());
    bytes_ -= it->second->bytes;
    entries_.erase(it);
    order_.pop_back();
  }
}

std::vector<std::shared_ptr<const runtime::Kernel>> KernelCache::Kernels() {
  std::vector<std::shared_ptr<const runtime::Kernel>> kernels;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_)
    if (entry->ready && entry->kernel.ok()) kernels.push_back(*entry->kernel);
  return kernels;
}

std::vector<KernelReport> KernelReports() {
  std::vector<KernelReport> reports;
  for (const auto& kernel : KernelCache::Global().Kernels())
    reports.push_back(
        {kernel->name, kernel->launches.load(), kernel->bytes.load()});
  std::sort(reports.begin(), reports.end(),
            [](const KernelReport& a, const KernelReport& b) {
              return std::tie(b.bytes, a.name) < std::tie(a.bytes, b.name);
            });
  return reports;
}

void KernelCache::Clear() {
  const std::lock_guard lock(mutex_);
  // Entries still being made are finished by the thread that makes them.
  entries_.clear();
  order_.clear();
  bytes_ = 0;
}

}  // namespace fuseau::codegen

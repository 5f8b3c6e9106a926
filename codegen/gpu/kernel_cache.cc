#include "codegen/gpu/kernel_cache.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/gpu/emulate.h"
#include "codegen/gpu/launch_shape.h"
#include "codegen/gpu/nvrtc.h"
#include "llvm/Support/xxhash.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::codegen::gpu {
namespace {

// NVRTC uses one thread for a kernel; more than this many gain little, and the
// kernels of one plan are seldom more.
constexpr unsigned kMostCompileThreads = 8;

// Calls do(0), ... do(count - 1), side by side.
template <typename Function>
void ForEach(size_t count, Function function) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) function(i);
  };
  const size_t threads = std::min<size_t>(
      {count, std::max(1u, std::thread::hardware_concurrency()),
       kMostCompileThreads});
  std::vector<std::thread> others;
  for (size_t t = 1; t < threads; ++t) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
}

std::vector<GpuKernelCache::Image> CompileForDevice(
    int arch, absl::Span<const GpuSource> sources) {
  std::vector<GpuKernelCache::Image> images(
      sources.size(), absl::UnknownError("not compiled yet"));
  ForEach(sources.size(), [&](size_t i) {
    absl::StatusOr<NvrtcOutput> output =
        CompileWithNvrtc(sources[i].name, sources[i].code, arch);
    if (output.ok())
      images[i] = std::move(output->image);
    else
      images[i] = output.status();
  });
  return images;
}

// The processor's compiler takes most of its time to start, so it gets all
// kernels at once.
std::vector<GpuKernelCache::Image> CompileEmulated(
    absl::Span<const GpuSource> sources) {
  const absl::StatusOr<std::string> image = CompileForEmulation(sources);
  return std::vector<GpuKernelCache::Image>(sources.size(), image);
}

}  // namespace

absl::StatusOr<GpuKernelCache*> GpuKernelCache::For(const GpuTarget& target) {
  static std::mutex mutex;
  static auto* caches = new std::map<int, std::unique_ptr<GpuKernelCache>>;
  if (target.arch != 0) FUSEAU_RETURN_IF_ERROR(NvrtcStatus());
  const std::lock_guard lock(mutex);
  std::unique_ptr<GpuKernelCache>& cache = (*caches)[target.arch];
  if (cache == nullptr) {
    Options options;
    options.store = &runtime::KernelStore::Global();
    if (target.arch == 0) {
      options.key = EmulationKey({});
      options.compile = CompileEmulated;
    } else {
      options.key = absl::StrCat(NvrtcVersion(), " ",
                                 absl::StrJoin(NvrtcOptions(target.arch), " "),
                                 " ", llvm::xxh3_64bits(Prelude()));
      options.compile = [arch =
                             target.arch](absl::Span<const GpuSource> sources) {
        return CompileForDevice(arch, sources);
      };
    }
    cache = std::make_unique<GpuKernelCache>(std::move(options));
  }
  return cache.get();
}

std::vector<GpuKernelCache::Kernel> GpuKernelCache::Get(
    absl::Span<const ir::exec::KernelOp> kernels) {
  std::vector<absl::StatusOr<GpuSource>> sources;
  std::vector<std::string> keys;
  for (ir::exec::KernelOp kernel : kernels) {
    sources.push_back(EmitCuda(kernel));
    keys.push_back(
        sources.back().ok()
            ? absl::StrCat("gpu ", options_.key, "\n", sources.back()->code)
            : "");
  }
  std::vector<std::shared_ptr<Entry>> entries(kernels.size());
  std::vector<GpuSource> new_sources;
  std::vector<std::string> new_keys;
  std::vector<std::shared_ptr<Entry>> new_entries;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kernels.size(); ++i) {
      if (!sources[i].ok()) continue;
      auto [it, is_new] = entries_.try_emplace(keys[i]);
      if (is_new) {
        it->second = std::make_shared<Entry>();
        new_sources.push_back(*sources[i]);
        new_keys.push_back(keys[i]);
        new_entries.push_back(it->second);
      }
      entries[i] = it->second;
    }
  }
  Compile(new_sources, new_keys, new_entries);
  std::vector<Kernel> result;
  std::unique_lock lock(mutex_);
  for (size_t i = 0; i < kernels.size(); ++i) {
    if (!sources[i].ok()) {
      result.push_back(sources[i].status());
      continue;
    }
    made_.wait(lock, [&] { return entries[i]->ready; });
    result.push_back(entries[i]->kernel);
  }
  return result;
}

void GpuKernelCache::Compile(absl::Span<const GpuSource> sources,
                             absl::Span<const std::string> keys,
                             absl::Span<const std::shared_ptr<Entry>> entries) {
  std::vector<GpuSource> missing;
  std::vector<size_t> places;
  for (size_t i = 0; i < sources.size(); ++i) {
    std::optional<std::string> image;
    if (options_.store != nullptr) image = options_.store->Get(keys[i]);
    if (image) {
      Finish(keys[i], *entries[i],
             MakeGpuKernel(sources[i], std::move(*image)));
    } else {
      missing.push_back(sources[i]);
      places.push_back(i);
    }
  }
  if (missing.empty()) return;
  std::vector<Image> images = options_.compile(missing);
  for (size_t k = 0; k < missing.size(); ++k) {
    const size_t i = places[k];
    if (!images[k].ok()) {
      Finish(keys[i], *entries[i], images[k].status());
      continue;
    }
    runtime::Increment(runtime::Counter::kKernelsCompiled);
    if (options_.store != nullptr) options_.store->Put(keys[i], *images[k]);
    Finish(keys[i], *entries[i],
           MakeGpuKernel(missing[k], *std::move(images[k])));
  }
}

void GpuKernelCache::Finish(const std::string& key, Entry& entry,
                            Kernel kernel) {
  const std::lock_guard lock(mutex_);
  // A later request tries again what failed.
  if (!kernel.ok()) entries_.erase(key);
  entry.kernel = std::move(kernel);
  entry.ready = true;
  made_.notify_all();
}

}  // namespace fuseau::codegen::gpu

// From kernel ops to images for a GPU, compiling each only once.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "codegen/gpu/emitter.h"
#include "ir/dialect.h"
#include "runtime/cuda/kernel.h"
#include "runtime/kernel_store.h"

namespace fuseau::codegen::gpu {

// What kernels are compiled for.
struct GpuTarget {
  int arch = 0;  // compute capability, 90 is 9.0; 0: the emulated device
};

// Images by key, backed by a store on disk. Threads may ask at the same time:
// who asks for what another one compiles waits for it.
class GpuKernelCache {
 public:
  using Image = absl::StatusOr<std::string>;
  struct Options {
    // Part of each key: the compiler, its version and options.
    std::string key;
    // One image for each source. May use threads of its own.
    std::function<std::vector<Image>(absl::Span<const GpuSource> sources)>
        compile;
    runtime::KernelStore* store = nullptr;  // not owned; null: no disk
  };
  using Kernel =
      absl::StatusOr<std::shared_ptr<const runtime::cuda::GpuKernel>>;

  // The cache of the process for that target, with the global store. It fails
  // if there is no compiler.
  static absl::StatusOr<GpuKernelCache*> For(const GpuTarget& target);

  explicit GpuKernelCache(Options options) : options_(std::move(options)) {}
  GpuKernelCache(const GpuKernelCache&) = delete;
  GpuKernelCache& operator=(const GpuKernelCache&) = delete;

  // A kernel for each op, in order; the new ones are compiled side by side.
  // Unimplemented for those that only the processor computes.
  std::vector<Kernel> Get(absl::Span<const ir::exec::KernelOp> kernels);

 private:
  struct Entry {
    bool ready = false;
    Kernel kernel = absl::UnknownError("not compiled yet");
  };
  void Compile(absl::Span<const GpuSource> sources,
               absl::Span<const std::string> keys,
               absl::Span<const std::shared_ptr<Entry>> entries);
  void Finish(const std::string& key, Entry& entry, Kernel kernel);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable made_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace fuseau::codegen::gpu

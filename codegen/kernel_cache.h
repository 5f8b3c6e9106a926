// From kernel ops to loaded kernels, compiling each only once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "codegen/cpu/jit.h"
#include "codegen/cpu/target.h"
#include "codegen/kernel_source.h"
#include "ir/dialect.h"
#include "runtime/kernel_store.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

// Everything that the code of a kernel depends on, as text: the op without its
// name, the instruction set, the compiler and the format of our objects.
std::string KernelKey(ir::exec::KernelOp kernel, const Target& target,
                      OptLevel level);

// The main ops of the body and a hash of the key: "add_mul_sqrt_1f9c03".
std::string KernelName(ir::exec::KernelOp kernel, absl::string_view key);

// Loaded kernels by key, backed by objects on disk. Thread-safe; threads that
// ask for one kernel at the same time wait for the one that compiles it. The
// ops given must not be changed meanwhile.
class KernelCache : public KernelSource {
 public:
  struct Options {
    OptLevel level = OptLevel::kO1;
    int64_t memory_bytes = int64_t{64} << 20;  // of objects, least recently
                                               // used ones go first
    runtime::KernelStore* store = nullptr;     // not owned; null: no disk
    Target target;
  };

  // The cache of the process: this machine (or FUSEAU_ISA), the global store.
  // FUSEAU_OPT=0 compiles without optimisation.
  static KernelCache& Global();

  explicit KernelCache(Options options) : options_(std::move(options)) {}
  KernelCache(const KernelCache&) = delete;
  KernelCache& operator=(const KernelCache&) = delete;

  absl::StatusOr<std::shared_ptr<const runtime::Kernel>> Get(
      ir::exec::KernelOp kernel) override;

  // The kernels in memory.
  std::vector<std::shared_ptr<const runtime::Kernel>> Kernels();

  // Forgets what is in memory; kernels in use stay.
  void Clear();

 private:
  struct Entry {
    bool ready = false;
    absl::StatusOr<std::shared_ptr<const runtime::Kernel>> kernel =
        absl::UnknownError("not compiled yet");
    int64_t bytes = 0;
    std::list<std::string>::iterator place;  // in order_, once ready
  };
  struct Made {
    std::shared_ptr<const runtime::Kernel> kernel;
    int64_t bytes = 0;
  };

  absl::StatusOr<Made> Make(ir::exec::KernelOp kernel, const std::string& key);
  void Evict();  // under mutex_

  const Options options_;
  std::mutex mutex_;
  std::condition_variable made_;
  // All below under mutex_.
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_;
  std::list<std::string> order_;  // newest first
  int64_t bytes_ = 0;
};

}  // namespace fuseau::codegen

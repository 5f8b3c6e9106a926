// One device: its context, streams, memory and loaded kernels, and the copies
// of buffers that it has.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/buffer.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/pool.h"
#include "runtime/cuda/staging.h"
#include "runtime/cuda/stream.h"
#include "runtime/device_copy.h"

namespace fuseau::runtime::cuda {

// Work is given to the device by one run at a time (BeginRun, EndRun); other
// threads may read what buffers have here, and drop buffers, meanwhile.
class Device {
 public:
  struct Options {
    Pool::Options pool;
    // Free memory beyond this goes back to the driver at the end of a run;
    // -1: a quarter of the device's memory.
    int64_t max_free = -1;
    int64_t piece_bytes = int64_t{8} << 20;  // of pinned memory for transfers
    int pieces = 4;
  };

  static absl::StatusOr<std::unique_ptr<Device>> Open(const Driver* driver,
                                                      int ordinal,
                                                      Options options);
  // No buffer has a copy here any more.
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Driver& driver() const { return driver_; }
  const std::string& name() const { return name_; }
  int64_t total_bytes() const { return total_bytes_; }
  // 10 * major + minor, e.g. 90.
  int compute_capability() const { return capability_; }
  CUcontext context() const { return context_; }

  // Around a run, on the thread that does it.
  absl::Status BeginRun();
  void EndRun();

  // A buffer with memory of this device only. If there is none left:
  // ResourceExhausted; after Reclaim the next try may succeed.
  absl::StatusOr<BufferRef> NewBuffer(int64_t bytes);
  // Sees to it that the device has the bytes of the buffer. What was reserved
  // on the compute stream has been submitted.
  absl::Status Upload(Buffer* buffer);
  // Waits for all work, gives free memory back to the driver and then drops
  // copies of buffers that this run does not use, the oldest first, until so
  // many bytes might be had; those that memory does not have are downloaded.
  // The error names the sizes. What was reserved has been submitted.
  absl::Status Reclaim(int64_t bytes);

  // Where the bytes of a buffer are here; it has some.
  CUdeviceptr AddressOf(const Buffer& buffer) const;
  bool Has(const Buffer& buffer) const;
  // The latest operation that was reserved on the compute stream writes to the
  // buffer.
  void SetChanged(Buffer* buffer);
  // Only memory here has the bytes from now on.
  absl::Status TakeBack(Buffer* buffer);

  // The function of a kernel, loaded at its first launch.
  absl::StatusOr<CUfunction> FunctionOf(
      const std::shared_ptr<const GpuKernel>& kernel, uint32_t shared_bytes);

  Stream& compute() { return streams_[kCompute]; }
  absl::Status Synchronize();
  // No buffer has a copy here afterwards; memory has their bytes.
  absl::Status BringAllHome();

  Pool::Usage memory() const;

 private:
  class Copy;
  struct Loaded {
    std::shared_ptr<const GpuKernel> kernel;  // so that its address is its own
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    uint32_t shared_bytes = 0;  // that it may have
  };

  Device(const Driver* driver, Options options);
  absl::Status Start(int ordinal);
  // All below under DeviceCopy::Mutex().
  absl::Status MakeCurrent() const;
  absl::StatusOr<Pool::Block*> Take(int64_t bytes, StreamKind user);
  absl::Status SynchronizeAll();
  void TrimTo(int64_t max_free);
  void UnloadIdle();

  const Driver& driver_;
  Options options_;
  std::string name_;
  int64_t total_bytes_ = 0;
  int capability_ = 0;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  Stream streams_[kStreams];
  std::unique_ptr<Pool> pool_;
  Staging staging_;
  std::list<Copy*> copies_;  // those used longest ago first
  absl::flat_hash_map<const GpuKernel*, Loaded> loaded_;
  uint64_t run_ = 0;
};

}  // namespace fuseau::runtime::cuda

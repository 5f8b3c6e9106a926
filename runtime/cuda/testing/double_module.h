// What the driver double can load and run: kernels of the processor
// (host_image.h), and shared objects of emulated kernels (kernel.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cuda/kernel.h"
#include "runtime/plan.h"

namespace fuseau::runtime::cuda::testing {

struct LaunchGrid {
  Extent3 grid;
  Extent3 block;
  uint32_t shared_bytes = 0;
};

// A kernel of a module.
struct DoubleFunction {
  // `block` is the struct that the kernel takes.
  void Run(const LaunchGrid& grid, std::vector<int64_t>* block) const;

  // One of these.
  KernelFn host = nullptr;
  EmulatedLaunchFn emulated = nullptr;
  int64_t rank = 0;  // of `host`
};

class DoubleModule {
 public:
  ~DoubleModule();
  // Null if the image is none that it knows.
  static std::unique_ptr<DoubleModule> Load(const char* image);

  bool Find(const char* name, DoubleFunction* function) const;

 private:
  void* library_ = nullptr;
  int file_ = -1;            // of the library: its path is the library's name
  DoubleFunction function_;  // if there is no library
};

}  // namespace fuseau::runtime::cuda::testing

// An image for the driver double that runs a kernel of the processor: how the
// device's runtime is run, whole, on a machine without a device. The image is a
// description of a function in this process, so it is never kept on disk.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/cuda/kernel.h"
#include "runtime/plan.h"

namespace fuseau::runtime::cuda {

struct HostImage {
  static constexpr char kMagic[16] = "fuseau.host-run";
  char magic[16] = {};
  KernelFn fn = nullptr;
  int64_t rank = 0;
};

// The kernel of a launch, whose every launch is one call for all rows.
std::shared_ptr<const GpuKernel> HostKernel(const Launch& launch);

// Gives such kernels to all launches of the plan that have no kernel for the
// device, but for those that need a processor's way to run: lagged writes, and
// launches of sweeps.
void AddHostKernels(Plan* plan);

}  // namespace fuseau::runtime::cuda

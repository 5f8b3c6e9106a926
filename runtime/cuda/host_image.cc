#include "runtime/cuda/host_image.h"

#include <cstring>
#include <utility>
#include <vector>

namespace fuseau::runtime::cuda {
namespace {

class HostRun : public GpuKernel {
 public:
  explicit HostRun(const Launch& launch)
      : kernel_(launch.kernel), split_(launch.split) {
    name = kernel_->name;
    rank = static_cast<int>(launch.sizes.size());
    // One more for the address of a workspace, which it has no use for.
    slots = SlotCount(rank, static_cast<int>(launch.operands.size()),
                      static_cast<int>(launch.scalars.size())) +
            1;
    HostImage made;
    std::memcpy(made.magic, HostImage::kMagic, sizeof(made.magic));
    made.fn = kernel_->fn;
    made.rank = rank;
    image.assign(reinterpret_cast<const char*>(&made), sizeof(made));
  }

  LaunchShape Shape(absl::Span<const int64_t> sizes) const override {
    LaunchShape shape;
    // As on processors: reductions of nothing have a result.
    const bool nothing = rank > 0 && sizes[0] == 0 && split_ == Split::kRows;
    if (nothing) shape.grid.x = 0;
    return shape;
  }

 private:
  const std::shared_ptr<const Kernel> kernel_;
  const Split split_;
};

}  // namespace

std::shared_ptr<const GpuKernel> HostKernel(const Launch& launch) {
  return std::make_shared<HostRun>(launch);
}

void AddHostKernels(Plan* plan) {
  std::vector<bool> in_sweep(plan->launches.size());
  for (const Sweep& sweep : plan->sweeps) {
    for (const int32_t launch : sweep.launches) in_sweep[launch] = true;
  }
  for (size_t i = 0; i < plan->launches.size(); ++i) {
    Launch& launch = plan->launches[i];
    if (launch.gpu != nullptr || !launch.lagged.empty() || in_sweep[i])
      continue;
    launch.gpu = HostKernel(launch);
  }
}

}  // namespace fuseau::runtime::cuda

// In how many blocks and threads a kernel runs.
#pragma once

#include <memory>
#include <string>

#include "codegen/gpu/emitter.h"
#include "runtime/cuda/kernel.h"

namespace fuseau::codegen::gpu {

runtime::cuda::LaunchShape ShapeOf(const LaunchRule& rule,
                                   absl::Span<const int64_t> sizes);

// The kernel as the runtime takes it.
std::shared_ptr<const runtime::cuda::GpuKernel> MakeGpuKernel(
    const GpuSource& source, std::string image);

}  // namespace fuseau::codegen::gpu

// From a kernel op to CUDA C++.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "ir/dialect.h"
#include "runtime/cuda/kernel.h"

namespace fuseau::codegen::gpu {

// What decides in how many blocks a kernel is run.
struct LaunchRule {
  runtime::cuda::Skeleton skeleton = runtime::cuda::Skeleton::kMap;
  int rank = 0;
  int lanes = 1;         // points a thread, of a map
  uint64_t reduced = 0;  // bit d: joined along dimension d
  // Of a row that several blocks join: what a partial result takes, and how
  // many elements a unit of the tree has. 0: one block a row.
  int total_bytes = 0;
  int unit = 0;
};

struct GpuSource {
  std::string name;  // of the function, with a hash of the code
  std::string code;  // after `#include "fuseau.cuh"`, the prelude
  int slots = 0;
  LaunchRule rule;
};

// The kernel's code. Unimplemented, with the reason, for what only the
// processor computes. Loops over rows together, streamed stores and turned
// dimensions are the processor's own; kernels with the latter are refused.
absl::StatusOr<GpuSource> EmitCuda(ir::exec::KernelOp kernel);

// The text of "fuseau.cuh": all of codegen/gpu/device.
const std::string& Prelude();

}  // namespace fuseau::codegen::gpu

// A kernel for a graphics processor, as the code generator hands it over: an
// image that the driver loads, and how it wants to be launched. Nothing here
// needs CUDA.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "runtime/base/dims.h"

namespace fuseau::runtime::cuda {

// The hand-written code that a kernel's body was put into (codegen/gpu).
enum class Skeleton : uint8_t {
  kMap,         // one point a thread along the innermost dimension, or several
  kRowReduce,   // a block for each row, joined along the innermost dimension
  kFullReduce,  // one row, cut for many blocks along NumPy's tree
  kColumnReduce,  // a thread for each column, joined in order
};

struct Extent3 {
  uint32_t x = 1, y = 1, z = 1;
};

struct LaunchShape {
  Extent3 grid;
  Extent3 block;
  uint32_t shared_bytes = 0;
  // Device memory that the launch needs besides its operands; its address goes
  // into the last argument slot. The first `zeroed_bytes` must be 0.
  int64_t workspace_bytes = 0;
  int64_t zeroed_bytes = 0;
};

// The kernel takes one parameter, a struct of `slots` 64-bit numbers passed by
// value. They are laid out as for a kernel of the processor (runtime/plan.h):
// sizes (all of them: size 0 is filled in), address and strides of each
// operand, two slots for each scalar; then one for the workspace.
struct GpuKernel {
  virtual ~GpuKernel() = default;
  // Threads and blocks for a launch of these sizes.
  virtual LaunchShape Shape(absl::Span<const int64_t> sizes) const = 0;

  std::string name;    // also the symbol in the image
  std::string source;  // CUDA C++
  std::string image;   // a cubin, or a shared object for the emulated device
  int rank = 0;
  int slots = 0;
  Skeleton skeleton = Skeleton::kMap;
};

}  // namespace fuseau::runtime::cuda

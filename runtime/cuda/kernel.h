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

// What the image of an emulated device has for each kernel, under its name and
// this suffix: runs all threads of a launch on the calling thread. `grid` and
// `block` have three numbers each, `arguments` is the struct of slots. Blocks
// and threads run forwards (order 0), backwards (1) or in a random order (the
// number is the seed): a kernel whose result depends on it lacks a barrier.
using EmulatedLaunchFn = void (*)(const uint32_t* grid, const uint32_t* block,
                                  uint32_t order, const void* arguments);
inline constexpr char kEmulatedLaunchSuffix[] = "_launch";

// The kernel takes one parameter, a struct of `slots` 64-bit numbers passed by
// value. They are laid out as for a kernel of the processor (runtime/plan.h):
// sizes (all of them: size 0 is filled in), address and strides of each
// operand, two slots for each scalar; then one for the workspace. A launch
// leaves the part of its workspace that must be 0 as it was, so that it can be
// kept. Elements are at multiples of the size of their parts, sizes are no
// larger than 2^34, and results do not overlap: other launches have no such
// kernel.
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

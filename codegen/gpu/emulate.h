// The emulated device: a kernel's own CUDA C++ compiled by the processor's
// compiler. It shows what a kernel does on machines without a graphics
// processor; it is not fast.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "codegen/gpu/emitter.h"

namespace fuseau::codegen::gpu {

struct EmulationOptions {
  // FUSEAU_EMULATION_CXX: clang++ or g++; empty: the one that built this, or
  // c++.
  std::string compiler;
  bool sanitize = false;  // for address sanitizers; the process must have one
  // Another prelude, for tests of the emulation itself.
  const std::string* prelude = nullptr;
};

// What tells images of other compilers, options or preludes apart.
std::string EmulationKey(const EmulationOptions& options);

// One shared object (runtime/cuda/kernel.h says what it has) with all these
// kernels.
absl::StatusOr<std::string> CompileForEmulation(
    absl::Span<const GpuSource> sources, const EmulationOptions& options = {});

}  // namespace fuseau::codegen::gpu

// NVIDIA's run-time compiler, loaded when it is first needed: from CUDA C++ to
// machine code for one kind of device. It needs neither a device nor a driver.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fuseau::codegen::gpu {

struct NvrtcOutput {
  std::string image;  // a cubin
  std::string ptx;    // if it was asked for
  std::string log;    // with registers and spills, a line for each function
};

// Looks for the library in FUSEAU_NVRTC (a file), beside this library in
// site-packages, in the site-packages of the active environment, in CUDA_HOME
// or CUDA_PATH, in /usr/local/cuda, and where the loader looks. If there is
// none: one sentence that says how to get it.
absl::Status NvrtcStatus();

// "nvrtc 13.0", a part of the keys of what it makes; empty if there is none.
std::string NvrtcVersion();

// Compiles the code, which includes "fuseau.cuh", for compute capability
// `arch` (90 is 9.0). Threads may compile at the same time.
absl::StatusOr<NvrtcOutput> CompileWithNvrtc(const std::string& name,
                                             const std::string& code, int arch,
                                             bool with_ptx = false);

// The options, another part of the keys.
std::vector<std::string> NvrtcOptions(int arch);

}  // namespace fuseau::codegen::gpu

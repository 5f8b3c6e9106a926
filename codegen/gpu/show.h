// The CUDA C++ of what a trace would launch on a GPU.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "ir/trace.h"

namespace fuseau::codegen::gpu {

// The sources of its kernels in the order in which they are launched first,
// each with how often and over which sizes; a comment for steps that are left
// to the processor. Compiles nothing, needs no GPU. Without `with_prelude`,
// what all kernels share is only included by name.
absl::StatusOr<std::string> ShowKernels(const ir::Trace& trace,
                                        bool with_prelude);

}  // namespace fuseau::codegen::gpu

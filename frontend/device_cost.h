// Whether a plan is likely to be faster on a device or on processors.
#pragma once

#include "absl/types/span.h"
#include "runtime/buffer.h"
#include "runtime/plan.h"

namespace fuseau {

// What a run of the plan takes on a device, and what it takes on processors
// (`cpu_seconds`) with the bytes that only a device has, each with the
// transfers that it needs before. True if the device is faster.
bool DevicePays(const runtime::Plan& plan, double cpu_seconds,
                absl::Span<const runtime::BufferRef> inputs);

}  // namespace fuseau

// What NumPy's inner loops are on a graphics processor.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fuseau::codegen::gpu {

struct DeviceFunction {
  const char* ufunc;
  // The class of the first input: i(nteger with sign), u(nsigned), f(loat),
  // c(omplex); or the types of both inputs, as NumPy's characters.
  const char* inputs;
  const char* form;  // of a call: $0, $1, ... are operands, $t is the result
  // By how many units in the last place the result may differ from the exact
  // one, for float32 and float64; 0: NumPy's bits. NVIDIA's figures for its own
  // functions (CUDA C++ Programming Guide, mathematical functions).
  int ulp32;
  int ulp64;
};

// The whole table.
absl::Span<const DeviceFunction> DeviceFunctions();

// The row for a loop, such as "exp.d->d"; null if there is none.
const DeviceFunction* FindDeviceFunction(absl::string_view loop);

}  // namespace fuseau::codegen::gpu

// CUDA's driver, loaded while the program runs: the library links nothing of
// CUDA, so one build serves machines with and without a device.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/cuda/api.h"

namespace fuseau::runtime::cuda {

// The functions of one driver library. Never unloaded: threads of the driver
// may run its code until the process ends.
struct Driver {
  // Loads the library and finds out whether it can be used here. Whatever is
  // missing (driver, device, version) is told in one sentence:
  // FailedPrecondition.
  static absl::StatusOr<std::unique_ptr<const Driver>> Load(
      const std::string& library);
  // The driver of this machine, or the library that FUSEAU_CUDA_DRIVER names.
  // Loaded at the first call.
  static const absl::StatusOr<std::unique_ptr<const Driver>>& Global();

  // What `function` returned, as a status: ResourceExhausted for no memory,
  // else Internal, with CUDA's name for the error.
  absl::Status StatusOf(CUresult result, absl::string_view function) const;

  int version = 0;  // 1000 * major + 10 * minor
  int devices = 0;
  void* library = nullptr;  // dlopen's handle
#define FUSEAU_DECLARE(name, version, parameters) CUresult(*name) parameters;
  FUSEAU_CUDA_FUNCTIONS(FUSEAU_DECLARE)
#undef FUSEAU_DECLARE
};

// Calls a function of the driver and gives its status.
#define FUSEAU_CUDA(driver, function, ...) \
  ((driver).StatusOf((driver).function(__VA_ARGS__), #function))

}  // namespace fuseau::runtime::cuda

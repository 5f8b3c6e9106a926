// On what evaluations run: the processors of this machine, or a device.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontend/compile_queue.h"

namespace fuseau {

namespace runtime::cuda {
class Device;
}

enum class DeviceMode : uint8_t {
  kOfProcess,  // for threads that have none of their own
  kCpu,
  kGpu,       // a GPU, as far as it has kernels
  kAuto,      // whichever is likely to be faster (device_cost.h)
  kEmulated,  // the whole way of a GPU over a test double of its driver
};

// "cpu", "gpu", "auto" or "emulated". FailedPrecondition if that device cannot
// be used here, with the reason.
absl::StatusOr<DeviceMode> FindDeviceMode(absl::string_view name);
absl::string_view Name(DeviceMode mode);
// What FUSEAU_DEVICE says, "cpu" if nothing.
DeviceMode DeviceModeOfSettings();

// That of the evaluations that this thread begins.
constinit inline thread_local DeviceMode device_of_thread
    [[gnu::tls_model("initial-exec")]] = DeviceMode::kOfProcess;
// Set when the language starts, not before `main`: settings are read once.
inline DeviceMode device_of_process = DeviceMode::kCpu;
inline DeviceMode CurrentDevice() {
  return device_of_thread == DeviceMode::kOfProcess ? device_of_process
                                                    : device_of_thread;
}
// Whether all work goes to a device, however small.
inline bool OnlyDevice() {
  return CurrentDevice() == DeviceMode::kGpu ||
         CurrentDevice() == DeviceMode::kEmulated;
}

// The device of CurrentDevice(), opened at the first question; null for
// processors. FailedPrecondition if there is none, and it must be one.
absl::StatusOr<runtime::cuda::Device*> EvaluationDevice();

// Waits until the device of this thread has done all that it was given.
absl::Status AwaitOpenDevice();
inline absl::Status AwaitDevice() {
  return CurrentDevice() == DeviceMode::kCpu ? absl::OkStatus()
                                             : AwaitOpenDevice();
}

// What devices there are, in one sentence; or why there is none.
std::string DescribeDevices();

// The thread that compiles plans for the device of CurrentDevice(); null where
// the kernels of processors stand for those of the device (emulated, unless
// FUSEAU_EMULATED_KERNELS=cuda).
CompileQueue* QueueOfDevice();

// Before a fork: everything that devices have is brought to memory. The child
// computes on processors.
void LeaveDevices();
// Waits for all devices and their compilers, before the process ends.
void FinishDevices();

}  // namespace fuseau

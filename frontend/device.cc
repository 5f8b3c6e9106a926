#include "frontend/device.h"

#include <dlfcn.h>
#include <pthread.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/gpu/compiler.h"
#include "codegen/gpu/nvrtc.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/cuda/device.h"
#include "runtime/cuda/driver.h"

namespace fuseau {
namespace {

using runtime::cuda::Device;
using runtime::cuda::Driver;

constexpr char kDouble[] = "libfuseau_cuda_double.so";
constexpr DeviceMode kModes[] = {DeviceMode::kCpu, DeviceMode::kGpu,
                                 DeviceMode::kAuto, DeviceMode::kEmulated};

// A device that the process has opened, or why it cannot.
struct Opened {
  std::unique_ptr<const Driver> driver;  // unless it is the machine's own
  absl::StatusOr<std::unique_ptr<Device>> device =
      absl::UnknownError("not opened yet");
};

// The double stands beside this library where the build is one for developers.
std::string DoublePath() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&DoublePath), &info) == 0) return kDouble;
  const std::string path = info.dli_fname;
  return absl::StrCat(path.substr(0, path.rfind('/') + 1), kDouble);
}

Opened* OpenDouble() {
  auto* opened = new Opened;
  auto driver = Driver::Load(DoublePath());
  if (!driver.ok()) {
    opened->device = absl::FailedPreconditionError(absl::StrCat(
        "this build has no emulated device: ", driver.status().message()));
    return opened;
  }
  opened->driver = *std::move(driver);
  Device::Options options;
  options.pool.slab_bytes = int64_t{8} << 20;
  options.piece_bytes = int64_t{256} << 10;
  opened->device = Device::Open(opened->driver.get(), 0, options);
  return opened;
}

Opened* OpenGpu() {
  auto* opened = new Opened;
  const auto& driver = Driver::Global();
  // Kernels need a compiler, too.
  const absl::Status compiler = codegen::gpu::NvrtcStatus();
  if (!driver.ok()) {
    opened->device = driver.status();
  } else if (!compiler.ok()) {
    opened->device = compiler;
  } else {
    opened->device = Device::Open(driver->get(), 0, {});
  }
  return opened;
}

bool emulated_open = false;
bool gpu_open = false;
// In a child of fork, which must not use what its parent had opened.
bool lost = false;

const Opened* Note(const Opened* opened, bool* open) {
  *open = opened->device.ok();
  if (*open) pthread_atfork(nullptr, nullptr, [] { lost = true; });
  return opened;
}

// Never destroyed: arrays may outlive all static objects.
const Opened& Emulated() {
  static const Opened* const opened = Note(OpenDouble(), &emulated_open);
  return *opened;
}
const Opened& Gpu() {
  static const Opened* const opened = Note(OpenGpu(), &gpu_open);
  return *opened;
}

absl::StatusOr<Device*> DeviceOf(DeviceMode mode) {
  if (mode == DeviceMode::kCpu || lost) return nullptr;
  const Opened& opened = mode == DeviceMode::kEmulated ? Emulated() : Gpu();
  if (opened.device.ok()) return opened.device->get();
  if (mode == DeviceMode::kAuto) return nullptr;
  return absl::FailedPreconditionError(
      absl::StrCat("the device \"", Name(mode),
                   "\" cannot be used: ", opened.device.status().message()));
}

// Queues for devices, which are never destroyed.
std::vector<CompileQueue*>& Queues() {
  static auto* const queues = new std::vector<CompileQueue*>;
  return *queues;
}

CompileQueue* MakeQueue(int arch) {
  auto* queue = new CompileQueue([arch](const ir::Trace& trace) {
    return codegen::gpu::CompileTraceForGpu(trace, {.arch = arch});
  });
  if (Queues().empty()) {
    pthread_atfork(
        [] {
          for (CompileQueue* q : Queues()) q->BeforeFork();
        },
        [] {
          for (CompileQueue* q : Queues()) q->AfterFork(false);
        },
        [] {
          for (CompileQueue* q : Queues()) q->AfterFork(true);
        });
  }
  Queues().push_back(queue);
  return queue;
}

template <typename F>
void ForEachOpen(F f) {
  if (lost) return;
  if (emulated_open) f(**Emulated().device);
  if (gpu_open) f(**Gpu().device);
}

}  // namespace

absl::string_view Name(DeviceMode mode) {
  switch (mode) {
    case DeviceMode::kOfProcess:
      return Name(device_of_process);
    case DeviceMode::kCpu:
      return "cpu";
    case DeviceMode::kGpu:
      return "gpu";
    case DeviceMode::kAuto:
      return "auto";
    case DeviceMode::kEmulated:
      return "emulated";
  }
  return "";
}

absl::StatusOr<DeviceMode> FindDeviceMode(absl::string_view name) {
  for (const DeviceMode mode : kModes) {
    if (name != Name(mode)) continue;
    FUSEAU_RETURN_IF_ERROR(DeviceOf(mode).status());
    return mode;
  }
  return PythonError("ValueError",
                     absl::StrCat("there is no device \"", name,
                                  "\"; expected \"cpu\", \"gpu\", \"auto\" or "
                                  "\"emulated\""));
}

DeviceMode DeviceModeOfSettings() {
  const std::string name = SettingString("FUSEAU_DEVICE", "cpu");
  for (const DeviceMode known : kModes)
    if (name == Name(known)) return known;
  return DeviceMode::kCpu;  // CheckSettings has refused it
}

CompileQueue* QueueOfDevice() {
  switch (CurrentDevice()) {
    case DeviceMode::kEmulated: {
      static const bool cuda =
          SettingString("FUSEAU_EMULATED_KERNELS", "host") == "cuda";
      static CompileQueue* const queue = cuda ? MakeQueue(/*arch=*/0) : nullptr;
      return queue;
    }
    case DeviceMode::kGpu:
    case DeviceMode::kAuto: {
      const auto& device = Gpu().device;
      if (!device.ok()) return nullptr;
      static CompileQueue* const queue =
          MakeQueue((*device)->compute_capability());
      return queue;
    }
    case DeviceMode::kOfProcess:
    case DeviceMode::kCpu:
      break;
  }
  return nullptr;
}

absl::StatusOr<Device*> EvaluationDevice() { return DeviceOf(CurrentDevice()); }

absl::Status AwaitOpenDevice() {
  FUSEAU_ASSIGN_OR_RETURN(Device* const device, EvaluationDevice());
  return device == nullptr ? absl::OkStatus() : device->Synchronize();
}

std::string DescribeDevices() {
  const auto& driver = Driver::Global();
  if (!driver.ok()) return absl::StrCat("none: ", driver.status().message());
  const auto& device = Gpu().device;
  if (!device.ok()) return absl::StrCat("none: ", device.status().message());
  return absl::StrCat((*driver)->devices, " with CUDA ",
                      (*driver)->version / 1000, ".",
                      (*driver)->version % 1000 / 10, ": ", (*device)->name());
}

void LeaveDevices() {
  ForEachOpen([](Device& device) {
    const absl::Status status = device.BringAllHome();
    if (!status.ok()) LogWarning(std::string(status.message()));
  });
}

void FinishDevices() {
  ForEachOpen([](Device& device) { (void)device.Synchronize(); });
  for (CompileQueue* queue : Queues()) queue->Stop();
}

}  // namespace fuseau

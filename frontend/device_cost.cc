#include "frontend/device_cost.h"

#include "runtime/base/dims.h"

namespace fuseau {
namespace {

// One launch, whatever it does; and to wait for a result, once.
constexpr double kLaunchSeconds = 4e-6;
constexpr double kWaitSeconds = 10e-6;
// The memory of a device, and the way to it through pinned pieces.
constexpr double kDeviceBytesPerSecond = 1.5e12;
constexpr double kTransferBytesPerSecond = 10e9;
// Steps without a kernel for the device run on processors, and their operands
// travel both ways.
constexpr double kHostStepSeconds = 30e-6;

}  // namespace

bool DevicePays(const runtime::Plan& plan, double cpu_seconds,
                absl::Span<const runtime::BufferRef> inputs) {
  double device = kWaitSeconds;
  double cpu = cpu_seconds;
  for (const runtime::BufferRef& input : inputs) {
    const double seconds =
        static_cast<double>(input->bytes()) / kTransferBytesPerSecond;
    if (input->place() == runtime::Place::kHost) device += seconds;
    if (input->place() == runtime::Place::kDevice)
      cpu += seconds + kWaitSeconds;
  }
  for (const runtime::Launch& launch : plan.launches) {
    device += kLaunchSeconds +
              static_cast<double>(launch.bytes) / kDeviceBytesPerSecond;
    if (launch.gpu == nullptr) {
      device += kHostStepSeconds +
                2 * static_cast<double>(launch.bytes) / kTransferBytesPerSecond;
    }
  }
  for (const runtime::RoutineCall& call : plan.routines) {
    device += kHostStepSeconds;
    for (const runtime::PlanOperand& operand : call.operands) {
      device += static_cast<double>(plan.buffers[operand.buffer].bytes) /
                kTransferBytesPerSecond;
    }
  }
  return device < cpu;
}

}  // namespace fuseau

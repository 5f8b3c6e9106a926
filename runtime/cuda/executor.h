// Runs plans on a device.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/cuda/batch.h"
#include "runtime/cuda/device.h"
#include "runtime/executor.h"
#include "runtime/plan.h"

namespace fuseau::runtime::cuda {

// A plan, and how it is run on one device. Launches that have a kernel for it
// run there, with the copies and fills of what they touch; all other steps run
// on processors, and just what these touch is moved. From its second run on,
// operations that follow each other without such a step are one graph of the
// driver. One run at a time.
class DevicePlan {
 public:
  DevicePlan(std::shared_ptr<const Plan> plan, Device* device);

  // As Execute. Results stay where they were made; when this returns they need
  // not be computed yet. An error may come later, from what reads a result.
  absl::Status Run(absl::Span<const BufferRef> inputs,
                   absl::Span<const ScalarValue> scalars,
                   std::vector<BufferRef>* outputs,
                   const ExecuteOptions& options = {});

  const Plan& plan() const { return *plan_; }
  // Whether any step runs on the device.
  bool uses_device() const { return uses_device_; }

 private:
  friend class DeviceRun;

  struct GraphSlot {
    bool seen = false;
    std::unique_ptr<Graph> graph;
  };

  bool StepFits(const Step& step) const;

  const std::shared_ptr<const Plan> plan_;
  Device& device_;
  std::vector<bool> on_device_;    // by step
  std::vector<bool> device_home_;  // by buffer: a launch on the device uses it
  bool uses_device_ = false;
  std::vector<GraphSlot> graphs_;  // for each stretch between steps elsewhere
};

}  // namespace fuseau::runtime::cuda

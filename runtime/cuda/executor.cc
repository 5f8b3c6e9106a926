#include "runtime/cuda/executor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/cpu/plan_run.h"
#include "runtime/cuda/strided_copy.h"
#include "runtime/stats.h"
#include "runtime/step_access.h"

namespace fuseau::runtime::cuda {

DevicePlan::DevicePlan(std::shared_ptr<const Plan> plan, Device* device)
    : plan_(std::move(plan)),
      device_(*device),
      on_device_(plan_->steps.size()),
      device_home_(plan_->buffers.size()) {
  // First the launches; what else touches their buffers follows them.
  for (size_t i = 0; i < plan_->steps.size(); ++i) {
    const Step& step = plan_->steps[i];
    if (step.kind != Step::kLaunch && step.kind != Step::kBands) continue;
    on_device_[i] = StepFits(step);
    if (!on_device_[i]) continue;
    uses_device_ = true;
    for (const Access& access : AccessesOf(*plan_, step))
      device_home_[access.buffer] = true;
  }
  for (size_t i = 0; i < plan_->steps.size(); ++i) {
    const Step& step = plan_->steps[i];
    switch (step.kind) {
      case Step::kAllocate:
      case Step::kFill:
      case Step::kCopy:
      case Step::kMove:
        on_device_[i] = device_home_[step.buffer] && StepFits(step);
        break;
      default:
        break;
    }
  }
}

bool DevicePlan::StepFits(const Step& step) const {
  switch (step.kind) {
    case Step::kLaunch:
      return plan_->launches[step.launch].gpu != nullptr;
    case Step::kBands: {
      const auto& members = plan_->groups[step.group].members;
      return std::all_of(members.begin(), members.end(),
                         [&](const BandMember& m) {
                           return plan_->launches[m.launch].gpu != nullptr;
                         });
    }
    case Step::kCopy: {
      if (step.launch < 0) return true;
      std::vector<CUDA_MEMCPY3D> copies;
      for (const CopyPart& part : plan_->copies[step.launch])
        if (!CopiesOf(part, &copies)) return false;
      return true;
    }
    default:
      return true;
  }
}

// One run.
class DeviceRun {
 public:
  DeviceRun(DevicePlan* plan, absl::Span<const BufferRef> inputs,
            absl::Span<const ScalarValue> scalars,
            const ExecuteOptions& options)
      : owner_(*plan),
        plan_(plan->plan()),
        device_(plan->device_),
        inputs_(inputs),
        scalars_(scalars),
        steps_(plan_, scalars, options),
        batch_(&device_) {}

  absl::Status Do(std::vector<BufferRef>* outputs) {
    FUSEAU_RETURN_IF_ERROR(steps_.Bind(inputs_));
    for (size_t b = 0; b < plan_.buffers.size(); ++b) {
      if (plan_.buffers[b].kind == BufferKind::kInput && owner_.device_home_[b])
        FUSEAU_RETURN_IF_ERROR(Bring(static_cast<int32_t>(b)));
    }
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      FUSEAU_RETURN_IF_ERROR(steps_.context().Check());
      const Step& step = plan_.steps[i];
      if (owner_.on_device_[i]) {
        FUSEAU_RETURN_IF_ERROR(OnDevice(step));
      } else if (step.kind == Step::kFree || step.kind == Step::kAllocate) {
        FUSEAU_RETURN_IF_ERROR(steps_.Do(step));
      } else {
        FUSEAU_RETURN_IF_ERROR(OnHost(step));
      }
    }
    FUSEAU_RETURN_IF_ERROR(Flush());
    for (const BufferRef& input : inputs_) {
      if (input->held()) FUSEAU_RETURN_IF_ERROR(device_.TakeBack(input.get()));
    }
    steps_.TakeOutputs(inputs_, outputs);
    return absl::OkStatus();
  }

 private:
  Buffer* BufferOf(int32_t b) { return steps_.slot(b).buffer; }

  // Does `attempt`; if there is no memory, once more after other buffers have
  // made room for so many bytes.
  template <typename Attempt>
  absl::Status WithRoom(int64_t bytes, Attempt attempt) {
    const absl::Status status = attempt();
    if (!absl::IsResourceExhausted(status)) return status;
    FUSEAU_RETURN_IF_ERROR(Flush());
    FUSEAU_RETURN_IF_ERROR(device_.Reclaim(bytes));
    return attempt();
  }

  absl::StatusOr<BufferRef> NewBuffer(int64_t bytes) {
    BufferRef made;
    FUSEAU_RETURN_IF_ERROR(WithRoom(bytes, [&]() -> absl::Status {
      FUSEAU_ASSIGN_OR_RETURN(made, device_.NewBuffer(bytes));
      return absl::OkStatus();
    }));
    return made;
  }

  // Sees to it that the device has the bytes.
  absl::Status Bring(int32_t b) {
    Buffer* const buffer = BufferOf(b);
    if (buffer == nullptr) {
      return absl::InternalError("a buffer does not exist at this step");
    }
    if (!device_.Has(*buffer)) FUSEAU_RETURN_IF_ERROR(Flush());
    return WithRoom(buffer->bytes(), [&] { return device_.Upload(buffer); });
  }
  absl::StatusOr<CUdeviceptr> AddressOf(int32_t b) {
    FUSEAU_RETURN_IF_ERROR(Bring(b));
    return device_.AddressOf(*BufferOf(b));
  }

  absl::Status OnDevice(const Step& step) {
    switch (step.kind) {
      case Step::kAllocate: {
        FUSEAU_ASSIGN_OR_RETURN(BufferRef made,
                                NewBuffer(plan_.buffers[step.buffer].bytes));
        steps_.slot(step.buffer).Set(std::move(made));
        return absl::OkStatus();
      }
      case Step::kFill: {
        FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr to, AddressOf(step.buffer));
        batch_.AddFill(to, plan_.buffers[step.buffer].bytes, step.fill,
                       step.fill_size);
        device_.SetChanged(BufferOf(step.buffer));
        return absl::OkStatus();
      }
      case Step::kCopy:
        return Copy(step);
      case Step::kMove: {
        const Move& move = plan_.moves[step.launch];
        FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr from, AddressOf(step.source));
        FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr to, AddressOf(step.buffer));
        batch_.AddCopy(to + static_cast<CUdeviceptr>(move.to),
                       from + static_cast<CUdeviceptr>(move.from), move.bytes);
        device_.SetChanged(BufferOf(step.buffer));
        return absl::OkStatus();
      }
      case Step::kBands:
        for (const BandMember& member : plan_.groups[step.group].members)
          FUSEAU_RETURN_IF_ERROR(Launch(plan_.launches[member.launch]));
        return absl::OkStatus();
      case Step::kLaunch:
        return Launch(plan_.launches[step.launch]);
      default:
        return absl::InternalError("a step that no device does");
    }
  }

  absl::Status Copy(const Step& step) {
    FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr from, AddressOf(step.source));
    FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr to, AddressOf(step.buffer));
    if (step.launch < 0) {
      batch_.AddCopy(to, from, plan_.buffers[step.source].bytes);
    } else {
      std::vector<CUDA_MEMCPY3D> copies;
      for (const CopyPart& part : plan_.copies[step.launch])
        CopiesOf(part, &copies);
      for (CUDA_MEMCPY3D& copy : copies) {
        copy.srcDevice += from;
        copy.dstDevice += to;
        batch_.Add(Operation::kCopy).copy = copy;
      }
    }
    device_.SetChanged(BufferOf(step.buffer));
    return absl::OkStatus();
  }

  absl::Status Launch(const runtime::Launch& launch) {
    const GpuKernel& kernel = *launch.gpu;
    const int rank = static_cast<int>(launch.sizes.size());
    const int operands = static_cast<int>(launch.operands.size());
    const LaunchShape shape = kernel.Shape(launch.sizes);
    if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0)
      return absl::OkStatus();
    std::vector<int64_t> block(static_cast<size_t>(kernel.slots));
    std::copy(launch.sizes.begin(), launch.sizes.end(), block.begin());
    for (int i = 0; i < operands; ++i) {
      const PlanOperand& operand = launch.operands[i];
      int64_t* slot = &block[OperandSlot(rank, i)];
      *slot = operand.offset;
      std::copy(operand.strides.begin(), operand.strides.end(), slot + 1);
      if (operand.buffer == kIotaBuffer) continue;
      FUSEAU_ASSIGN_OR_RETURN(const CUdeviceptr address,
                              AddressOf(operand.buffer));
      *slot += static_cast<int64_t>(address);
    }
    for (size_t i = 0; i < launch.scalars.size(); ++i) {
      std::memcpy(&block[ScalarSlot(rank, operands, static_cast<int>(i))],
                  scalars_[launch.scalars[i]].bytes, 16);
    }
    // Given back as soon as the launch has its place on the stream.
    BufferRef workspace;
    if (shape.workspace_bytes > 0) {
      FUSEAU_ASSIGN_OR_RETURN(workspace, NewBuffer(shape.workspace_bytes));
      const CUdeviceptr address = device_.AddressOf(*workspace);
      const char zero = 0;
      batch_.AddFill(address, shape.zeroed_bytes, &zero, 1);
      block.back() = static_cast<int64_t>(address);
    }
    FUSEAU_ASSIGN_OR_RETURN(const CUfunction function,
                            device_.FunctionOf(launch.gpu, shape.shared_bytes));
    Operation& operation = batch_.Add(Operation::kLaunch);
    operation.function = function;
    operation.shape = shape;
    operation.block = std::move(block);
    for (int i = launch.input_count; i < operands; ++i)
      device_.SetChanged(BufferOf(launch.operands[i].buffer));
    return absl::OkStatus();
  }

  absl::Status OnHost(const Step& step) {
    FUSEAU_RETURN_IF_ERROR(Flush());
    for (const Access& access : AccessesOf(plan_, step)) {
      if (Buffer* buffer = BufferOf(access.buffer))
        FUSEAU_RETURN_IF_ERROR(buffer->ToHost());
    }
    Increment(Counter::kGpuHostSteps);
    return steps_.Do(step);
  }

  // Gives what was gathered to the driver: one by one the first time, as one
  // graph later.
  absl::Status Flush() {
    if (batch_.empty()) return absl::OkStatus();
    if (stretch_ == owner_.graphs_.size()) owner_.graphs_.emplace_back();
    DevicePlan::GraphSlot& slot = owner_.graphs_[stretch_++];
    const std::vector<Operation>& operations = batch_.operations();
    if (!std::exchange(slot.seen, true) || !Graph::Suits(operations))
      return batch_.Submit();
    absl::Status status;
    if (slot.graph == nullptr || !slot.graph->Fits(operations)) {
      slot.graph.reset();
      auto made = Graph::Make(&device_, operations);
      status = made.status();
      if (status.ok()) slot.graph = *std::move(made);
    }
    if (status.ok()) status = slot.graph->Launch(operations);
    if (!status.ok()) slot.graph.reset();
    batch_.Drop();
    return status;
  }

  DevicePlan& owner_;
  const Plan& plan_;
  Device& device_;
  absl::Span<const BufferRef> inputs_;
  absl::Span<const ScalarValue> scalars_;
  PlanRun steps_;
  Batch batch_;
  size_t stretch_ = 0;
};

absl::Status DevicePlan::Run(absl::Span<const BufferRef> inputs,
                             absl::Span<const ScalarValue> scalars,
                             std::vector<BufferRef>* outputs,
                             const ExecuteOptions& options) {
  outputs->clear();
  FUSEAU_RETURN_IF_ERROR(device_.BeginRun());
  Increment(Counter::kGpuRuns);
  absl::Status status;
  {
    DeviceRun run(this, inputs, scalars, options);
    status = run.Do(outputs);
  }
  device_.EndRun();
  return status;
}

}  // namespace fuseau::runtime::cuda

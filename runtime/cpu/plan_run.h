// The steps of a plan on the processors of this machine, one by one.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/cpu/launch.h"
#include "runtime/executor.h"
#include "runtime/plan.h"
#include "runtime/run_context.h"

namespace fuseau::runtime {

// One run. Whoever has other means to do a step (a device) may do it instead,
// on the buffers that it finds here.
class PlanRun {
 public:
  // A buffer of the plan at the current step; null when it does not exist. The
  // caller keeps the inputs alive, so only new buffers are counted references.
  struct Slot {
    Buffer* buffer = nullptr;
    BufferRef owned;

    void Set(BufferRef made) {
      owned = std::move(made);
      buffer = owned.get();
    }
  };

  PlanRun(const Plan& plan, absl::Span<const ScalarValue> scalars,
          const ExecuteOptions& options);
  // Targets of exchanges under way are buffers of this run.
  ~PlanRun();
  PlanRun(const PlanRun&) = delete;
  PlanRun& operator=(const PlanRun&) = delete;

  absl::Status Bind(absl::Span<const BufferRef> inputs);
  absl::Status Steps();
  // One step; an allocation is of any content.
  absl::Status Do(const Step& step);
  void TakeOutputs(absl::Span<const BufferRef> inputs,
                   std::vector<BufferRef>* outputs) const;

  Slot& slot(int32_t buffer) { return slots_[buffer]; }
  RunContext& context() { return context_; }

 private:
  // The memory that the caller has for a result in this buffer, or null.
  const BufferRef* Given(int32_t buffer) const;
  absl::Status Allocate(int32_t buffer, bool zeros);
  void Copy(const Step& step) const;
  void Fill(const Step& step) const;
  absl::StatusOr<Arguments> Bind(const Launch& launch) const;
  void RunQuick(const Launch& launch) const;
  absl::Status RunLaunch(const Launch& launch);
  absl::Status RunRoutine(const RoutineCall& call);
  char* AddressOf(const PlanOperand& operand, bool writes) const;
  absl::Status Start(const RoutineCall& call);
  absl::Status Finish(const RoutineCall& call);
  void RunMove(const Step& step) const;
  absl::Status RunGroup(const BandGroup& group);
  absl::Status RunSweep(const Sweep& sweep);

  const Plan& plan_;
  absl::Span<const ScalarValue> scalars_;
  absl::Span<const BufferRef> results_;
  absl::InlinedVector<Slot, 12> slots_;
  RunContext context_;
};

}  // namespace fuseau::runtime

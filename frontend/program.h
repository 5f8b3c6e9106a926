// How one trace is computed: at first by its interpreter, later by its plan.
//
// Compiling takes milliseconds, so it must be worth it. A trace whose run takes
// longer than its compile waits for the plan. Another one is interpreted at
// once, and is compiled beside the program that runs once its runs have taken
// so much time that it is likely to come again. Which of the two computes
// depends on time, so both give the same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/compile_queue.h"
#include "frontend/float_errors.h"
#include "frontend/interpreter.h"
#include "ir/trace_words.h"
#include "runtime/executor.h"

namespace fuseau {

namespace runtime::cuda {
class Device;
class DevicePlan;
}  // namespace runtime::cuda

// FUSEAU_JIT
enum class JitMode : uint8_t {
  kNever,   // "0": interpret everything
  kAuto,    // "1"
  kAlways,  // "always": wait for every plan
  kMixed,   // "mixed": every other run of a trace waits for its plan
};
JitMode ReadJitMode();

class Program {
 public:
  Program(ir::TraceWords words, JitMode mode);
  ~Program();

  // What is known when the inputs are.
  struct Choice {
    const runtime::Plan* plan = nullptr;
    const Interpreter* interpreter = nullptr;
    // With a plan: how the device runs it.
    runtime::cuda::DevicePlan* device_plan = nullptr;
    // If the plan must be waited for: the device that it is for, or null.
    runtime::cuda::Device* device = nullptr;
    bool wait = false;   // the plan must be waited for
    double seconds = 0;  // that a run takes, about
  };
  // How to run it this time.
  Choice Choose(ir::TraceWords words);
  // The same where floating-point errors must be told apart at once, which the
  // interpreter does.
  Choice ChooseChecked(ir::TraceWords words);
  // Where a device may run it; in mode kAuto only if that pays for these
  // inputs.
  Choice ChooseForDevice(ir::TraceWords words, runtime::cuda::Device* device,
                         absl::Span<const runtime::BufferRef> inputs);
  // If the choice is to wait. Takes the interpreter if that is the better way
  // after all; an error if there is no way.
  absl::Status Await(const std::atomic<bool>* cancel, Choice* choice);

  // The kinds of floating-point errors that a run is watched for and may raise.
  uint8_t watched() const { return watched_; }
  // A plan left these flags: notes the operations that raised them. If the
  // inputs are still what they were, the interpreter finds them out in a second
  // run; that is done once, and runs that leave the same flags are taken to
  // have the same reasons. Else the first operation that could is named.
  void FindFloatErrors(uint8_t flags, ir::TraceWords words,
                       absl::Span<const runtime::BufferRef> inputs,
                       absl::Span<const runtime::ScalarValue> scalars,
                       bool inputs_are_lost);

  // For reports.
  struct State {
    uint32_t runs = 0;
    bool compiled = false;
    bool compiling = false;
    bool failed = false;  // it cannot be compiled
    double seconds = 0;   // that a run by the interpreter takes, about
  };
  State state() const;

  // What the object takes in memory, about.
  int64_t bytes() const { return bytes_; }

 private:
  Choice ByPlan() const;
  Choice ByInterpreter() const;
  Choice ByDevice(runtime::cuda::Device* device);
  bool TakePlan();
  bool WorthCompiling() const;
  void Request(ir::TraceWords words);
  bool RunAgain(ir::TraceWords words,
                absl::Span<const runtime::BufferRef> inputs,
                absl::Span<const runtime::ScalarValue> scalars) const;

  const JitMode mode_;
  uint32_t runs_ = 0;
  bool failed_ = false;  // it cannot be compiled
  double spent_ = 0;     // seconds, by the interpreter
  double plan_seconds_ = 0;
  int64_t bytes_ = 0;
  absl::Status status_;  // why there is no interpreter, or no plan
  std::unique_ptr<const Interpreter> interpreter_;
  uint8_t watched_ = 0;
  std::vector<FloatErrors> suspects_;  // what each operation could raise
  uint8_t found_flags_ = 0;
  std::vector<FloatErrors> found_;  // what raised those flags
  CompileQueue::JobPtr job_;
  CompileQueue::PlanPtr plan_;
  // The plan with kernels for that device.
  runtime::cuda::Device* device_ = nullptr;
  std::unique_ptr<runtime::cuda::DevicePlan> device_plan_;
};

}  // namespace fuseau

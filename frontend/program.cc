#include "frontend/program.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "frontend/device.h"
#include "frontend/device_cost.h"
#include "frontend/plan_cache.h"
#include "runtime/arena.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/cpu/launch.h"
#include "runtime/cuda/executor.h"
#include "runtime/cuda/host_image.h"
#include "runtime/routine.h"
#include "runtime/stats.h"

namespace fuseau {
namespace {

using runtime::BufferRef;

// The part of the interpreter's time that a plan saves at least.
constexpr double kSaved = 0.7;
// Time in the interpreter that calls for a compile in the background. It is far
// less than a compile takes, since that delays nobody.
constexpr double kPatienceSeconds = 200e-6;
// A launch costs about as much as two calls of a loop.
constexpr double kLaunchSeconds = 100e-9;
constexpr double kShortestSeconds = 2 * kLaunchSeconds;
// Temporary values of the interpreter beyond this are left to the compiler.
constexpr int64_t kMaxScratch = int64_t{256} << 20;
// A compile that takes longer is not waited for if there is another way.
constexpr double kTimeOutSeconds = 20;
// A run on a device is no quick one: other threads may go on meanwhile.
constexpr double kDeviceSeconds = 20e-6;

// A routine does so many steps of its space a second, about.
constexpr double kRoutineStepsPerSecond = 2e9;

double SecondsOf(const runtime::Plan& plan) {
  double seconds = 0;
  auto add_launch = [&](int32_t launch) {
    seconds += kLaunchSeconds + runtime::EstimateSeconds(plan.launches[launch]);
  };
  for (const runtime::Step& step : plan.steps) {
    switch (step.kind) {
      case runtime::Step::kLaunch:
        add_launch(step.launch);
        break;
      case runtime::Step::kSweep:
        for (int32_t launch : plan.sweeps[step.launch].launches)
          add_launch(launch);
        break;
      case runtime::Step::kBands:
        for (const runtime::BandMember& member :
             plan.groups[step.group].members)
          add_launch(member.launch);
        break;
      case runtime::Step::kRoutine:
      case runtime::Step::kStart:
        seconds +=
            kLaunchSeconds + runtime::StepsOf(plan.routines[step.launch]) /
                                 kRoutineStepsPerSecond;
        break;
      case runtime::Step::kCopy:
      case runtime::Step::kFill:
        seconds += static_cast<double>(plan.buffers[step.buffer].bytes) / 10e9;
        break;
      case runtime::Step::kAllocate:
      case runtime::Step::kFree:
      case runtime::Step::kFinish:
      case runtime::Step::kMove:
        break;
    }
  }
  return seconds;
}

// What a device runs, processors can run as well: there is one plan.
CompileQueue& QueueOfPlans() {
  CompileQueue* const queue = QueueOfDevice();
  return queue != nullptr ? *queue : CompileQueue::Global();
}

void WarnOnce(const absl::Status& status) {
  static bool warned = false;
  if (std::exchange(warned, true)) return;
  LogWarning(
      absl::StrCat("cannot compile, going on without: ", status.ToString()));
}

}  // namespace

JitMode ReadJitMode() {
  const std::string text = SettingString("FUSEAU_JIT", "1");
  if (text == "always") return JitMode::kAlways;
  if (text == "mixed") return JitMode::kMixed;
  return SettingBool("FUSEAU_JIT", true) ? JitMode::kAuto : JitMode::kNever;
}

Program::Program(ir::TraceWords words, JitMode mode)
    : mode_(mode), bytes_(sizeof(*this)) {
  const ir::Trace trace = ir::ReadTrace(words);
  for (const ir::TraceNode& node : trace.nodes) {
    const uint8_t raised = RaisedFloatErrors(node);
    if (raised == 0) continue;
    watched_ |= raised;
    suspects_.push_back({WordOf(node.op, node.watched), raised});
  }
  bytes_ += static_cast<int64_t>(suspects_.capacity() * sizeof(FloatErrors));
  auto made = Interpreter::Make(trace);
  if (made.ok()) {
    interpreter_ = *std::move(made);
    bytes_ += interpreter_->bytes();
  } else {
    status_ = made.status();
  }
}

Program::~Program() = default;

Program::State Program::state() const {
  State state;
  state.runs = runs_;
  state.compiled = plan_ != nullptr;
  state.compiling = job_ != nullptr;
  state.failed = failed_;
  if (interpreter_ != nullptr) state.seconds = interpreter_->seconds();
  return state;
}

Program::Choice Program::ByPlan() const {
  Choice choice;
  choice.plan = plan_.get();
  choice.seconds = plan_seconds_;
  return choice;
}

Program::Choice Program::ByInterpreter() const {
  Choice choice;
  choice.interpreter = interpreter_.get();
  choice.seconds = interpreter_->seconds();
  return choice;
}

// The plan is there.
Program::Choice Program::ByDevice(runtime::cuda::Device* device) {
  if (device_ != device) {
    CompileQueue::PlanPtr plan = plan_;
    if (QueueOfDevice() == nullptr) {
      auto with_kernels = std::make_shared<runtime::Plan>(*plan_);
      runtime::cuda::AddHostKernels(with_kernels.get());
      plan = std::move(with_kernels);
    }
    device_plan_ =
        std::make_unique<runtime::cuda::DevicePlan>(std::move(plan), device);
    device_ = device;
  }
  Choice choice = ByPlan();
  choice.device_plan = device_plan_.get();
  // The thread waits for transfers, if for nothing else.
  choice.seconds = std::max(choice.seconds, kDeviceSeconds);
  return choice;
}

// Whether the plan is there.
bool Program::TakePlan() {
  if (plan_ != nullptr) return true;
  if (job_ == nullptr || !job_->done()) return false;
  if (job_->plan().ok()) {
    plan_ = *job_->plan();
    plan_seconds_ = SecondsOf(*plan_);
    bytes_ += PlanBytes(*plan_);
  } else {
    // What is missing now may be there next time.
    failed_ = !absl::IsUnavailable(job_->plan().status());
    if (interpreter_ == nullptr) status_ = job_->plan().status();
    WarnOnce(job_->plan().status());
  }
  job_.reset();
  return plan_ != nullptr;
}

bool Program::WorthCompiling() const {
  return runs_ > 1 && spent_ >= kPatienceSeconds &&
         interpreter_->seconds() >= kShortestSeconds;
}

void Program::Request(ir::TraceWords words) {
  if (job_ != nullptr || failed_) return;
  job_ = QueueOfPlans().Add(ir::ReadTrace(words));
}

Program::Choice Program::ChooseChecked(ir::TraceWords words) {
  return interpreter_ != nullptr ? ByInterpreter() : Choose(words);
}

Program::Choice Program::ChooseForDevice(ir::TraceWords words,
                                         runtime::cuda::Device* device,
                                         absl::Span<const BufferRef> inputs) {
  if (mode_ == JitMode::kNever) return Choose(words);
  if (CurrentDevice() == DeviceMode::kAuto) {
    if (!TakePlan() || !DevicePays(*plan_, plan_seconds_, inputs))
      return Choose(words);
  }
  ++runs_;
  if (TakePlan()) return ByDevice(device);
  if (!failed_) Request(words);
  Choice choice;
  choice.wait = true;
  choice.device = device;
  choice.seconds = QueueOfPlans().ExpectedSeconds();
  return choice;
}

Program::Choice Program::Choose(ir::TraceWords words) {
  ++runs_;
  const bool ready = TakePlan();
  const bool other_turn = mode_ == JitMode::kMixed && runs_ % 2 == 1;
  if (ready && !(other_turn && interpreter_ != nullptr)) return ByPlan();
  bool wait = false;
  switch (mode_) {
    case JitMode::kNever:
      break;
    case JitMode::kAuto:
      wait = interpreter_ == nullptr ||
             interpreter_->seconds() * kSaved >=
                 QueueOfPlans().ExpectedSeconds() ||
             interpreter_->scratch_bytes() > kMaxScratch;
      break;
    case JitMode::kAlways:
      wait = true;
      break;
    case JitMode::kMixed:
      wait = interpreter_ == nullptr || !other_turn;
      break;
  }
  if (wait && !failed_) {
    Request(words);
    Choice choice;
    choice.wait = true;
    choice.seconds = QueueOfPlans().ExpectedSeconds();
    return choice;
  }
  if (interpreter_ == nullptr) {
    // Await tells why.
    Choice choice;
    choice.wait = true;
    return choice;
  }
  if (mode_ == JitMode::kAuto) {
    spent_ += interpreter_->seconds();
    if (WorthCompiling()) Request(words);
  }
  return ByInterpreter();
}

// A run by the interpreter, which notes errors; its results are dropped.
bool Program::RunAgain(ir::TraceWords words,
                       absl::Span<const runtime::BufferRef> inputs,
                       absl::Span<const runtime::ScalarValue> scalars) const {
  if (interpreter_ == nullptr || interpreter_->scratch_bytes() > kMaxScratch) {
    return false;
  }
  std::vector<runtime::BufferRef> own(inputs.begin(), inputs.end());
  if (interpreter_->overwrites_inputs()) {
    size_t i = 0;
    for (const ir::TraceNode& node : ir::ReadTrace(words).nodes) {
      if (node.op != ir::OpCode::kInput) continue;
      runtime::BufferRef& input = own[i++];
      if (!node.donated) continue;
      auto copy = runtime::Arena::Global().Allocate(input->bytes());
      if (!copy.ok()) return false;
      std::memcpy((*copy)->data(), input->read(),
                  static_cast<size_t>(input->bytes()));
      input = *std::move(copy);
    }
  }
  std::vector<runtime::BufferRef> outputs;
  return interpreter_->Run(own, scalars, nullptr, &outputs).ok();
}

void Program::FindFloatErrors(uint8_t flags, ir::TraceWords words,
                              absl::Span<const runtime::BufferRef> inputs,
                              absl::Span<const runtime::ScalarValue> scalars,
                              bool inputs_are_lost) {
  if (flags != found_flags_) {
    const std::vector<FloatErrors> before = TakeFloatErrors();
    const bool ran = !inputs_are_lost && RunAgain(words, inputs, scalars);
    if (!ran) {
      TakeFloatErrors();
      NoteFirstSuspects(suspects_, flags);
    }
    found_ = TakeFloatErrors();
    for (const FloatErrors& e : before) NoteFloatErrors(e.where, e.flags);
    // What was not found is looked for again.
    found_flags_ = found_.empty() ? 0 : flags;
  }
  for (const FloatErrors& e : found_) NoteFloatErrors(e.where, e.flags);
}

absl::Status Program::Await(const std::atomic<bool>* cancel, Choice* choice) {
  if (job_ != nullptr) {
    const bool done = QueueOfPlans().Wait(job_, cancel,
                                          interpreter_ != nullptr &&
                                                  mode_ != JitMode::kAlways &&
                                                  choice->device == nullptr
                                              ? kTimeOutSeconds
                                              : 1e9);
    if (!done && cancel != nullptr && cancel->load()) {
      return absl::CancelledError("interrupted");
    }
    if (!done) {
      WarnOnce(absl::DeadlineExceededError("the compiler takes too long"));
    }
  }
  if (TakePlan()) {
    *choice = choice->device != nullptr ? ByDevice(choice->device) : ByPlan();
    return absl::OkStatus();
  }
  if (interpreter_ == nullptr) return status_;
  *choice = ByInterpreter();
  return absl::OkStatus();
}

}  // namespace fuseau

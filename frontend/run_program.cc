#include "frontend/run_program.h"

#include "absl/strings/str_cat.h"
#include "frontend/float_errors.h"
#include "runtime/arena.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"
#include "runtime/cuda/executor.h"

namespace fuseau {
namespace {

// New memory below this is not asked for beforehand.
constexpr int64_t kLargeDemand = int64_t{1} << 20;

// A plan that writes to buffers it was given cannot be undone, so it must not
// run out of memory on the way.
absl::Status CheckDemand(const runtime::Plan& plan) {
  int64_t bytes = 0;
  for (const runtime::PlanBuffer& buffer : plan.buffers) {
    if (buffer.kind == runtime::BufferKind::kNew) bytes += buffer.bytes;
  }
  if (bytes < kLargeDemand) return absl::OkStatus();
  if (runtime::Arena::Global().HasRoom(bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "Unable to allocate ", runtime::arena_internal::SizeText(bytes)));
}

// Larger results stay on the device until somebody reads them.
constexpr int64_t kNumberBytes = 16;

absl::Status RunOnDevice(runtime::cuda::DevicePlan* plan,
                         const RunArguments& arguments,
                         const std::atomic<bool>* stop,
                         std::vector<runtime::BufferRef>* outputs) {
  runtime::ExecuteOptions options;
  options.cancel = stop;
  FUSEAU_RETURN_IF_ERROR(
      plan->Run(arguments.inputs, arguments.scalars, outputs, options));
  for (const runtime::BufferRef& output : *outputs) {
    if (output->bytes() > kNumberBytes) continue;
    const absl::Status status = output->ToHost();
    if (status.ok()) continue;
    outputs->clear();
    return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunProgram(Program* program, Program::Choice choice,
                        const RunArguments& arguments,
                        const std::atomic<bool>& cancel, bool* destroyed,
                        std::vector<runtime::BufferRef>* outputs) {
  if (choice.wait) {
    const profile::Scope scope(profile::Kind::kWait, "compiler");
    FUSEAU_RETURN_IF_ERROR(program->Await(&cancel, &choice));
  }
  // What is written in place could not be computed again, so it is finished.
  *destroyed = choice.plan != nullptr ? choice.plan->overwrites_inputs
                                      : choice.interpreter->overwrites_inputs();
  const std::atomic<bool>* stop = *destroyed ? nullptr : &cancel;
  if (choice.plan == nullptr) {
    const profile::Scope scope(profile::Kind::kInterpreter, "interpreter");
    return choice.interpreter->Run(arguments.inputs, arguments.scalars, stop,
                                   outputs, arguments.exchanger);
  }
  if (choice.device_plan != nullptr) {
    return RunOnDevice(choice.device_plan, arguments, stop, outputs);
  }
  if (*destroyed) {
    const absl::Status room = CheckDemand(*choice.plan);
    if (!room.ok()) {
      *destroyed = false;
      return room;
    }
  }
  runtime::ExecuteOptions options;
  options.cancel = stop;
  options.exchanger = arguments.exchanger;
  const uint8_t watched = program->watched();
  if (watched != 0) ClearFloatFlags();
  FUSEAU_RETURN_IF_ERROR(runtime::Execute(*choice.plan, arguments.inputs,
                                          arguments.scalars, outputs, options));
  const uint8_t flags = watched != 0 ? TestFloatFlags() & watched : 0;
  if (__builtin_expect(flags != 0, false)) {
    program->FindFloatErrors(
        flags, arguments.words, arguments.inputs, arguments.scalars,
        /*inputs_are_lost=*/*destroyed || arguments.exchanger != nullptr);
  }
  return absl::OkStatus();
}

}  // namespace fuseau

#include "runtime/cpu/plan_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"
#include "runtime/cpu/band_run.h"
#include "runtime/cpu/bytes.h"
#include "runtime/cpu/lagged_write.h"
#include "runtime/cpu/quick_call.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/cpu/strided_copy.h"
#include "runtime/cpu/sweep.h"
#include "runtime/routine.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

bool IsZeroFill(const Step& step) {
  return step.kind == Step::kFill &&
         std::all_of(step.fill, step.fill + step.fill_size,
                     [](char c) { return c == 0; });
}

// What is only read stays on the device that has it.
char* BytesOf(const Buffer& buffer, bool writes) {
  return writes ? buffer.data() : const_cast<char*>(buffer.read());
}

void CountLaunch(const Launch& launch) {
  Increment(Counter::kLaunches);
  Increment(Counter::kBytesMoved, launch.bytes);
  launch.kernel->launches.fetch_add(1, std::memory_order_relaxed);
  launch.kernel->bytes.fetch_add(launch.bytes, std::memory_order_relaxed);
}

// What a profile tells of a launch; of several it is the sum.
void Describe(const Launch& launch, profile::Event* event) {
  event->bytes += launch.bytes;
  event->flops += launch.flops;
  event->lines = profile::Evaluation::LinesOfNodes(launch.nodes);
  ++event->number;
}

// The same for launches that advance together.
void DescribeAll(const Plan& plan, absl::Span<const int32_t> launches,
                 profile::Event* event) {
  std::vector<int32_t> nodes;
  for (const int32_t index : launches) {
    const Launch& launch = plan.launches[index];
    Describe(launch, event);
    nodes.insert(nodes.end(), launch.nodes.begin(), launch.nodes.end());
  }
  event->lines = profile::Evaluation::LinesOfNodes(nodes);
}

std::string TogetherName(const Plan& plan, int32_t first, size_t count) {
  const std::string& name = plan.launches[first].kernel->name;
  return count == 1 ? name : absl::StrCat(name, " and ", count - 1, " more");
}

void Describe(const RoutineCall& call, profile::Event* event) {
  event->lines = profile::Evaluation::LinesOfNodes(call.nodes);
  event->flops = StepsOf(call);
  for (const PlanOperand& operand : call.operands) {
    int64_t bytes = ItemSize(operand.dtype);
    for (size_t d = 0; d < call.sizes.size(); ++d) {
      if (operand.strides[d] != 0) bytes *= call.sizes[d];
    }
    event->bytes += bytes;
  }
}

}  // namespace

PlanRun::PlanRun(const Plan& plan, absl::Span<const ScalarValue> scalars,
                 const ExecuteOptions& options)
    : plan_(plan), scalars_(scalars), slots_(plan.buffers.size()) {
  context_.pool =
      options.pool != nullptr ? options.pool : &ThreadPool::Global();
  context_.arena = options.arena != nullptr ? options.arena : &Arena::Global();
  context_.cancel = options.cancel;
  context_.exchanger = options.exchanger;
  results_ = options.results;
}

absl::Status PlanRun::Bind(absl::Span<const BufferRef> inputs) {
  if (static_cast<int64_t>(inputs.size()) != plan_.input_count ||
      static_cast<int64_t>(scalars_.size()) != plan_.scalar_count) {
    return absl::InternalError(
        absl::StrCat("the plan takes ", plan_.input_count, " buffers and ",
                     plan_.scalar_count, " scalars, not ", inputs.size(),
                     " and ", scalars_.size()));
  }
  for (size_t i = 0; i < plan_.buffers.size(); ++i) {
    const PlanBuffer& buffer = plan_.buffers[i];
    if (buffer.kind != BufferKind::kInput) continue;
    const BufferRef& input = inputs[buffer.index];
    if (!input || input->bytes() < buffer.bytes) {
      return absl::InternalError(absl::StrCat(
          "input ", buffer.index, " of the plan is a buffer of ",
          input ? input->bytes() : 0, " bytes, less than ", buffer.bytes));
    }
    slots_[i].buffer = input.get();
  }
  for (size_t i = 0; i < results_.size(); ++i) {
    const int64_t bytes = plan_.buffers[plan_.outputs[i]].bytes;
    if (results_[i] && results_[i]->bytes() < bytes) {
      return absl::InternalError(
          absl::StrCat("there are ", results_[i]->bytes(), " bytes for result ",
                       i, " of the plan, less than ", bytes));
    }
  }
  return absl::OkStatus();
}

const BufferRef* PlanRun::Given(int32_t buffer) const {
  for (size_t i = 0; i < results_.size(); ++i)
    if (plan_.outputs[i] == buffer && results_[i]) return &results_[i];
  return nullptr;
}

// Targets of exchanges under way are buffers of this run.
PlanRun::~PlanRun() {
  if (context_.under_way > 0) context_.exchanger->Drop();
}

absl::Status PlanRun::Steps() {
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    FUSEAU_RETURN_IF_ERROR(context_.Check());
    context_.Tick();
    const Step& step = plan_.steps[i];
    // Fresh pages are zero: a fill with zeros then costs nothing.
    if (step.kind == Step::kAllocate && i + 1 < plan_.steps.size() &&
        Given(step.buffer) == nullptr && IsZeroFill(plan_.steps[i + 1]) &&
        plan_.steps[i + 1].buffer == step.buffer) {
      FUSEAU_RETURN_IF_ERROR(Allocate(step.buffer, /*zeros=*/true));
      ++i;
    } else {
      FUSEAU_RETURN_IF_ERROR(Do(step));
    }
  }
  return absl::OkStatus();
}

absl::Status PlanRun::Do(const Step& step) {
  switch (step.kind) {
    case Step::kAllocate:
      return Allocate(step.buffer, /*zeros=*/false);
    case Step::kFree:
      slots_[step.buffer] = Slot();
      return absl::OkStatus();
    case Step::kCopy:
      Copy(step);
      return absl::OkStatus();
    case Step::kFill:
      Fill(step);
      return absl::OkStatus();
    case Step::kLaunch:
      return RunLaunch(plan_.launches[step.launch]);
    case Step::kRoutine:
      return RunRoutine(plan_.routines[step.launch]);
    case Step::kStart:
      return Start(plan_.routines[step.launch]);
    case Step::kFinish:
      return Finish(plan_.routines[step.launch]);
    case Step::kMove:
      RunMove(step);
      return absl::OkStatus();
    case Step::kBands:
      return RunGroup(plan_.groups[step.group]);
    case Step::kSweep:
      return RunSweep(plan_.sweeps[step.launch]);
  }
  return absl::InternalError("unknown step");
}

void PlanRun::Fill(const Step& step) const {
  const int64_t bytes = plan_.buffers[step.buffer].bytes;
  profile::Scope scope(profile::Kind::kCopy, "fill");
  scope.event().bytes = bytes;
  FillElements(slots_[step.buffer].buffer->data(), step.fill, step.fill_size,
               bytes);
  Increment(Counter::kBytesMoved, bytes);
}

void PlanRun::TakeOutputs(absl::Span<const BufferRef> inputs,
                          std::vector<BufferRef>* outputs) const {
  outputs->reserve(plan_.outputs.size());
  for (int32_t i : plan_.outputs) {
    const PlanBuffer& buffer = plan_.buffers[i];
    outputs->push_back(buffer.kind == BufferKind::kInput ? inputs[buffer.index]
                                                         : slots_[i].owned);
  }
}

absl::Status PlanRun::Allocate(int32_t buffer, bool zeros) {
  const int64_t bytes = plan_.buffers[buffer].bytes;
  Slot& slot = slots_[buffer];
  if (const BufferRef* given = Given(buffer)) {
    slot.Set(*given);
    return absl::OkStatus();
  }
  FUSEAU_ASSIGN_OR_RETURN(slot.owned,
                          zeros ? context_.arena->AllocateZeroed(bytes)
                                : context_.arena->Allocate(bytes));
  slot.buffer = slot.owned.get();
  return absl::OkStatus();
}

void PlanRun::Copy(const Step& step) const {
  profile::Scope scope(profile::Kind::kCopy, "copy");
  char* const to = slots_[step.buffer].buffer->data();
  const char* const from = slots_[step.source].buffer->read();
  int64_t bytes = plan_.buffers[step.source].bytes;
  if (step.launch < 0) {
    CopyBytes(to, from, bytes);
  } else {
    bytes = 0;
    for (const CopyPart& part : plan_.copies[step.launch]) {
      CopyStrided(to + part.offset, part.strides, from + part.offset,
                  part.strides, part.sizes, part.bytes);
      bytes += part.bytes * Count(part.sizes);
    }
  }
  scope.event().bytes = 2 * bytes;
  Increment(Counter::kBytesMoved, 2 * bytes);
}

// The launch with the addresses of its buffers, but for tiles of a sweep.
absl::StatusOr<Arguments> PlanRun::Bind(const Launch& launch) const {
  Arguments args(launch);
  for (size_t i = 0; i < launch.operands.size(); ++i) {
    const PlanOperand& operand = launch.operands[i];
    if (operand.buffer == kIotaBuffer ||
        plan_.buffers[operand.buffer].kind == BufferKind::kTile) {
      continue;
    }
    const Buffer* buffer = slots_[operand.buffer].buffer;
    if (buffer == nullptr) {
      return absl::InternalError(
          absl::StrCat("kernel ", launch.kernel->name, " needs buffer ",
                       operand.buffer, ", which does not exist at this step"));
    }
    const bool writes = static_cast<int32_t>(i) >= launch.input_count;
    args.set_pointer(static_cast<int>(i),
                     BytesOf(*buffer, writes) + operand.offset);
  }
  for (size_t i = 0; i < launch.scalars.size(); ++i) {
    args.set_scalar(static_cast<int>(i), scalars_[launch.scalars[i]].bytes);
  }
  return args;
}

void PlanRun::RunQuick(const Launch& launch) const {
  const QuickCall& quick = *launch.quick;
  int64_t block[kMaxQuickSlots];
  std::copy(quick.block.begin(), quick.block.end(), block);
  for (const QuickCall::Address& address : quick.addresses) {
    block[address.slot] +=
        reinterpret_cast<int64_t>(slots_[address.buffer].buffer->data());
  }
  for (size_t i = 0; i < launch.scalars.size(); ++i) {
    std::memcpy(&block[quick.first_scalar + 2 * i],
                scalars_[launch.scalars[i]].bytes, 16);
  }
  CountLaunch(launch);
  launch.kernel->fn(0, quick.rows, block);
}

absl::Status PlanRun::RunLaunch(const Launch& launch) {
  profile::Scope scope(profile::Kind::kKernel, launch.kernel->name);
  if (scope.noted()) Describe(launch, &scope.event());
  if (launch.quick) {
    RunQuick(launch);
    return absl::OkStatus();
  }
  FUSEAU_ASSIGN_OR_RETURN(const Arguments args, Bind(launch));
  CountLaunch(launch);
  if (!launch.lagged.empty()) return RunLagged(launch, args, context_);
  switch (launch.split) {
    case Split::kSerial:
    case Split::kRows:
      return RunRows(launch, args, context_);
    case Split::kTree:
      return RunTree(launch, args, context_);
  }
  return absl::InternalError("unknown split");
}

absl::Status PlanRun::RunRoutine(const RoutineCall& call) {
  profile::Scope scope(profile::Kind::kRoutine,
                       profile::On() ? RoutineName(call.fn) : "");
  if (scope.noted()) Describe(call, &scope.event());
  absl::InlinedVector<char*, 5> addresses;
  for (const PlanOperand& operand : call.operands)
    addresses.push_back(AddressOf(operand, &operand == &call.output()));
  Increment(Counter::kRoutines);
  return call.fn(call, addresses, context_);
}

char* PlanRun::AddressOf(const PlanOperand& operand, bool writes) const {
  return BytesOf(*slots_[operand.buffer].buffer, writes) + operand.offset;
}

absl::Status PlanRun::Start(const RoutineCall& call) {
  FUSEAU_RETURN_IF_ERROR(CheckExchanger(context_));
  Increment(Counter::kRoutines);
  FUSEAU_RETURN_IF_ERROR(context_.exchanger->Start(
      call.attribute, AddressOf(call.operands[0], false),
      AddressOf(call.output(), true)));
  ++context_.under_way;
  return absl::OkStatus();
}

absl::Status PlanRun::Finish(const RoutineCall& call) {
  FUSEAU_RETURN_IF_ERROR(
      context_.exchanger->Finish(call.attribute, context_.cancel));
  --context_.under_way;
  return absl::OkStatus();
}

void PlanRun::RunMove(const Step& step) const {
  const Move& move = plan_.moves[step.launch];
  CopyBytes(slots_[step.buffer].buffer->data() + move.to,
            slots_[step.source].buffer->read() + move.from, move.bytes);
  Increment(Counter::kBytesMoved, 2 * move.bytes);
}

absl::Status PlanRun::RunGroup(const BandGroup& group) {
  if (!BandsSuit(group, context_)) {
    for (const BandMember& member : group.members) {
      FUSEAU_RETURN_IF_ERROR(context_.Check());
      FUSEAU_RETURN_IF_ERROR(RunLaunch(plan_.launches[member.launch]));
    }
    return absl::OkStatus();
  }
  profile::Scope scope(
      profile::Kind::kKernel,
      profile::On()
          ? TogetherName(plan_, group.members[0].launch, group.members.size())
          : std::string());
  if (scope.noted()) {
    std::vector<int32_t> all;
    for (const BandMember& member : group.members) all.push_back(member.launch);
    DescribeAll(plan_, all, &scope.event());
  }
  std::vector<BoundLaunch> launches;
  launches.reserve(group.members.size());
  for (const BandMember& member : group.members) {
    const Launch& launch = plan_.launches[member.launch];
    FUSEAU_ASSIGN_OR_RETURN(Arguments args, Bind(launch));
    CountLaunch(launch);
    launches.push_back({&launch, std::move(args)});
  }
  return RunBands(group, launches, context_);
}

absl::Status PlanRun::RunSweep(const Sweep& sweep) {
  profile::Scope scope(profile::Kind::kKernel,
                       profile::On() ? TogetherName(plan_, sweep.launches[0],
                                                    sweep.launches.size())
                                     : std::string());
  if (scope.noted()) DescribeAll(plan_, sweep.launches, &scope.event());
  std::vector<SweepLaunch> launches;
  for (size_t i = 0; i < sweep.launches.size(); ++i) {
    const Launch& launch = plan_.launches[sweep.launches[i]];
    FUSEAU_ASSIGN_OR_RETURN(Arguments args, Bind(launch));
    CountLaunch(launch);
    launches.push_back({&launch, std::move(args), sweep.first[i]});
  }
  return RunTiles(sweep, launches, context_);
}

}  // namespace fuseau::runtime

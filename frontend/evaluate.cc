#include "frontend/evaluate.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "frontend/ahead.h"
#include "frontend/cone.h"
#include "frontend/deferred_drops.h"
#include "frontend/device.h"
#include "frontend/direct_run.h"
#include "frontend/evaluation_lock.h"
#include "frontend/exposure.h"
#include "frontend/float_errors.h"
#include "frontend/host.h"
#include "frontend/plan_cache.h"
#include "frontend/profile.h"
#include "frontend/program.h"
#include "frontend/ranks.h"
#include "frontend/run_program.h"
#include "runtime/arena.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/executor.h"
#include "runtime/stats.h"

namespace fuseau {
namespace {

using runtime::BufferRef;

// Values of fewer bytes than this are computed before anybody can interrupt it.
constexpr int64_t kLongWork = int64_t{8} << 20;
// Shorter work is done without letting other threads of the language run: to
// stop and to go on costs as much.
constexpr double kQuickSeconds = 5e-6;
constexpr int64_t kPlanCacheBytes = int64_t{64} << 20;
// To make a program takes as long as to compute a small trace directly five
// times, and saves a sixth of that each time.
constexpr int kDirectRuns = 4;

// Under the evaluation lock.
PlanCache& Plans() {
  static auto* const plans =
      new PlanCache(SettingInt("FUSEAU_PLAN_CACHE_BYTES", kPlanCacheBytes));
  return *plans;
}

// Under the evaluation lock.
DirectRun& TheDirectRun() {
  static auto* const run = new DirectRun;
  return *run;
}

// Null if the trace is taken by the direct run.
Program* ProgramOf(const Cone& cone) {
  const ir::TraceWords words = cone.trace();
  // What ranks expect are their own programs.
  Program* program = cone.as_expected() && Ranks::active() == nullptr
                         ? Plans().FindExpected()
                         : Plans().Find(words);
  if (program != nullptr) {
    runtime::IncrementAlone(runtime::Counter::kPlanHits);
    return program;
  }
  runtime::Increment(runtime::Counter::kPlanMisses);
  static const JitMode mode = ReadJitMode();
  if (mode == JitMode::kAuto && !OnlyDevice() &&
      Plans().TimesMissed() <= kDirectRuns && TheDirectRun().Take(words)) {
    return nullptr;
  }
  return Plans().Insert(words, std::make_unique<Program>(words, mode));
}

// On all ranks of the job, if that pays. `*done` tells whether it was done.
absl::Status RunOnRanks(Cone* cone, bool* done) {
  std::atomic<bool> cancel{false};
  const bool interruptible = evaluation_host.begin_interruptible != nullptr &&
                             evaluation_host.begin_interruptible(&cancel);
  const absl::Status status = Ranks::active()->Run(cone, cancel, done);
  if (interruptible) evaluation_host.end_interruptible();
  if (status.ok() && *done) RestartWindow(Graph::Get());
  return status;
}

absl::Status RunDirectly(const Cone& cone, bool* destroyed,
                         std::vector<BufferRef>* outputs) {
  runtime::IncrementAlone(runtime::Counter::kDirectRuns);
  const profile::Scope scope(profile::Kind::kDirect, "direct run");
  DirectRun& run = TheDirectRun();
  if (run.seconds() < kQuickSeconds) {
    return run.Run(cone.inputs(), cone.scalars(), destroyed, outputs);
  }
  Released released;
  return run.Run(cone.inputs(), cone.scalars(), destroyed, outputs);
}

absl::Status RunBy(Program* program, const Cone& cone, bool* destroyed,
                   std::vector<BufferRef>* outputs) {
  runtime::cuda::Device* device = nullptr;
  if (__builtin_expect(CurrentDevice() != DeviceMode::kCpu, false)) {
    FUSEAU_ASSIGN_OR_RETURN(device, EvaluationDevice());
  }
  const Program::Choice choice =
      float_errors_at_once ? program->ChooseChecked(cone.trace())
      : device != nullptr
          ? program->ChooseForDevice(cone.trace(), device, cone.inputs())
          : program->Choose(cone.trace());
  const RunArguments arguments = {cone.trace(), cone.inputs(), cone.scalars()};
  std::atomic<bool> cancel{false};
  if (choice.seconds < kQuickSeconds) {
    return RunProgram(program, choice, arguments, cancel, destroyed, outputs);
  }
  const bool interruptible = (choice.wait || cone.bytes() >= kLongWork) &&
                             evaluation_host.begin_interruptible != nullptr &&
                             evaluation_host.begin_interruptible(&cancel);
  absl::Status status;
  {
    Released released;
    status = RunProgram(program, choice, arguments, cancel, destroyed, outputs);
  }
  if (interruptible) evaluation_host.end_interruptible();
  return status;
}

// Whether the cone depends on no argument of what is compiled ahead of time.
absl::Status CheckKnown(const Cone& cone) {
  if (Ranks::active() != nullptr) return absl::OkStatus();
  for (const Node* node : cone.input_nodes()) {
    if (node->state == NodeState::kAway) return NeedsArgument();
  }
  return absl::OkStatus();
}

absl::Status RunCone(Cone* cone, std::vector<BufferRef>* outputs) {
  runtime::IncrementAlone(runtime::Counter::kWindows);
  if (__builtin_expect(Ranks::active() != nullptr, false)) {
    bool done = false;
    FUSEAU_RETURN_IF_ERROR(RunOnRanks(cone, &done));
    if (done) return absl::OkStatus();
  }
  bool destroyed = false;
  Program* const program = ProgramOf(*cone);
  const absl::Status status = program == nullptr
                                  ? RunDirectly(*cone, &destroyed, outputs)
                                  : RunBy(program, *cone, &destroyed, outputs);
  if (status.ok()) {
    cone->Attach(outputs);
    RestartWindow(Graph::Get());
  } else if (destroyed) {
    cone->Lose();
  }
  return status;
}

// The same, noted with the lines that recorded the work and the one that wants
// it.
absl::Status RunNoted(Cone* cone, std::vector<BufferRef>* outputs) {
  const std::vector<int32_t> node_lines = cone->Lines();
  const profile::Evaluation lines(node_lines);
  NoteGraph(*cone, node_lines);
  profile::Scope scope(profile::Kind::kEvaluation, "evaluation");
  scope.event().bytes = cone->bytes();
  scope.event().number = static_cast<uint64_t>(cone->operations());
  if (evaluation_host.line != nullptr) {
    scope.event().line = evaluation_host.line();
  }
  return RunCone(cone, outputs);
}

absl::Status Run(Cone* cone, std::vector<BufferRef>* outputs) {
  if (cone->empty()) return absl::OkStatus();
  if (__builtin_expect(traced_ahead, false)) {
    FUSEAU_RETURN_IF_ERROR(CheckKnown(*cone));
  }
  return profile::On() ? RunNoted(cone, outputs) : RunCone(cone, outputs);
}

// Under the evaluation lock; empty between evaluations.
Cone& TheCone() {
  static auto* const cone = new Cone;
  const Ranks* ranks = Ranks::active();
  cone->Expect(__builtin_expect(ranks != nullptr, false) ? ranks->Expected()
                                                         : Plans().Expected());
  return *cone;
}

// Computes what was collected.
absl::Status Finish(Cone* cone, absl::Status status) {
  static auto* const outputs = new std::vector<BufferRef>;
  if (status.ok()) status = Run(cone, outputs);
  cone->Clear();
  outputs->clear();
  return status;
}

// Ranks that all run the program agree on what is computed and on who is alive.
absl::Status Settle(absl::Span<Node* const> roots) {
  Ranks* const ranks = Ranks::active();
  if (__builtin_expect(ranks == nullptr, true)) return absl::OkStatus();
  return ranks->Settle(roots);
}

absl::Status Locked(absl::Span<Node* const> roots, Node* overwritten,
                    Node* donated) {
  FUSEAU_RETURN_IF_ERROR(Settle(roots));
  Cone& cone = TheCone();
  return Finish(&cone, cone.Collect(roots, overwritten, donated));
}

// Under the evaluation lock.
absl::Status FetchAway(Node* node) {
  if (node->state != NodeState::kAway) return absl::OkStatus();
  if (Ranks* ranks = Ranks::active()) return ranks->Fetch(node);
  if (traced_ahead) return NeedsArgument();
  return absl::DataLossError("the value is on ranks that are gone");
}

absl::Status CheckNotLost(const Node* node) {
  if (node->state != NodeState::kLost) return absl::OkStatus();
  return absl::DataLossError(
      "the value was lost when an earlier evaluation failed");
}

}  // namespace

absl::Status Compute(absl::Span<Node* const> nodes) {
  bool pending = false;
  for (const Node* node : nodes) {
    FUSEAU_RETURN_IF_ERROR(CheckNotLost(node));
    pending |= node->pending();
  }
  if (!pending) return absl::OkStatus();
  // Other threads may drop their arrays while this one waits.
  absl::InlinedVector<NodeRef, 1> alive;
  for (Node* node : nodes) alive.emplace_back(node);
  {
    EvaluationLock lock;
    FUSEAU_RETURN_IF_ERROR(Locked(nodes, nullptr, nullptr));
  }
  // The language may run a program of its own now, which may evaluate.
  return ReportFloatErrors();
}

absl::Status Evaluate(absl::Span<Node* const> nodes) {
  FUSEAU_RETURN_IF_ERROR(Compute(nodes));
  for (Node* node : nodes) {
    if (node->state == NodeState::kReady) {
      FUSEAU_RETURN_IF_ERROR(node->buffer->ToHost());
    }
    if (__builtin_expect(node->state != NodeState::kAway, true)) continue;
    const NodeRef alive(node);
    EvaluationLock lock;
    FUSEAU_RETURN_IF_ERROR(FetchAway(node));
  }
  return absl::OkStatus();
}

absl::Status EvaluateAll() {
  Graph& graph = Graph::Get();
  if (graph.first_pending() == nullptr) {
    RestartWindow(graph);
    return absl::OkStatus();
  }
  {
    EvaluationLock lock;
    FUSEAU_RETURN_IF_ERROR(Settle({}));
    Cone& cone = TheCone();
    FUSEAU_RETURN_IF_ERROR(Finish(&cone, cone.CollectAll()));
  }
  return ReportFloatErrors();
}

absl::Status FetchAllAway() {
  EvaluationLock lock;
  Ranks* const ranks = Ranks::active();
  return ranks != nullptr ? ranks->FetchAll() : absl::OkStatus();
}

absl::Status Foresee(Node* node, ir::Trace* trace, Program::State* state) {
  EvaluationLock lock;
  Cone& cone = TheCone();
  const absl::Status status = cone.Collect({&node, 1}, nullptr, nullptr);
  if (status.ok()) {
    *trace = ir::ReadTrace(cone.trace());
    if (Program* program = Plans().Find(cone.trace()))
      *state = program->state();
  }
  cone.Clear();
  return status;
}

void HoldEvaluations() { EvaluationLock::Hold(); }

void LetEvaluationsGo() { EvaluationLock::LetGo(); }

absl::Status EndWindow() {
  FUSEAU_RETURN_IF_ERROR(EvaluateAll());
  BeginWindow(Graph::Get());
  return absl::OkStatus();
}

namespace {

// What ranks that all run the program find before a window may have to end:
// temporary values that they have dropped need no memory, and what was exposed
// may not be so any more.
absl::Status SettleWindow() {
  Graph& graph = Graph::Get();
  if (graph.pending_bytes() >= window.max_bytes) {
    EvaluationLock lock;
    FUSEAU_RETURN_IF_ERROR(Settle({}));
  }
  if (!graph.read_exposed) return absl::OkStatus();
  const std::vector<BaseRef> bases = graph.deferred->TakeExposedReads();
  FUSEAU_RETURN_IF_ERROR(EndExposures(bases));
  graph.read_exposed =
      std::any_of(bases.begin(), bases.end(),
                  [](const BaseRef& base) { return base->exposed != 0; });
  return absl::OkStatus();
}

}  // namespace

absl::Status CutWindow(Node* recorded, bool write) {
  Graph& graph = Graph::Get();
  if (graph.deferred != nullptr) FUSEAU_RETURN_IF_ERROR(SettleWindow());
  const bool at_once = window.due || window.operations == 0 ||
                       graph.pending_bytes() >= window.max_bytes;
  const bool full = graph.recorded() >= window.next_cut;
  window.due |= full && EndsHere(graph, write);
  const bool read_exposed = std::exchange(graph.read_exposed, false);
  if (at_once) return EndWindow();
  return read_exposed ? Evaluate({&recorded, 1}) : absl::OkStatus();
}

absl::Status EnsureBuffer(Node* node) {
  FUSEAU_RETURN_IF_ERROR(CheckNotLost(node));
  if (node->state == NodeState::kAway) return Evaluate({&node, 1});
  if (node->state != NodeState::kValue) return absl::OkStatus();
  FUSEAU_ASSIGN_OR_RETURN(BufferRef buffer,
                          runtime::Arena::Global().Allocate(node->bytes));
  std::memcpy(buffer->data(), node->operands[0].scalar, node->bytes);
  Graph::Get().SetReady(node, std::move(buffer));
  return absl::OkStatus();
}

absl::Status ReadElement(const Array& array, char out[16]) {
  Node* node = array.node();
  // The base may get another value while this thread waits.
  const NodeRef alive(node->pending() ? node : nullptr);
  FUSEAU_RETURN_IF_ERROR(Compute({&node, 1}));
  if (node->state == NodeState::kAway && Ranks::active() != nullptr) {
    EvaluationLock lock;
    return Ranks::active()->FetchBytes(node, array.offset(), array.item_size(),
                                       out);
  }
  if (node->state == NodeState::kAway) {
    FUSEAU_RETURN_IF_ERROR(Evaluate({&node, 1}));
  }
  FUSEAU_RETURN_IF_ERROR(CheckNotLost(node));
  if (node->state == NodeState::kReady) {
    return node->buffer->Read(array.offset(), array.item_size(), out);
  }
  std::memcpy(out, node->operands[0].scalar + array.offset(),
              static_cast<size_t>(array.item_size()));
  return absl::OkStatus();
}

absl::Status Expose(Base* base) {
  if (base->exposed > 0) {
    ++base->exposed;
    return absl::OkStatus();
  }
  Node* node = base->cur;
  FUSEAU_RETURN_IF_ERROR(Evaluate({&node, 1}));
  Graph& graph = Graph::Get();
  // Another thread may have written while this one waited.
  if (base->cur != node) return Expose(base);
  FUSEAU_RETURN_IF_ERROR(EnsureBuffer(node));
  graph.DropRankValue(node);
  bool owns;
  if (__builtin_expect(graph.deferred == nullptr, true)) {
    owns = OwnsMemory(node);
  } else {
    // It may give the node another buffer, which no evaluation reads.
    const NodeRef alive(node);
    const EvaluationLock lock;
    if (base->cur != node) return Expose(base);
    owns = OwnsMemory(node);
  }
  if (node->base_refs > 1 || !owns) {
    // Others have the same storage: this base gets its own.
    FUSEAU_ASSIGN_OR_RETURN(BufferRef buffer,
                            runtime::Arena::Global().Allocate(node->bytes));
    std::memcpy(buffer->data(), node->buffer->read(), node->bytes);
    graph.SetCurrent(base, graph.NewReady(std::move(buffer), node->bytes));
  } else if (node->refs > 1) {
    node->exposed = true;
    absl::Status status;
    {
      EvaluationLock lock;
      if (base->cur == node) status = Locked({}, node, nullptr);
    }
    node->exposed = false;
    FUSEAU_RETURN_IF_ERROR(status);
    if (base->cur != node) return Expose(base);
  }
  ++base->exposed;
  SetExposed(base->cur, true);
  return absl::OkStatus();
}

void Unexpose(Base* base) {
  if (--base->exposed == 0) SetExposed(base->cur, false);
}

void LetGo(Base* base) {
  if (Graph::Get().deferred != nullptr) {
    ++base->ended;
  } else {
    Unexpose(base);
  }
}

absl::Status EndExposures(absl::Span<const BaseRef> bases) {
  if (Graph::Get().deferred == nullptr) return absl::OkStatus();
  EvaluationLock lock;
  return Ranks::active()->EndExposures(bases);
}

bool OwnsMemory(Node* node) {
  if (node->buffer->Unique()) return true;
  if (Graph::Get().deferred == nullptr) return false;
  auto own = runtime::Arena::Global().Allocate(node->bytes);
  if (!own.ok()) return false;
  std::memcpy((*own)->data(), node->buffer->read(),
              static_cast<size_t>(node->bytes));
  node->buffer = *std::move(own);
  return true;
}

absl::Status StoreExposed(Base* base, NodeRef node) {
  Graph& graph = Graph::Get();
  const NodeRef old(base->cur);
  {
    // Nobody names the old value for as long as the new one is computed.
    EvaluationLock lock;
    Node* root = node.get();
    FUSEAU_RETURN_IF_ERROR(Locked({&root, 1}, nullptr, old.get()));
  }
  graph.read_exposed = false;
  if (graph.deferred != nullptr) graph.deferred->TakeExposedReads();
  FUSEAU_RETURN_IF_ERROR(EnsureBuffer(node.get()));
  FUSEAU_RETURN_IF_ERROR(node->buffer->ToHost());
  if (node->buffer->data() != old->buffer->data()) {
    std::memmove(old->buffer->data(), node->buffer->data(),
                 static_cast<size_t>(old->bytes));
  }
  return absl::OkStatus();
}

}  // namespace fuseau

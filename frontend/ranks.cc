#include "frontend/ranks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "frontend/evaluate.h"
#include "frontend/float_errors.h"
#include "frontend/host.h"
#include "frontend/rank_profile.h"
#include "frontend/window.h"
#include "runtime/arena.h"
#include "runtime/base/log.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau {
namespace {

using passes::Distribution;
using runtime::BufferRef;

// Programs are forgotten, all at once, when there are more than so many: a
// simple rule that is the same on all ranks.
constexpr size_t kMaxEntries = 4096;
// The least bytes of a part; a value of less than two is not cut.
constexpr int64_t kPartitionBytes = int64_t{512} << 10;

Distribution Whole() { return {}; }
Distribution AtRoot() {
  Distribution root;
  root.kind = Distribution::kRoot;
  return root;
}

// The largest step with which operations of a trace go through the value of a
// node: its rows, by all that can be seen.
int64_t PitchOf(const ir::Trace& trace, int32_t node, int64_t bytes) {
  int64_t pitch = 0;
  auto look = [&](absl::Span<const int64_t> strides,
                  absl::Span<const int64_t> shape) {
    for (size_t d = 0; d < strides.size(); ++d) {
      const int64_t step = std::abs(strides[d]);
      if (shape[d] > 1 && step < bytes) pitch = std::max(pitch, step);
    }
  };
  for (const ir::TraceNode& n : trace.nodes) {
    for (size_t k = 0; k < n.operands.size(); ++k) {
      if (n.operands[k].value != node) continue;
      const bool whole = n.op == ir::OpCode::kUpdate && k == 0;
      look(whole ? n.write_strides : n.operands[k].strides, n.shape);
    }
  }
  constexpr int64_t kElement = 16;  // of the largest type
  if (pitch == 0) return kElement;
  return pitch % 8 == 0 ? pitch : pitch * kElement;
}

// What is gathered and smaller than this is not worth a word.
constexpr int64_t kLargeGather = int64_t{16} << 20;

// Whether there was a word of this function before.
bool Told(absl::string_view name) {
  static auto* const told = new absl::flat_hash_set<std::string>;
  return !told->emplace(name).second;
}

// Of operations on large values, once for each.
void WarnOfGathers(const RankProgram& program,
                   absl::Span<const Distribution> inputs) {
  int64_t largest = 0;
  for (const Distribution& input : inputs) {
    if (!input.cuts.empty()) largest = std::max(largest, input.cuts.back());
  }
  for (const int64_t bytes : program.output_bytes()) {
    largest = std::max(largest, bytes);
  }
  if (largest < kLargeGather) return;
  for (const char* name : program.partition().gathered) {
    if (!Told(name)) {
      LogWarning(absl::StrCat("`", name,
                              "` is computed whole by every rank: its operands "
                              "are gathered"));
    }
  }
}

// What a rank does that gives a command, as its words for others.
absl::string_view ActOf(const WireWriter& command) {
  switch (static_cast<RankCommand>(command.words()[0])) {
    case RankCommand::kRun:
    case RankCommand::kDefine:
    case RankCommand::kForget:
    case RankCommand::kPlace:
      return "computes arrays";
    case RankCommand::kFetch:
    case RankCommand::kFetchRange:
      return "reads an array";
    case RankCommand::kStore:
      return "writes an array to a file";
    case RankCommand::kLoad:
      return "reads an array from a file";
    case RankCommand::kProfile:
      return "begins or ends a profile";
    case RankCommand::kFree:
      return "frees arrays";
    case RankCommand::kStop:
      return "ends";
  }
  return "gives a command that there is not";
}

uint8_t NotedFlags() {
  uint8_t flags = 0;
  const std::vector<FloatErrors> noted = TakeFloatErrors();
  for (const FloatErrors& e : noted) {
    flags |= e.flags;
    NoteFloatErrors(e.where, e.flags);
  }
  return flags;
}

}  // namespace

Ranks* Ranks::active_ = nullptr;

// Nodes are dropped wherever they are dropped; in a process that has left its
// job nobody is to be told.
void Graph::ReleaseRankValue(Node* node) {
  RankValue* const value = std::exchange(node->rank_value, nullptr);
  if (Ranks* ranks = Ranks::active()) ranks->Release(node, value);
  delete value;
}

// What waits to be computed is in the memory of all hosts later.
Ranks::Ranks(std::unique_ptr<distrib::Group> group, Mode mode)
    : group_(std::move(group)), mode_(mode), window_bytes_(window.max_bytes) {
  if (__builtin_mul_overflow(window_bytes_, int64_t{group_->hosts()},
                             &window.max_bytes)) {
    window.max_bytes = INT64_MAX;
  }
  options_.min_bytes = SettingInt("FUSEAU_PARTITION_BYTES", kPartitionBytes);
  options_.max_whole_bytes =
      SettingInt("FUSEAU_GATHER_BYTES", options_.max_whole_bytes);
  if (mode_ != Mode::kSpmd) return;
  Graph::Get().deferred = &drops_;
  Graph::Get().journal = &journal_;
}

Ranks::~Ranks() { window.max_bytes = window_bytes_; }

void Ranks::ForgetJob() {
  active_ = nullptr;
  Graph::Get().deferred = nullptr;
  Graph::Get().journal = nullptr;
}

void Ranks::Join(std::unique_ptr<distrib::Group> group, Mode mode) {
  if (group->size() == 1) return;
  Activate(std::unique_ptr<Ranks>(new Ranks(std::move(group), mode)));
}

void Ranks::Activate(std::unique_ptr<Ranks> ranks) {
  FUSEAU_CHECK(active_ == nullptr);
  // A child process can reach nobody: what is away is lost there.
  static const int watched = pthread_atfork(nullptr, nullptr, ForgetJob);
  FUSEAU_CHECK(watched == 0);
  active_ = ranks.release();
}

absl::Status Ranks::MayGather(absl::string_view name, int64_t bytes) const {
  if (bytes > options_.max_whole_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(name, " is computed by one rank and needs ", bytes,
                     " bytes of arrays in parts there, more than the ",
                     options_.max_whole_bytes, " of FUSEAU_GATHER_BYTES"));
  }
  if (bytes >= kLargeGather && !Told(name)) {
    LogWarning(absl::StrCat("`", name,
                            "` is computed by one rank: its operands are "
                            "gathered there"));
  }
  return absl::OkStatus();
}

void Ranks::Hold(Node* node, RankValue* value) {
  node->rank_value = value;
  holders_.insert(node);
}

void Ranks::Release(Node* node, const RankValue* value) {
  holders_.erase(node);
  if (mode_ == Mode::kController) freed_.push_back(value->id);
}

int32_t Ranks::LayoutOf(const Distribution& distribution) {
  for (size_t i = layouts_.size(); i-- > 0;) {
    if (layouts_[i] == distribution) return static_cast<int32_t>(i);
  }
  layouts_.push_back(distribution);
  return static_cast<int32_t>(layouts_.size() - 1);
}

std::unique_ptr<RankValue> Ranks::NewValue(int64_t bytes,
                                           const Distribution& distribution) {
  auto value = std::make_unique<RankValue>();
  value->id = next_id_++;
  value->held.bytes = bytes;
  value->held.distribution = distribution;
  value->layout = LayoutOf(distribution);
  return value;
}

// Where every rank runs the program, the command is what each would send: all
// must be alike.
absl::Status Ranks::Send(const WireWriter& command) {
  if (mode_ == Mode::kController) return group_->SendCommand(command.bytes());
  distrib::Outcome mine;
  mine.stamp = ir::HashWords(command.words());
  return Vote(mine, ActOf(command)).status();
}

absl::Status Ranks::SendFrees() {
  if (freed_.empty()) return absl::OkStatus();
  WireWriter command(RankCommand::kFree);
  command.PutAll(freed_);
  freed_.clear();
  return Send(command);
}

absl::Status Ranks::Agree(const absl::Status& mine, uint8_t* float_flags) {
  FUSEAU_RETURN_IF_ERROR(group_->Health());
  if (!mine.ok()) group_->Fail(mine);
  distrib::Outcome outcome;
  outcome.status = mine;
  outcome.float_flags = NotedFlags();
  const profile::Scope scope(profile::Kind::kWait, "other ranks");
  FUSEAU_ASSIGN_OR_RETURN(outcome, group_->Agree(outcome));
  if (float_flags != nullptr) *float_flags = outcome.float_flags;
  return outcome.status;
}

// The program of what was collected. What this process has alone is a value of
// its own kind: on all ranks if all run the program.
absl::StatusOr<Ranks::Entry*> Ranks::EntryFor(const Cone& cone, bool expected) {
  const Distribution alone = mode_ == Mode::kSpmd ? Whole() : AtRoot();
  absl::InlinedVector<int32_t, 8> layouts;
  for (const Node* node : cone.input_nodes()) {
    layouts.push_back(node->rank_value != nullptr ? node->rank_value->layout
                                                  : LayoutOf(alone));
  }
  Entry* entry = nullptr;
  if (expected && last_entry_ != nullptr &&
      std::ranges::equal(layouts, last_entry_->next->layouts())) {
    entry = last_entry_->next;
  } else {
    FUSEAU_ASSIGN_OR_RETURN(entry, LookUp(cone.trace(), layouts));
  }
  if (last_entry_ != nullptr) last_entry_->next = entry;
  last_entry_ = entry;
  return entry;
}

absl::StatusOr<Ranks::Entry*> Ranks::LookUp(ir::TraceWords words,
                                            absl::Span<const int32_t> layouts) {
  uint64_t hash = ir::HashWords(words);
  for (const int32_t layout : layouts) {
    hash = (hash ^ static_cast<uint64_t>(layout)) * 0x9e3779b97f4a7c15u;
  }
  for (const std::unique_ptr<Entry>& entry : entries_[hash]) {
    if (entry->trace() == words &&
        std::ranges::equal(layouts, entry->layouts())) {
      return entry.get();
    }
  }
  if (entry_count_ >= kMaxEntries) {
    entries_.clear();
    entry_count_ = 0;
    last_entry_ = nullptr;
    FUSEAU_RETURN_IF_ERROR(Send(WireWriter(RankCommand::kForget)));
  }
  auto entry = std::make_unique<Entry>();
  entry->key.assign(words.begin(), words.end());
  entry->words = words.size();
  entry->next = entry.get();
  entry->key.insert(entry->key.end(), layouts.begin(), layouts.end());
  std::vector<Distribution> inputs;
  for (const int32_t layout : layouts) inputs.push_back(layouts_[layout]);
  entry->cut =
      passes::WorthCutting(ir::ReadTrace(words), inputs, size(), options_);
  ++entry_count_;
  return entries_[hash].emplace_back(std::move(entry)).get();
}

std::vector<Distribution> Ranks::InputsOf(const Entry& entry) const {
  std::vector<Distribution> inputs;
  for (const uint64_t layout : entry.layouts()) {
    inputs.push_back(layouts_[layout]);
  }
  return inputs;
}

absl::Status Ranks::Define(Entry* entry) {
  entry->index = next_program_++;
  const std::vector<Distribution> inputs = InputsOf(*entry);
  const ir::TraceWords words = entry->trace();
  WireWriter command(RankCommand::kDefine);
  command.Put(entry->index);
  command.PutAll(WordsOf(options_));
  command.PutAll(words);
  command.Put(inputs.size());
  for (const Distribution& input : inputs) command.Put(input);
  FUSEAU_RETURN_IF_ERROR(Send(command));
  auto made = RankProgram::Make(words, inputs, options_, rank(), size());
  if (made.ok()) {
    entry->program = *std::move(made);
    WarnOfGathers(*entry->program, inputs);
  } else {
    entry->status = made.status();
  }
  return absl::OkStatus();
}

Distribution Ranks::PlaceFor(const Cone& cone, size_t input) const {
  const Node* node = cone.input_nodes()[input];
  if (!IsLarge(node->bytes)) return Whole();
  const ir::Trace trace = ir::ReadTrace(cone.trace());
  int32_t index = 0;
  for (size_t left = input;; ++index) {
    if (trace.nodes[index].op == ir::OpCode::kInput && left-- == 0) break;
  }
  return CutEvenly(node->bytes, PitchOf(trace, index, node->bytes),
                   PartsOf(node->bytes), size());
}

// A value of this process alone comes to the ranks.
absl::Status Ranks::Place(Node* node, const Distribution& distribution) {
  std::unique_ptr<RankValue> value = NewValue(node->bytes, distribution);
  const uint64_t run = ++run_;
  WireWriter command(RankCommand::kPlace);
  command.Put(run);
  command.Put(value->id);
  command.Put(static_cast<uint64_t>(node->bytes));
  command.Put(distribution);
  FUSEAU_RETURN_IF_ERROR(Send(command));
  FUSEAU_RETURN_IF_ERROR(Spread(node, run, value.get()));
  Hold(node, value.release());
  return absl::OkStatus();
}

absl::Status Ranks::Spread(Node* node, uint64_t run, RankValue* value) {
  const Distribution& distribution = value->held.distribution;
  const bool whole = distribution.kind == Distribution::kWhole;
  absl::Status status;
  if (whole) {
    value->held.part = node->buffer;
  } else {
    auto part = AllocatePart(node->bytes, distribution, rank());
    status = part.status();
    if (part.ok()) value->held.part = *std::move(part);
  }
  {
    const Released released;
    if (status.ok()) {
      status =
          Redistribute(group_.get(), run, node->bytes, AtRoot(), node->buffer,
                       distribution, value->held.part, nullptr);
    }
    status = Agree(status, nullptr);
  }
  FUSEAU_RETURN_IF_ERROR(status);
  runtime::Increment(runtime::Counter::kBytesPlaced, node->bytes);
  // What the ranks have need not be here twice.
  if (!whole && !node->exposed) {
    node->buffer.reset();
    node->state = NodeState::kAway;
  }
  return absl::OkStatus();
}

bool Ranks::MustCut(const Cone& /*cone*/) const { return false; }

absl::Status Ranks::Run(Cone* cone, const std::atomic<bool>& cancel,
                        bool* done) {
  *done = false;
  FUSEAU_RETURN_IF_ERROR(SendFrees());
  FUSEAU_ASSIGN_OR_RETURN(Entry * entry, EntryFor(*cone, cone->as_expected()));
  if (!entry->cut && !MustCut(*cone)) {
    NoteUncut(*cone);
    for (Node* node : cone->input_nodes()) FUSEAU_RETURN_IF_ERROR(Fetch(node));
    cone->BindInputs();
    return absl::OkStatus();
  }
  *done = true;
  if (mode_ == Mode::kController) {
    bool placed = false;
    for (size_t i = 0; i < cone->input_nodes().size(); ++i) {
      Node* node = cone->input_nodes()[i];
      if (node->rank_value != nullptr) continue;
      FUSEAU_RETURN_IF_ERROR(Place(node, PlaceFor(*cone, i)));
      placed = true;
    }
    if (placed) {
      cone->BindInputs();
      FUSEAU_ASSIGN_OR_RETURN(entry, EntryFor(*cone, /*expected=*/false));
    }
  }
  const absl::Status status = Compute(entry, cone, cancel);
  for (Node* node : cone->input_nodes()) {
    if (node->exposed) Graph::Get().DropRankValue(node);
  }
  return status;
}

absl::Status Ranks::Compute(Entry* entry, Cone* cone,
                            const std::atomic<bool>& cancel) {
  if (entry->program == nullptr && entry->status.ok()) {
    FUSEAU_RETURN_IF_ERROR(Define(entry));
  }
  FUSEAU_RETURN_IF_ERROR(entry->status);
  RankProgram& program = *entry->program;
  const passes::Partition& partition = program.partition();

  std::vector<uint64_t> ids;
  std::vector<BufferRef> parts;
  for (const Node* node : cone->input_nodes()) {
    const RankValue* value = node->rank_value;
    ids.push_back(value != nullptr ? value->id : 0);
    parts.push_back(value != nullptr ? value->held.part : node->buffer);
  }
  const uint64_t run = ++run_;
  const uint64_t first = next_id_;
  next_id_ += partition.outputs.size();
  WireWriter command(RankCommand::kRun);
  command.Put(run);
  command.Put(entry->index);
  command.Put(first);
  command.PutAll(ids);
  std::vector<uint64_t> numbers(2 * cone->scalars().size());
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), cone->scalars().data(),
                numbers.size() * sizeof(uint64_t));
  }
  command.PutAll(numbers);

  std::vector<BufferRef> outputs;
  uint8_t float_flags = 0;
  profile::Scope scope(profile::Kind::kEvaluation, "part of an evaluation");
  scope.event().number = run;
  absl::Status status = Send(command);
  if (status.ok()) {
    status = Execute(*entry, run, parts, *cone, cancel, &outputs, &float_flags);
  }
  if (!status.ok()) {
    // What was overwritten in parts is lost.
    if (program.overwrites_inputs()) cone->Lose();
    for (size_t i = 0; i < partition.outputs.size(); ++i) {
      if (mode_ == Mode::kController) freed_.push_back(first + i);
    }
    return status;
  }
  if (const uint8_t elsewhere = float_flags & ~NotedFlags()) {
    program.NoteErrorsElsewhere(elsewhere);
  }
  std::vector<RankValue*> held;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Distribution& distribution = partition.distributions[i];
    const bool cut = distribution.kind == Distribution::kCut;
    if (!cut && mode_ == Mode::kSpmd) {
      held.push_back(nullptr);
      continue;
    }
    auto value = std::make_unique<RankValue>();
    value->id = first + i;
    value->held.bytes = program.output_bytes()[i];
    value->held.distribution = distribution;
    value->layout = LayoutOf(distribution);
    value->held.part = outputs[i];
    if (cut) outputs[i].reset();
    held.push_back(value.release());
  }
  cone->Attach(&outputs, held,
               [this](Node* node, RankValue* value) { Hold(node, value); });
  return absl::OkStatus();
}

absl::Status Ranks::Execute(const Entry& entry, uint64_t run,
                            absl::Span<const BufferRef> parts, const Cone& cone,
                            const std::atomic<bool>& cancel,
                            std::vector<BufferRef>* outputs,
                            uint8_t* float_flags) {
  const Released released;
  return Agree(entry.program->Run(group_.get(), run, parts, cone.scalars(),
                                  cancel, outputs),
               float_flags);
}

absl::Status Ranks::Fetch(Node* node) {
  if (node->state != NodeState::kAway) return absl::OkStatus();
  const RankPart& held = node->rank_value->held;
  const uint64_t run = ++run_;
  WireWriter command(RankCommand::kFetch);
  command.Put(run);
  command.Put(node->rank_value->id);
  FUSEAU_RETURN_IF_ERROR(Send(command));
  auto whole = runtime::Arena::Global().Allocate(node->bytes);
  absl::Status status = whole.status();
  {
    const Released released;
    if (status.ok()) {
      const Distribution to = mode_ == Mode::kSpmd ? Whole() : AtRoot();
      status = Redistribute(group_.get(), run, node->bytes, held.distribution,
                            held.part, to, *whole, nullptr);
    }
    status = Agree(status, nullptr);
  }
  FUSEAU_RETURN_IF_ERROR(status);
  runtime::Increment(runtime::Counter::kBytesFetched, node->bytes);
  node->buffer = *std::move(whole);
  node->state = NodeState::kReady;
  return absl::OkStatus();
}

absl::Status Ranks::FetchBytes(Node* node, int64_t offset, int64_t bytes,
                               char* to) {
  const std::vector<int64_t>& cuts = node->rank_value->held.distribution.cuts;
  const auto end = std::upper_bound(cuts.begin(), cuts.end(), offset);
  if (end == cuts.end() || *end < offset + bytes) {
    // An element of a larger type than the one it was cut as.
    FUSEAU_RETURN_IF_ERROR(Fetch(node));
    std::memcpy(to, node->buffer->read() + offset, static_cast<size_t>(bytes));
    return absl::OkStatus();
  }
  const uint64_t run = ++run_;
  WireWriter command(RankCommand::kFetchRange);
  command.Put(run);
  command.Put(node->rank_value->id);
  command.Put(static_cast<uint64_t>(offset));
  command.Put(static_cast<uint64_t>(offset + bytes));
  FUSEAU_RETURN_IF_ERROR(Send(command));
  runtime::Increment(runtime::Counter::kBytesFetched, bytes);
  const Released released;
  return Agree(SendRange(group_.get(), run, node->rank_value->held, offset,
                         offset + bytes, mode_ == Mode::kSpmd, to),
               nullptr);
}

absl::Status Ranks::StartProfile() {
  WireWriter command(RankCommand::kProfile);
  command.Put(static_cast<uint64_t>(ProfileAct::kStart));
  FUSEAU_RETURN_IF_ERROR(Send(command));
  return TakePart(group_.get(), ProfileAct::kStart);
}

absl::StatusOr<std::vector<std::string>> Ranks::StopProfile(
    absl::Span<const std::string> lines) {
  WireWriter command(RankCommand::kProfile);
  command.Put(static_cast<uint64_t>(ProfileAct::kStop));
  FUSEAU_RETURN_IF_ERROR(Send(command));
  std::vector<std::string> profiles;
  FUSEAU_RETURN_IF_ERROR(
      TakePart(group_.get(), ProfileAct::kStop, lines, &profiles));
  return profiles;
}

absl::Status Ranks::FetchAll() {
  // They stay while other threads run: these may drop the last references.
  std::vector<NodeRef> nodes;
  for (Node* node : holders_) nodes.emplace_back(node);
  if (mode_ == Mode::kSpmd) {
    FUSEAU_ASSIGN_OR_RETURN(const std::vector<uint64_t> ids, HeldByAll());
    std::erase_if(nodes, [&](const NodeRef& node) {
      return node->rank_value == nullptr ||
             !std::binary_search(ids.begin(), ids.end(), node->rank_value->id);
    });
    std::sort(nodes.begin(), nodes.end(),
              [](const NodeRef& a, const NodeRef& b) {
                return a->rank_value->id < b->rank_value->id;
              });
  }
  for (const NodeRef& node : nodes) {
    FUSEAU_RETURN_IF_ERROR(Fetch(node.get()));
    Graph::Get().DropRankValue(node.get());
  }
  return absl::OkStatus();
}

absl::Status Ranks::Leave() {
  Ranks* const ranks = active_;
  if (ranks == nullptr) return absl::OkStatus();
  absl::Status status = ranks->group_->Health();
  // Ranks that do different things have said so.
  if (status.ok() && ranks->parted_.ok()) {
    status = ranks->Send(WireWriter(RankCommand::kStop));
  }
  ForgetJob();
  ranks->drops_.Finish();
  {
    const Released released;
    delete ranks;
  }
  return status;
}

}  // namespace fuseau

#include "frontend/rank_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "frontend/float_errors.h"
#include "frontend/rank_files.h"
#include "frontend/rank_profile.h"
#include "runtime/arena.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

using passes::Distribution;
using runtime::BufferRef;

runtime::CopyPart Bytes(int64_t offset, int64_t bytes) {
  runtime::CopyPart part;
  part.offset = offset;
  part.bytes = bytes;
  return part;
}

}  // namespace

Distribution CutEvenly(int64_t bytes, int64_t pitch, int parts, int ranks) {
  const int64_t rows = (bytes + pitch - 1) / pitch;
  Distribution cut;
  cut.kind = Distribution::kCut;
  for (int64_t r = 0; r < parts; ++r) {
    cut.cuts.push_back(std::min(bytes, rows * r / parts * pitch));
  }
  cut.cuts.resize(ranks + 1, bytes);
  for (int r = 0; r < ranks; ++r) {
    cut.windows.push_back({cut.cuts[r], cut.cuts[r + 1]});
  }
  return cut;
}

absl::StatusOr<BufferRef> AllocatePart(int64_t bytes,
                                       const Distribution& distribution,
                                       int rank) {
  if (distribution.kind == Distribution::kRoot && rank != 0) {
    return BufferRef();
  }
  if (distribution.kind == Distribution::kCut) {
    const size_t r = static_cast<size_t>(rank);
    if (distribution.cuts[r] == distribution.cuts[r + 1]) return BufferRef();
    bytes = distribution.windows[r].hi - distribution.windows[r].lo;
  }
  return runtime::Arena::Global().Allocate(bytes);
}

absl::Status Redistribute(distrib::Group* group, uint64_t run, int64_t bytes,
                          const Distribution& from, const BufferRef& source,
                          const Distribution& to, const BufferRef& target,
                          const std::atomic<bool>* cancel) {
  const runtime::Transfer transfer =
      passes::Redistribute(bytes, from, to, group->rank(), group->size());
  if (transfer.empty()) return absl::OkStatus();
  const NotedExchange noted("move of an array", run, transfer);
  return group->Exchange(distrib::TransferTag(run, 0), transfer,
                         source ? source->data() : nullptr,
                         target ? target->data() : nullptr, cancel);
}

absl::Status SendRange(distrib::Group* group, uint64_t run,
                       const RankPart& value, int64_t lo, int64_t hi,
                       bool to_all, char* to) {
  const std::vector<int64_t>& cuts = value.distribution.cuts;
  const int owner =
      static_cast<int>(std::upper_bound(cuts.begin(), cuts.end(), lo) -
                       cuts.begin()) -
      1;
  if (owner < 0 || owner >= group->size() || hi > cuts[owner + 1]) {
    return absl::InternalError("no rank owns these bytes alone");
  }
  runtime::Transfer transfer;
  const bool takes = to_all || group->rank() == 0;
  if (group->rank() != owner) {
    if (!takes) return absl::OkStatus();
    transfer.receives.push_back({owner, hi - lo, {Bytes(0, hi - lo)}});
    return group->Exchange(distrib::TransferTag(run, 0), transfer, nullptr, to,
                           nullptr);
  }
  const int64_t offset = lo - value.distribution.windows[owner].lo;
  for (int peer = 0; peer < group->size(); ++peer) {
    if (peer == owner || (peer != 0 && !to_all)) continue;
    transfer.sends.push_back({peer, hi - lo, {Bytes(offset, hi - lo)}});
  }
  if (takes) {
    transfer.copies.push_back({Bytes(offset, hi - lo), Bytes(0, hi - lo)});
  }
  return group->Exchange(distrib::TransferTag(run, 0), transfer,
                         value.part->data(), to, nullptr);
}

absl::Status RankWorker::Serve() {
  for (;;) {
    FUSEAU_ASSIGN_OR_RETURN(const std::string command, group_->NextCommand());
    FUSEAU_ASSIGN_OR_RETURN(const bool more, Do(command));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<bool> RankWorker::Do(absl::string_view bytes) {
  WireReader command(bytes);
  absl::Status status;
  switch (static_cast<RankCommand>(command.Get())) {
    case RankCommand::kStop:
      return false;
    case RankCommand::kFree:
      for (const uint64_t id : command.GetAll()) parts_.erase(id);
      return true;
    case RankCommand::kForget:
      programs_.clear();
      return true;
    case RankCommand::kDefine:
      FUSEAU_RETURN_IF_ERROR(Define(&command));
      return true;
    case RankCommand::kProfile:
      FUSEAU_RETURN_IF_ERROR(
          TakePart(group_, static_cast<ProfileAct>(command.Get())));
      return true;
    case RankCommand::kRun:
      status = Run(&command);
      break;
    case RankCommand::kPlace:
      status = Place(&command);
      break;
    case RankCommand::kFetch:
      status = Fetch(&command);
      break;
    case RankCommand::kFetchRange:
      status = FetchRange(&command);
      break;
    case RankCommand::kStore:
      status = Store(&command);
      break;
    case RankCommand::kLoad:
      status = Load(&command);
      break;
    default:
      return absl::InternalError("a command of a kind that there is not");
  }
  // A loss is no error of the command: nothing can be agreed upon after it.
  FUSEAU_RETURN_IF_ERROR(group_->Health());
  distrib::Outcome mine;
  mine.status = status;
  for (const FloatErrors& e : TakeFloatErrors()) mine.float_flags |= e.flags;
  if (!status.ok()) group_->Fail(status);
  const profile::Scope scope(profile::Kind::kWait, "other ranks");
  FUSEAU_RETURN_IF_ERROR(group_->Agree(mine).status());
  return true;
}

absl::StatusOr<const RankPart*> RankWorker::Find(uint64_t id) const {
  const auto found = parts_.find(id);
  if (found == parts_.end()) {
    return absl::InternalError(absl::StrCat("there is no value ", id));
  }
  return &found->second;
}

absl::Status RankWorker::Define(WireReader* command) {
  const uint64_t index = command->Get();
  const passes::PartitionOptions options = OptionsOf(command->GetAll());
  const std::vector<uint64_t> words = command->GetAll();
  std::vector<Distribution> inputs(command->Get());
  for (Distribution& input : inputs) input = command->GetDistribution();
  if (!command->ok()) return absl::InternalError("a program that ends early");
  programs_.insert_or_assign(
      index, RankProgram::Make(words, inputs, options, group_->rank(),
                               group_->size()));
  return absl::OkStatus();
}

absl::Status RankWorker::Run(WireReader* command) {
  const uint64_t run = command->Get();
  profile::Scope scope(profile::Kind::kEvaluation, "part of an evaluation");
  scope.event().number = run;
  const auto found = programs_.find(command->Get());
  uint64_t id = command->Get();
  std::vector<uint64_t> ids = command->GetAll();
  const std::vector<uint64_t> numbers = command->GetAll();
  if (!command->ok() || found == programs_.end()) {
    return absl::InternalError("a run of no program");
  }
  FUSEAU_RETURN_IF_ERROR(found->second.status());
  RankProgram& program = **found->second;

  std::vector<BufferRef> parts;
  for (const uint64_t input : ids) {
    if (input == 0) {
      parts.emplace_back();
      continue;
    }
    FUSEAU_ASSIGN_OR_RETURN(const RankPart* part, Find(input));
    parts.push_back(part->part);
  }
  std::vector<runtime::ScalarValue> scalars(numbers.size() / 2);
  if (!scalars.empty()) {
    std::memcpy(scalars.data(), numbers.data(),
                scalars.size() * sizeof(runtime::ScalarValue));
  }
  const std::atomic<bool> never{false};
  std::vector<BufferRef> outputs;
  FUSEAU_RETURN_IF_ERROR(
      program.Run(group_, run, parts, scalars, never, &outputs));
  const std::vector<int64_t>& bytes = program.output_bytes();
  for (size_t i = 0; i < outputs.size(); ++i, ++id) {
    parts_[id] = {bytes[i], program.partition().distributions[i],
                  std::move(outputs[i])};
  }
  return absl::OkStatus();
}

absl::Status RankWorker::Place(WireReader* command) {
  const uint64_t run = command->Get();
  const uint64_t id = command->Get();
  RankPart value;
  value.bytes = static_cast<int64_t>(command->Get());
  value.distribution = command->GetDistribution();
  FUSEAU_ASSIGN_OR_RETURN(
      value.part,
      AllocatePart(value.bytes, value.distribution, group_->rank()));
  Distribution root;
  root.kind = Distribution::kRoot;
  FUSEAU_RETURN_IF_ERROR(Redistribute(group_, run, value.bytes, root, nullptr,
                                      value.distribution, value.part, nullptr));
  parts_[id] = std::move(value);
  return absl::OkStatus();
}

absl::Status RankWorker::Fetch(WireReader* command) {
  const uint64_t run = command->Get();
  FUSEAU_ASSIGN_OR_RETURN(const RankPart* value, Find(command->Get()));
  Distribution root;
  root.kind = Distribution::kRoot;
  return Redistribute(group_, run, value->bytes, value->distribution,
                      value->part, root, nullptr, nullptr);
}

absl::Status RankWorker::FetchRange(WireReader* command) {
  const uint64_t run = command->Get();
  FUSEAU_ASSIGN_OR_RETURN(const RankPart* value, Find(command->Get()));
  const int64_t lo = static_cast<int64_t>(command->Get());
  const int64_t hi = static_cast<int64_t>(command->Get());
  return SendRange(group_, run, *value, lo, hi, /*to_all=*/false, nullptr);
}

absl::Status RankWorker::Store(WireReader* command) {
  const uint64_t run = command->Get();
  FUSEAU_ASSIGN_OR_RETURN(const RankPart* value, Find(command->Get()));
  FUSEAU_ASSIGN_OR_RETURN(const FilePlace place, GetPlace(command));
  return StorePart(group_, run, *value, place).status();
}

absl::Status RankWorker::Load(WireReader* command) {
  const uint64_t run = command->Get();
  const uint64_t id = command->Get();
  RankPart value;
  value.bytes = static_cast<int64_t>(command->Get());
  value.distribution = command->GetDistribution();
  FUSEAU_ASSIGN_OR_RETURN(const FilePlace place, GetPlace(command));
  FUSEAU_ASSIGN_OR_RETURN(
      value.part,
      AllocatePart(value.bytes, value.distribution, group_->rank()));
  FUSEAU_RETURN_IF_ERROR(LoadPart(group_, run, value, place).status());
  parts_[id] = std::move(value);
  return absl::OkStatus();
}

}  // namespace fuseau

#include "frontend/rank_program.h"

#include <cstring>
#include <utility>

#include "frontend/rank_profile.h"
#include "frontend/run_program.h"
#include "runtime/arena.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"
#include "runtime/route.h"

namespace fuseau {
namespace {

using runtime::BufferRef;

// Of the storage that a node makes.
int64_t BytesOf(const ir::Trace& trace, int32_t index) {
  const ir::TraceNode& node = trace.nodes[static_cast<size_t>(index)];
  if (node.op == ir::OpCode::kInput) return node.shape[0];
  if (node.op == ir::OpCode::kUpdate) {
    return BytesOf(trace, node.operands[0].value);
  }
  int64_t bytes = ItemSize(node.dtype);
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (node.reduced.empty() || !node.reduced[d]) bytes *= node.shape[d];
  }
  return bytes;
}

// The exchanges of one run.
class RunExchanger : public runtime::Exchanger {
 public:
  RunExchanger(distrib::Group* group, uint64_t run,
               const passes::Partition& partition)
      : group_(group),
        run_(run),
        transfers_(partition.transfers),
        routes_(partition.routes) {}

  absl::Status Exchange(int64_t transfer, const char* source, char* target,
                        const std::atomic<bool>* cancel) override {
    const NotedExchange noted("exchange", run_, Of(transfer));
    return group_->Exchange(distrib::TransferTag(run_, transfer),
                            transfers_[static_cast<size_t>(transfer)], source,
                            target, cancel);
  }
  absl::Status ExchangeRouted(int64_t transfer, const char* source,
                              const int64_t* counts, char* target,
                              const std::atomic<bool>* cancel) override {
    FUSEAU_ASSIGN_OR_RETURN(
        const runtime::Transfer routed,
        runtime::Follow(routes_[static_cast<size_t>(transfer)], counts,
                        group_->rank()));
    return group_->Exchange(distrib::TransferTag(run_, transfer), routed,
                            source, target, cancel);
  }
  absl::Status Start(int64_t transfer, const char* source,
                     char* target) override {
    const NotedExchange noted("start of exchange", run_, Of(transfer));
    return group_->Start(distrib::TransferTag(run_, transfer),
                         transfers_[static_cast<size_t>(transfer)], source,
                         target);
  }
  absl::Status Finish(int64_t transfer,
                      const std::atomic<bool>* cancel) override {
    profile::Scope scope(profile::Kind::kExchange, "end of exchange");
    scope.event().number = run_;
    return group_->Finish(distrib::TransferTag(run_, transfer), cancel);
  }
  void Progress() override { group_->Progress(); }
  void Drop() override { group_->Drop(); }

 private:
  const runtime::Transfer& Of(int64_t transfer) const {
    return transfers_[static_cast<size_t>(transfer)];
  }

  distrib::Group* const group_;
  const uint64_t run_;
  const std::vector<runtime::Transfer>& transfers_;
  const std::vector<runtime::Route>& routes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RankProgram>> RankProgram::Make(
    ir::TraceWords words, absl::Span<const passes::Distribution> inputs,
    const passes::PartitionOptions& options, int rank, int ranks) {
  const ir::Trace trace = ir::ReadTrace(words);
  auto made = std::unique_ptr<RankProgram>(new RankProgram);
  FUSEAU_ASSIGN_OR_RETURN(
      made->partition_,
      passes::PartitionTrace(trace, inputs, rank, ranks, options));
  for (const ir::TraceNode& node : trace.nodes) {
    made->overwrites_inputs_ |= node.donated;
    if (const uint8_t raised = RaisedFloatErrors(node)) {
      made->suspects_.push_back({WordOf(node.op, node.watched), raised});
    }
  }
  for (const int32_t output : trace.outputs) {
    made->output_bytes_.push_back(BytesOf(trace, output));
  }
  ir::TraceWriter writer;
  ir::WriteTrace(made->partition_.trace, &writer);
  made->words_.assign(writer.words().begin(), writer.words().end());
  static const JitMode mode = ReadJitMode();
  made->program_ = std::make_unique<Program>(made->words_, mode);
  // From here on the words are what is read.
  made->partition_.trace = ir::Trace();
  return made;
}

// When they are first needed: a program may only be planned.
absl::Status RankProgram::MakeTables() {
  while (tables_.size() < partition_.tables.size()) {
    const std::vector<int64_t>& table = partition_.tables[tables_.size()];
    const size_t bytes = table.size() * sizeof(int64_t);
    FUSEAU_ASSIGN_OR_RETURN(BufferRef buffer, runtime::Arena::Global().Allocate(
                                                  static_cast<int64_t>(bytes)));
    std::memcpy(buffer->data(), table.data(), bytes);
    tables_.push_back(std::move(buffer));
  }
  return absl::OkStatus();
}

void RankProgram::NoteErrorsElsewhere(uint8_t flags) const {
  NoteFirstSuspects(suspects_, flags);
}

absl::Status RankProgram::Run(distrib::Group* group, uint64_t run,
                              absl::Span<const BufferRef> parts,
                              absl::Span<const runtime::ScalarValue> scalars,
                              const std::atomic<bool>& cancel,
                              std::vector<BufferRef>* outputs) {
  std::vector<BufferRef> inputs;
  for (const int32_t input : partition_.inputs) {
    if (!parts[static_cast<size_t>(input)]) {
      return absl::InternalError("a part of an input is not on its rank");
    }
    inputs.push_back(parts[static_cast<size_t>(input)]);
  }
  FUSEAU_RETURN_IF_ERROR(MakeTables());
  inputs.insert(inputs.end(), tables_.begin(), tables_.end());
  const profile::OtherTrace part;
  RunExchanger exchanger(group, run, partition_);
  RunArguments arguments;
  arguments.words = words_;
  arguments.inputs = inputs;
  arguments.scalars = scalars;
  arguments.exchanger = &exchanger;
  bool destroyed = false;
  std::vector<BufferRef> made;
  FUSEAU_RETURN_IF_ERROR(RunProgram(program_.get(), program_->Choose(words_),
                                    arguments, cancel, &destroyed, &made));
  outputs->clear();
  for (const int32_t output : partition_.outputs) {
    outputs->push_back(output < 0 ? BufferRef() : made[output]);
  }
  return absl::OkStatus();
}

}  // namespace fuseau

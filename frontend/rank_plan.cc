#include "frontend/rank_plan.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "distrib/group.h"
#include "frontend/evaluate.h"
#include "frontend/ranks.h"
#include "runtime/base/dims.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// Ranks that are nowhere: commands are counted, and nobody disagrees.
class NoGroup : public distrib::Group {
 public:
  NoGroup(int size, PlannedJob* job) : size_(size), job_(*job) {}

  int rank() const override { return 0; }
  int size() const override { return size_; }
  int hosts() const override { return size_; }
  absl::Status Exchange(uint64_t, const runtime::Transfer&, const char*, char*,
                        const std::atomic<bool>*) override {
    return absl::InternalError("an exchange of a job that is only planned");
  }
  absl::Status Start(uint64_t, const runtime::Transfer&, const char*,
                     char*) override {
    return absl::InternalError("an exchange of a job that is only planned");
  }
  absl::Status Finish(uint64_t, const std::atomic<bool>*) override {
    return absl::InternalError("an exchange of a job that is only planned");
  }
  void Progress() override {}
  void Drop() override {}
  absl::Status SendCommand(absl::string_view command) override {
    ++job_.commands;
    job_.command_bytes += static_cast<int64_t>(command.size());
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> NextCommand() override {
    return absl::InternalError("a command of a job that is only planned");
  }
  absl::StatusOr<distrib::Outcome> Agree(
      const distrib::Outcome& mine) override {
    return mine;
  }
  absl::StatusOr<std::vector<std::string>> Gather(
      absl::string_view mine) override {
    return std::vector<std::string>(size_, std::string(mine));
  }
  void Fail(const absl::Status&) override {}
  absl::Status Health() const override { return absl::OkStatus(); }

 private:
  const int size_;
  PlannedJob& job_;
};

int64_t BytesOf(const runtime::CopyPart& part) {
  return part.bytes * Count(part.sizes);
}

PlannedExchange ReportOf(const runtime::Transfer& transfer, int64_t number) {
  PlannedExchange report;
  report.number = number;
  for (const auto& m : transfer.sends) {
    report.sends.push_back({m.peer, m.bytes});
  }
  for (const auto& m : transfer.receives) {
    report.receives.push_back({m.peer, m.bytes});
  }
  for (const auto& copy : transfer.copies) report.copied += BytesOf(copy.to);
  return report;
}

// What the rank does of the trace. Compiles its kernels.
absl::StatusOr<PlannedWork> WorkOf(const passes::Partition& partition,
                                   int rank) {
  PlannedWork work;
  work.rank = rank;
  FUSEAU_ASSIGN_OR_RETURN(codegen::PlanReport plan,
                          codegen::ExplainTrace(partition.trace));
  work.steps = std::move(plan.steps);
  work.least_bytes = plan.least_bytes;
  for (const codegen::ValueReport& value : plan.values) {
    if (!value.copied.empty()) {
      work.copies.push_back({value.operation, value.copied});
    }
  }
  // The chain of exchanges keeps its order in the plan.
  for (const ir::TraceNode& node : partition.trace.nodes) {
    if (node.op != ir::OpCode::kExchange) continue;
    work.exchanges.push_back(
        ReportOf(partition.transfers[static_cast<size_t>(node.attribute)],
                 node.attribute));
  }
  return work;
}

absl::Status NotComputed() {
  return absl::FailedPreconditionError(
      "the value is not there: it belongs to a job that is only planned");
}

}  // namespace

class PlannedRanks : public Ranks {
 public:
  PlannedRanks(int size, absl::Span<const int> of)
      : PlannedRanks(size, of, std::make_unique<PlannedJob>()) {}

  PlannedJob Take() {
    numbers_.clear();
    return std::exchange(*job_, PlannedJob());
  }

  absl::Status Fetch(Node* node) override {
    return node->state == NodeState::kAway ? NotComputed() : absl::OkStatus();
  }
  absl::Status FetchBytes(Node*, int64_t, int64_t, char*) override {
    return NotComputed();
  }

 protected:
  // A value that ranks have can't be brought here.
  bool MustCut(const Cone& cone) const override {
    return std::any_of(
        cone.input_nodes().begin(), cone.input_nodes().end(),
        [](const Node* node) { return node->state == NodeState::kAway; });
  }

  // The value stays here, and is taken to be on the ranks as well.
  absl::Status Spread(Node* node, uint64_t /*run*/, RankValue* value) override {
    PlannedProgram& program = job_->programs.emplace_back();
    program.runs = 1;
    for (const int rank : of_) {
      passes::Distribution root;
      root.kind = passes::Distribution::kRoot;
      PlannedWork& work = program.work.emplace_back();
      work.rank = rank;
      work.steps.emplace_back().what = "exchange";
      work.exchanges.push_back(
          ReportOf(passes::Redistribute(node->bytes, root,
                                        value->held.distribution, rank, size()),
                   0));
    }
    return absl::OkStatus();
  }

  absl::Status Execute(const Entry& entry, uint64_t /*run*/,
                       absl::Span<const runtime::BufferRef> /*parts*/,
                       const Cone& /*cone*/,
                       const std::atomic<bool>& /*cancel*/,
                       std::vector<runtime::BufferRef>* outputs,
                       uint8_t* /*float_flags*/) override {
    outputs->resize(entry.program->partition().outputs.size());
    auto [at, is_new] =
        numbers_.try_emplace(entry.index, job_->programs.size());
    if (!is_new) {
      ++job_->programs[at->second].runs;
      return absl::OkStatus();
    }
    PlannedProgram& program = job_->programs.emplace_back();
    program.runs = 1;
    const ir::Trace trace =
        ir::ReadTrace(absl::MakeConstSpan(entry.key).first(entry.words));
    const std::vector<passes::Distribution> inputs = InputsOf(entry);
    for (const int rank : of_) {
      FUSEAU_ASSIGN_OR_RETURN(
          const passes::Partition partition,
          passes::PartitionTrace(trace, inputs, rank, size(), options()));
      FUSEAU_ASSIGN_OR_RETURN(program.work.emplace_back(),
                              WorkOf(partition, rank));
      program.gathered.assign(partition.gathered.begin(),
                              partition.gathered.end());
    }
    return absl::OkStatus();
  }

 private:
  PlannedRanks(int size, absl::Span<const int> of,
               std::unique_ptr<PlannedJob> job)
      : Ranks(std::make_unique<NoGroup>(size, job.get()), Mode::kController),
        of_(of.begin(), of.end()),
        job_(std::move(job)) {}

  const std::vector<int> of_;
  const std::unique_ptr<PlannedJob> job_;  // the group counts in it, too
  // Programs that ran since the last Take: their places in the report.
  absl::flat_hash_map<uint64_t, size_t> numbers_;
};

absl::Status BeginPlan(int ranks, absl::Span<const int> of) {
  if (Ranks::active() != nullptr) {
    return PythonError("ValueError", "this process belongs to a job already");
  }
  if (ranks < 1 || ranks > (1 << 20)) {
    return PythonError("ValueError",
                       absl::StrCat("a plan of ", ranks,
                                    " ranks: there must be 1 to ", 1 << 20));
  }
  for (const int rank : of) {
    if (rank >= 0 && rank < ranks) continue;
    return PythonError(
        "ValueError",
        absl::StrCat("rank ", rank, " of a plan of ", ranks, " ranks"));
  }
  FUSEAU_RETURN_IF_ERROR(EvaluateAll());
  Ranks::Activate(std::make_unique<PlannedRanks>(ranks, of));
  return absl::OkStatus();
}

absl::StatusOr<PlannedJob> TakePlan() {
  auto* const ranks = dynamic_cast<PlannedRanks*>(Ranks::active());
  if (ranks == nullptr) {
    return PythonError("ValueError", "this process plans no job");
  }
  FUSEAU_RETURN_IF_ERROR(EvaluateAll());
  return ranks->Take();
}

}  // namespace fuseau

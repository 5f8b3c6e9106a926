#include "codegen/explain.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/plan_builder.h"
#include "ir/import.h"
#include "mlir/IR/Remarks.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

using runtime::Launch;
using runtime::Plan;
using runtime::PlanOperand;
using runtime::Step;

// Takes what the passes tell.
class Listener : public mlir::remark::detail::MLIRRemarkStreamerBase {
 public:
  explicit Listener(std::vector<ValueReport>* values) : values_(values) {}

  void streamOptimizationRemark(
      const mlir::remark::detail::Remark& remark) override {
    for (int32_t node : NodesOf(remark.getLocation())) {
      ValueReport& value = (*values_)[node];
      std::string& why =
          remark.getRemarkName() == "copied" ? value.copied : value.stored;
      why = remark.getArgs().empty() ? "" : remark.getArgs().front().val;
    }
  }

 private:
  std::vector<ValueReport>* values_;
};

std::vector<ValueReport> ValuesOf(const ir::Trace& trace) {
  std::vector<ValueReport> values;
  for (const ir::TraceNode& node : trace.nodes) {
    ValueReport& value = values.emplace_back();
    value.operation = ir::RowOf(node.op).name;
    value.type = absl::StrCat(Name(node.dtype), "[",
                              absl::StrJoin(node.shape, ", "), "]");
    for (const ir::TraceOperand& operand : node.operands)
      value.inputs.push_back(operand.value);
  }
  return values;
}

std::string ScheduleOf(const Launch& launch) {
  if (!launch.lagged.empty())
    return absl::StrCat("in place, results wait for ",
                        launch.lagged.front().behind, " rows");
  switch (launch.split) {
    case runtime::Split::kRows:
      return "rows in parallel";
    case runtime::Split::kTree:
      return "parts of a sum tree in parallel";
    case runtime::Split::kSerial:
      return launch.parallel_dims != 0 ? "kept dimensions in parallel"
                                       : "in order";
  }
  return "";
}

// Adds up what a plan touches of the buffers it was given.
class Inputs {
 public:
  explicit Inputs(const Plan& plan) : plan_(plan) {}

  void Read(const PlanOperand& operand, const Dims& sizes) {
    if (operand.buffer < 0 ||
        plan_.buffers[operand.buffer].kind != runtime::BufferKind::kInput)
      return;
    const ByteRange range =
        Extent(operand.offset, sizes, operand.strides, ItemSize(operand.dtype));
    auto [it, is_new] = ranges_.try_emplace(operand.buffer, range);
    if (is_new) return;
    it->second.lo = std::min(it->second.lo, range.lo);
    it->second.hi = std::max(it->second.hi, range.hi);
  }
  int64_t bytes() const {
    int64_t sum = 0;
    for (const auto& [buffer, range] : ranges_) sum += range.hi - range.lo;
    return sum;
  }

 private:
  const Plan& plan_;
  absl::flat_hash_map<int32_t, ByteRange> ranges_;
};

class Reporter {
 public:
  Reporter(mlir::ModuleOp module, const Plan& plan, PlanReport* report)
      : plan_(plan), report_(*report), inputs_(plan) {
    // Steps of the plan are in the order of the module's.
    module.walk(
        [&](ir::exec::RoutineOp op) { names_.push_back(op.getName().str()); });
  }

  void Run() {
    for (const Step& step : plan_.steps) Add(step);
    for (const StepReport& step : report_.steps) report_.bytes += step.bytes;
    report_.least_bytes = inputs_.bytes();
    std::vector<bool> is_result(plan_.buffers.size());
    for (int32_t output : plan_.outputs) {
      report_.least_bytes += plan_.buffers[output].bytes;
      is_result[output] = true;
    }
    for (size_t i = 0; i < plan_.buffers.size(); ++i)
      if (plan_.buffers[i].kind == runtime::BufferKind::kNew && !is_result[i])
        report_.temporary_bytes += plan_.buffers[i].bytes;
  }

 private:
  void Add(const Step& step) {
    switch (step.kind) {
      case Step::kAllocate:
      case Step::kFree:
      case Step::kStart:
      case Step::kFinish:
      case Step::kMove:
        break;
      case Step::kCopy: {
        StepReport& copy = report_.steps.emplace_back();
        copy.what = "copy";
        copy.bytes = 2 * CopiedBytes(step);
        break;
      }
      case Step::kFill: {
        StepReport& fill = report_.steps.emplace_back();
        fill.what = "fill";
        fill.bytes = plan_.buffers[step.buffer].bytes;
        break;
      }
      case Step::kLaunch:
        AddLaunch(step.launch, 1, "");
        break;
      case Step::kRoutine:
        AddRoutine(step.launch);
        break;
      case Step::kBands: {
        const runtime::BandGroup& group = plan_.groups[step.group];
        for (const runtime::BandMember& member : group.members)
          AddLaunch(member.launch, group.members.size(),
                    absl::StrCat("; ", group.members.size(),
                                 " sweeps advance together"));
        break;
      }
      case Step::kSweep: {
        const runtime::Sweep& sweep = plan_.sweeps[step.launch];
        for (int32_t launch : sweep.launches)
          AddLaunch(
              launch, sweep.launches.size(),
              absl::StrCat("; ", sweep.launches.size(),
                           " kernels over tiles of ", sweep.tile, " rows"));
        break;
      }
    }
  }

  int64_t CopiedBytes(const Step& step) const {
    if (step.launch < 0) return plan_.buffers[step.source].bytes;
    int64_t bytes = 0;
    for (const runtime::CopyPart& part : plan_.copies[step.launch])
      bytes += part.bytes * Count(part.sizes);
    return bytes;
  }

  void AddLaunch(int32_t index, size_t together, const std::string& with) {
    const Launch& launch = plan_.launches[index];
    StepReport& step = report_.steps.emplace_back();
    step.what = "kernel";
    step.kernel = launch.kernel->name;
    step.values = launch.nodes;
    step.sizes.assign(launch.sizes.begin(), launch.sizes.end());
    step.schedule = ScheduleOf(launch) + with;
    step.together = static_cast<int64_t>(together);
    step.bytes = launch.bytes;
    step.flops = launch.flops;
    for (int32_t i = 0; i < launch.input_count; ++i)
      inputs_.Read(launch.operands[i], launch.sizes);
  }

  void AddRoutine(int32_t index) {
    const runtime::RoutineCall& call = plan_.routines[index];
    StepReport& step = report_.steps.emplace_back();
    step.what = names_[index];
    step.values = call.nodes;
    step.sizes.assign(call.sizes.begin(), call.sizes.end());
    for (const PlanOperand& operand : call.operands) {
      int64_t bytes = ItemSize(operand.dtype);
      for (size_t d = 0; d < call.sizes.size(); ++d)
        if (operand.strides[d] != 0) bytes *= call.sizes[d];
      step.bytes += bytes;
      if (&operand != &call.output()) inputs_.Read(operand, call.sizes);
    }
  }

  const Plan& plan_;
  PlanReport& report_;
  Inputs inputs_;
  std::vector<std::string> names_;
};

}  // namespace

absl::StatusOr<PlanReport> ExplainTrace(const ir::Trace& trace) {
  PlanReport report;
  report.values = ValuesOf(trace);
  // A context of its own: the usual one has nobody listening.
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ir::RegisterDialects(context);
  mlir::remark::RemarkCategories categories;
  categories.analysis = "fuseau";
  if (failed(mlir::remark::enableOptimizationRemarks(
          context, std::make_unique<Listener>(&report.values),
          std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(),
          categories)))
    return absl::InternalError("remarks of the passes can't be read");
  mlir::OwningOpRef<mlir::ModuleOp> module =
      ir::ImportTrace(trace, context, /*with_places=*/true);
  FUSEAU_ASSIGN_OR_RETURN(std::shared_ptr<Plan> plan, PlanOf(*module));
  Reporter(*module, *plan, &report).Run();
  return report;
}

}  // namespace fuseau::codegen

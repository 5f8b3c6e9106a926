#include "codegen/plan_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "codegen/gpu/kernel_cache.h"
#include "codegen/kernel_cache.h"
#include "ir/dialect.h"
#include "ir/op_table.h"
#include "passes/nest.h"
#include "passes/passes.h"
#include "runtime/bands.h"
#include "runtime/base/status.h"
#include "runtime/routine.h"

namespace fuseau::codegen {
namespace {

namespace exec = ir::exec;
using mlir::Operation;
using mlir::Value;
using runtime::Launch;
using runtime::Plan;
using runtime::PlanOperand;
using runtime::Step;

// What one element costs, in additions: functions that NumPy's loops compute,
// and divisions and square roots.
constexpr double kCallFlops = 20;
constexpr double kDivideFlops = 5;

DType TypeOf(mlir::Attribute a) {
  return ir::DTypeOf(mlir::cast<mlir::TypeAttr>(a).getValue());
}

double FlopsOf(exec::KernelOp kernel) {
  double flops = 0;
  for (Operation& op : kernel.getBody().front().without_terminator()) {
    if (mlir::isa<ir::CallOp>(op))
      flops += kCallFlops;
    else if (mlir::isa<mlir::arith::DivFOp, mlir::math::SqrtOp>(op))
      flops += kDivideFlops;
    else
      flops += 1;
  }
  return flops;
}

Combiner CombinerOf(mlir::Attribute a) {
  const std::string name = mlir::cast<mlir::StringAttr>(a).getValue().str();
  if (name == "none") return Combiner::kNone;
  return ir::RowOf(*ir::FindOp(name)).combiner;
}

// The bytes that a launch must move: what it reads of each buffer, and what it
// writes. Windows of one buffer may overlap, so they count no more than the
// span they lie in.
int64_t Traffic(const Launch& launch) {
  struct Span {
    ByteRange range;
    int64_t bytes = 0;
  };
  absl::flat_hash_map<std::pair<int32_t, bool>, Span> spans;
  for (size_t i = 0; i < launch.operands.size(); ++i) {
    const PlanOperand& operand = launch.operands[i];
    if (operand.buffer == runtime::kIotaBuffer) continue;
    const bool written = static_cast<int32_t>(i) >= launch.input_count;
    const int64_t item = ItemSize(operand.dtype);
    int64_t bytes = item;
    for (size_t d = 0; d < launch.sizes.size(); ++d)
      if (operand.strides[d] != 0) bytes *= launch.sizes[d];
    const ByteRange range =
        Extent(operand.offset, launch.sizes, operand.strides, item);
    auto [it, is_new] = spans.try_emplace({operand.buffer, written});
    Span& span = it->second;
    span.bytes += bytes;
    if (is_new) {
      span.range = range;
    } else {
      span.range.lo = std::min(span.range.lo, range.lo);
      span.range.hi = std::max(span.range.hi, range.hi);
    }
  }
  int64_t total = 0;
  for (const auto& [key, span] : spans)
    total += std::min(span.bytes, span.range.hi - span.range.lo);
  return total;
}

// The dimensions along which all results move: those that a reduction keeps.
// Points that differ there join to different results.
uint64_t KeptDimensions(const Launch& launch) {
  uint64_t kept = 0;
  for (size_t d = 0; d < launch.sizes.size(); ++d) {
    bool moves = true;
    for (size_t i = launch.input_count; i < launch.operands.size(); ++i)
      moves &= launch.operands[i].strides[d] != 0;
    if (moves) kept |= uint64_t{1} << d;
  }
  return kept;
}

// Whether a GPU can do the launch by a kernel: elements are aligned, no row of
// a sum is too long, and results have elements of their own.
bool SuitsGpu(const Launch& launch) {
  constexpr int64_t kMostElements = int64_t{1} << 34;
  for (int64_t size : launch.sizes)
    if (size > kMostElements) return false;
  for (size_t i = 0; i < launch.operands.size(); ++i) {
    const PlanOperand& operand = launch.operands[i];
    if (operand.buffer == runtime::kIotaBuffer) continue;
    const int64_t unit = ItemSize(PartType(operand.dtype));
    if (operand.offset % unit != 0) return false;
    for (int64_t stride : operand.strides)
      if (stride % unit != 0) return false;
    const int32_t output = static_cast<int32_t>(i) - launch.input_count;
    if (output < 0 || launch.combiners[output] != Combiner::kNone) continue;
    // Sorted by stride, each holds all elements of those before it.
    std::vector<std::pair<int64_t, int64_t>> steps;
    for (size_t d = 0; d < launch.sizes.size(); ++d)
      if (launch.sizes[d] > 1)
        steps.push_back({std::abs(operand.strides[d]), launch.sizes[d]});
    std::sort(steps.begin(), steps.end());
    int64_t bytes = ItemSize(operand.dtype);
    for (const auto& [stride, size] : steps) {
      if (stride < bytes) return false;
      bytes = stride * (size - 1) + bytes;
    }
  }
  return true;
}

class Builder {
 public:
  Builder(mlir::ModuleOp module, KernelSource& kernels,
          gpu::GpuKernelCache* gpu_kernels)
      : module_(module), kernels_(kernels), gpu_kernels_(gpu_kernels) {}

  absl::StatusOr<std::shared_ptr<Plan>> Build() {
    FUSEAU_RETURN_IF_ERROR(FetchForGpu());
    for (auto function : module_.getOps<mlir::func::FuncOp>())
      for (Operation& op : function.getBody().front())
        FUSEAU_RETURN_IF_ERROR(Add(&op));
    return std::move(plan_);
  }

 private:
  int32_t NewBuffer(Value v, runtime::BufferKind kind, int32_t index,
                    int64_t bytes) {
    const int32_t id = static_cast<int32_t>(plan_->buffers.size());
    plan_->buffers.push_back({kind, index, bytes});
    ids_[v] = id;
    return id;
  }

  Step& AddStep(Step::Kind kind) {
    Step step{};
    step.kind = kind;
    step.buffer = step.source = step.launch = -1;
    return plan_->steps.emplace_back(step);
  }

  absl::Status Add(Operation* op) {
    if (auto input = mlir::dyn_cast<exec::InputOp>(op)) {
      const int32_t index = static_cast<int32_t>(input.getIndex());
      NewBuffer(input, runtime::BufferKind::kInput, index, input.getBytes());
      plan_->input_count = std::max(plan_->input_count, index + 1);
    } else if (auto alloc = mlir::dyn_cast<exec::AllocOp>(op)) {
      const int32_t id =
          NewBuffer(alloc, runtime::BufferKind::kNew, 0, alloc.getBytes());
      AddStep(Step::kAllocate).buffer = id;
    } else if (auto free = mlir::dyn_cast<exec::FreeOp>(op)) {
      AddStep(Step::kFree).buffer = ids_[free.getBuffer()];
    } else if (auto copy = mlir::dyn_cast<exec::CopyOp>(op)) {
      Step& step = AddStep(Step::kCopy);
      step.source = ids_[copy.getSource()];
      step.buffer = ids_[copy.getTarget()];
      if (copy.getParts()) step.launch = AddParts(*copy.getParts());
    } else if (auto fill = mlir::dyn_cast<exec::FillOp>(op)) {
      AddFill(fill);
    } else if (auto launch = mlir::dyn_cast<exec::LaunchOp>(op)) {
      FUSEAU_ASSIGN_OR_RETURN(const int32_t index, AddLaunch(launch));
      AddStep(Step::kLaunch).launch = index;
    } else if (auto routine = mlir::dyn_cast<exec::RoutineOp>(op)) {
      return AddRoutine(routine);
    } else if (auto sweep = mlir::dyn_cast<exec::SweepOp>(op)) {
      return AddSweep(sweep);
    } else if (auto result = mlir::dyn_cast<exec::ReturnOp>(op)) {
      for (Value v : result.getBuffers()) plan_->outputs.push_back(ids_[v]);
    }
    return absl::OkStatus();
  }

  int32_t AddParts(mlir::ArrayAttr parts) {
    std::vector<runtime::CopyPart>& copy = plan_->copies.emplace_back();
    for (mlir::Attribute a : parts) {
      auto numbers = mlir::cast<mlir::DenseI64ArrayAttr>(a).asArrayRef();
      runtime::CopyPart& part = copy.emplace_back();
      part.offset = numbers[0];
      part.bytes = numbers[1];
      for (numbers = numbers.drop_front(2); !numbers.empty();
           numbers = numbers.drop_front(2)) {
        part.sizes.push_back(numbers[0]);
        part.strides.push_back(numbers[1]);
      }
    }
    return static_cast<int32_t>(plan_->copies.size()) - 1;
  }

  void AddFill(exec::FillOp fill) {
    Step& step = AddStep(Step::kFill);
    step.buffer = ids_[fill.getBuffer()];
    llvm::APInt bits;
    if (auto value = mlir::dyn_cast<mlir::FloatAttr>(fill.getValue()))
      bits = value.getValue().bitcastToAPInt();
    else
      bits = mlir::cast<mlir::IntegerAttr>(fill.getValue()).getValue();
    const uint64_t word = bits.getZExtValue();
    step.fill_size = static_cast<uint8_t>((bits.getBitWidth() + 7) / 8);
    std::memcpy(step.fill, &word, step.fill_size);
    if (auto part = fill->getAttrOfType<mlir::FloatAttr>("imaginary")) {
      const uint64_t low = part.getValue().bitcastToAPInt().getZExtValue();
      std::memcpy(step.fill + step.fill_size, &low, step.fill_size);
      step.fill_size *= 2;
    }
  }

  absl::Status AddSweep(exec::SweepOp op) {
    runtime::Sweep sweep;
    sweep.rows = op.getRows();
    sweep.tile = op.getTile();
    sweep.first.assign(op.getFirst().begin(), op.getFirst().end());
    for (llvm::ArrayRef<int64_t> halo = op.getHalo(); !halo.empty();
         halo = halo.drop_front(2))
      sweep.halos.push_back({halo[0], halo[1]});
    for (Operation& inner : op.getBody().front()) {
      if (auto tile = mlir::dyn_cast<exec::TileBufferOp>(inner)) {
        const int32_t id =
            NewBuffer(tile, runtime::BufferKind::kTile, 0, tile.getBytes());
        sweep.buffers.push_back({id, static_cast<int64_t>(tile.getLow()),
                                 static_cast<int64_t>(tile.getStride()),
                                 static_cast<int64_t>(tile.getRowBytes())});
      } else {
        FUSEAU_ASSIGN_OR_RETURN(const int32_t index,
                                AddLaunch(mlir::cast<exec::LaunchOp>(inner)));
        sweep.launches.push_back(index);
      }
    }
    AddStep(Step::kSweep).launch = static_cast<int32_t>(plan_->sweeps.size());
    plan_->sweeps.push_back(std::move(sweep));
    return absl::OkStatus();
  }

  // The place of the launch in the plan; whoever asks adds the step.
  absl::StatusOr<int32_t> AddLaunch(exec::LaunchOp op) {
    auto kernel = module_.lookupSymbol<exec::KernelOp>(op.getKernel());
    Launch launch;
    FUSEAU_ASSIGN_OR_RETURN(launch.kernel, Fetch(kernel));
    launch.sizes.assign(op.getSizes().begin(), op.getSizes().end());
    const std::vector<passes::Access> maps = passes::DecodeMaps(op.getMaps());
    launch.input_count = static_cast<int32_t>(op.getKinds().size());
    size_t memory_inputs = 0;
    std::vector<int32_t> operand_of_memory;
    for (size_t i = 0; i < maps.size(); ++i) {
      PlanOperand operand;
      operand.offset = maps[i].offset;
      operand.strides = maps[i].strides;
      const bool is_input = i < op.getKinds().size();
      operand.dtype =
          is_input ? TypeOf(kernel.getInTypes()[i])
                   : TypeOf(kernel.getOutTypes()[i - op.getKinds().size()]);
      if (!is_input) {
        operand.buffer = ids_[op.getOutputs()[i - op.getKinds().size()]];
        plan_->overwrites_inputs |=
            plan_->buffers[operand.buffer].kind == runtime::BufferKind::kInput;
      } else if (op.getKinds()[i] == passes::kIota) {
        operand.buffer = -1;
      } else {
        operand.buffer = ids_[op.getInputs()[memory_inputs++]];
        operand_of_memory.push_back(static_cast<int32_t>(i));
      }
      launch.operands.push_back(std::move(operand));
    }
    for (mlir::Attribute a : kernel.getCombiners())
      launch.combiners.push_back(CombinerOf(a));
    launch.scalars.assign(op.getScalars().begin(), op.getScalars().end());
    for (int32_t s : launch.scalars)
      plan_->scalar_count = std::max(plan_->scalar_count, s + 1);
    launch.nodes = NodesOf(op.getLoc());
    launch.split = op.getSplit() == "rows"   ? runtime::Split::kRows
                   : op.getSplit() == "tree" ? runtime::Split::kTree
                                             : runtime::Split::kSerial;
    if (launch.split == runtime::Split::kSerial)
      launch.parallel_dims = KeptDimensions(launch);
    if (!op.getLagged().empty()) {
      runtime::LaggedWrite lagged;
      lagged.output =
          launch.input_count + static_cast<int32_t>(op.getLagged()[0]);
      lagged.behind = op.getLagged()[1];
      lagged.ahead = op.getLagged()[2];
      for (int64_t reader : op.getLagged().drop_front(3))
        lagged.readers.push_back(operand_of_memory[reader]);
      launch.lagged.push_back(std::move(lagged));
    }
    launch.bytes = Traffic(launch);
    launch.flops = FlopsOf(kernel) * static_cast<double>(Count(launch.sizes));
    if (auto it = for_gpu_.find(kernel.getOperation());
        it != for_gpu_.end() && SuitsGpu(launch))
      launch.gpu = it->second;
    plan_->launches.push_back(std::move(launch));
    return static_cast<int32_t>(plan_->launches.size()) - 1;
  }

  absl::Status AddRoutine(exec::RoutineOp op) {
    runtime::RoutineCall call;
    call.sizes.assign(op.getSpace().begin(), op.getSpace().end());
    call.attribute = static_cast<int64_t>(op.getAttribute());
    for (auto [d, reduced] : llvm::enumerate(op.getReduced()))
      if (reduced) call.reduced |= uint64_t{1} << d;
    const std::vector<passes::Access> maps = passes::DecodeMaps(op.getInMaps());
    for (size_t i = 0; i < maps.size(); ++i) {
      PlanOperand& operand = call.operands.emplace_back();
      operand.buffer = ids_[op.getInputs()[i]];
      operand.offset = maps[i].offset;
      operand.strides = maps[i].strides;
      operand.dtype = TypeOf(op.getInTypes()[i]);
    }
    call.nodes = NodesOf(op.getLoc());
    const std::string name = op.getName().str();
    FUSEAU_RETURN_IF_ERROR(runtime::FinishCall(
        name, ir::RowOf(*ir::FindOp(name)).loop, TypeOf(op.getOutTypeAttr()),
        ids_[op.getOutput()], &call));
    AddStep(Step::kRoutine).launch =
        static_cast<int32_t>(plan_->routines.size());
    plan_->routines.push_back(std::move(call));
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<const runtime::Kernel>> Fetch(
      exec::KernelOp kernel) {
    auto& known = fetched_[kernel.getOperation()];
    if (known == nullptr) {
      FUSEAU_ASSIGN_OR_RETURN(known, kernels_.Get(kernel));
    }
    return known;
  }

  // All at once: new ones are compiled side by side.
  absl::Status FetchForGpu() {
    if (gpu_kernels_ == nullptr) return absl::OkStatus();
    const auto range = module_.getOps<exec::KernelOp>();
    std::vector<exec::KernelOp> kernels(range.begin(), range.end());
    const auto made = gpu_kernels_->Get(kernels);
    for (size_t i = 0; i < kernels.size(); ++i) {
      if (made[i].ok())
        for_gpu_[kernels[i].getOperation()] = *made[i];
      else if (!absl::IsUnimplemented(made[i].status()))
        return made[i].status();
    }
    return absl::OkStatus();
  }

  mlir::ModuleOp module_;
  KernelSource& kernels_;
  gpu::GpuKernelCache* gpu_kernels_;  // null: no GPU
  absl::flat_hash_map<Operation*,
                      std::shared_ptr<const runtime::cuda::GpuKernel>>
      for_gpu_;
  std::shared_ptr<Plan> plan_ = std::make_shared<Plan>();
  llvm::DenseMap<Value, int32_t> ids_;
  absl::flat_hash_map<Operation*, std::shared_ptr<const runtime::Kernel>>
      fetched_;
};

}  // namespace

std::vector<int32_t> NodesOf(mlir::Location location) {
  absl::btree_set<int32_t> nodes;
  location->walk([&](mlir::Location part) {
    if (auto place = mlir::dyn_cast<mlir::FileLineColLoc>(part))
      nodes.insert(static_cast<int32_t>(place.getLine()));
    return mlir::WalkResult::advance();
  });
  return {nodes.begin(), nodes.end()};
}

absl::StatusOr<std::shared_ptr<Plan>> BuildPlan(
    mlir::ModuleOp module, KernelSource& kernels,
    gpu::GpuKernelCache* gpu_kernels) {
  return Builder(module, kernels, gpu_kernels).Build();
}

absl::StatusOr<std::shared_ptr<Plan>> PlanOf(mlir::ModuleOp module,
                                             gpu::GpuKernelCache* gpu_kernels) {
  const passes::Device device =
      gpu_kernels != nullptr ? passes::Device::kGpu : passes::Device::kCpu;
  FUSEAU_RETURN_IF_ERROR(passes::RunPipeline(module, {.device = device}));
  FUSEAU_ASSIGN_OR_RETURN(
      std::shared_ptr<Plan> plan,
      BuildPlan(module, KernelCache::Global(), gpu_kernels));
  if (device == passes::Device::kCpu && !passes::IsDisabled("bands"))
    runtime::GroupBands(plan.get(), runtime::BandLimits::FromSettings());
  return plan;
}

}  // namespace fuseau::codegen

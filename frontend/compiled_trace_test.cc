// Random traces, compiled and run, against the reference evaluator: the
// compiler and the runtime without the recorder.

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>
#include <utility>

#include "codegen/compiler.h"
#include "codegen/gpu/compiler.h"
#include "frontend/direct_run.h"
#include "frontend/interpreter.h"
#include "frontend/reference.h"
#include "gtest/gtest.h"
#include "ir/trace_words.h"
#include "runtime/cuda/kernel.h"
#include "runtime/executor.h"
#include "runtime/inner_loops.h"
#include "runtime/routine.h"

namespace fuseau {
namespace {

using ir::OpCode;
using ir::Trace;
using ir::TraceNode;
using ir::TraceOperand;

template <typename F>
void BinaryLoop(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    double x, y;
    std::memcpy(&x, args[0] + i * steps[0], 8);
    std::memcpy(&y, args[1] + i * steps[1], 8);
    const double z = F()(x, y);
    std::memcpy(args[2] + i * steps[2], &z, 8);
  }
}
struct Add {
  double operator()(double x, double y) { return x + y; }
};
struct Subtract {
  double operator()(double x, double y) { return x - y; }
};
struct Multiply {
  double operator()(double x, double y) { return x * y; }
};
// Stands for a function that only NumPy's loops compute.
struct Hypot {
  double operator()(double x, double y) { return x * 0.5 + y * 0.25; }
};

struct Maximum {
  double operator()(double x, double y) { return x > y ? x : y; }
};

// NumPy's rule for the sum of a run.
double Pairwise(const char* p, int64_t n, int64_t step) {
  auto at = [&](int64_t i) {
    double x;
    std::memcpy(&x, p + i * step, 8);
    return x;
  };
  if (n < 8) {
    double sum = -0.0;
    for (int64_t i = 0; i < n; ++i) sum += at(i);
    return sum;
  }
  if (n <= 128) {
    double r[8];
    for (int k = 0; k < 8; ++k) r[k] = at(k);
    int64_t i = 8;
    for (; i < n - n % 8; i += 8)
      for (int k = 0; k < 8; ++k) r[k] += at(i + k);
    double sum =
        ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) sum += at(i);
    return sum;
  }
  int64_t half = n / 2;
  half -= half % 8;
  return Pairwise(p, half, step) + Pairwise(p + half * step, n - half, step);
}

// As NumPy's: a call that adds a run to one element sums it pairwise.
void AddLoop(char** args, const int64_t* n, const int64_t* steps, void* data) {
  if (args[0] != args[2] || steps[0] != 0 || steps[2] != 0)
    return BinaryLoop<Add>(args, n, steps, data);
  double sum;
  std::memcpy(&sum, args[0], 8);
  sum += Pairwise(args[1], *n, steps[1]);
  std::memcpy(args[2], &sum, 8);
}

void RegisterLoops() {
  runtime::RegisterInnerLoop("add.dd->d", {AddLoop, nullptr});
  runtime::RegisterInnerLoop("maximum.dd->d", {BinaryLoop<Maximum>, nullptr});
  runtime::RegisterInnerLoop("subtract.dd->d", {BinaryLoop<Subtract>, nullptr});
  runtime::RegisterInnerLoop("multiply.dd->d", {BinaryLoop<Multiply>, nullptr});
  runtime::RegisterInnerLoop("hypot.dd->d", {BinaryLoop<Hypot>, nullptr});
}

// Makes random traces over a few buffers of a small grid.
class TraceMaker {
 public:
  // Sizes are less than `limit`.
  TraceMaker(int seed, int limit) : limit_(limit), random_(seed) {}

  struct Window {
    Dims shape;
    int64_t offset;
    Dims strides;
  };

  Trace Make() {
    const int inputs = Pick(1, 2);
    for (int i = 0; i < inputs; ++i) {
      grid_.assign(Pick(1, 3), 0);
      for (int64_t& n : grid_) n = Pick(2, limit_);
      TraceNode node;
      node.op = OpCode::kInput;
      node.dtype = DType::kUInt8;
      node.shape = {Count(grid_) * 8};
      node.donated = Pick(0, 1) == 1;
      Push(node, grid_);
    }
    TraceNode scalar;
    scalar.op = OpCode::kScalar;
    scalar.dtype = DType::kFloat64;
    scalar_ = static_cast<int32_t>(trace_.nodes.size());
    trace_.nodes.push_back(scalar);
    shapes_.push_back({});
    current_.push_back(-1);
    const int steps = Pick(2, 14);
    for (int i = 0; i < steps; ++i) {
      const int kind = Pick(0, 10);
      if (kind < 5) {
        AddElementwise();
      } else if (kind < 8) {
        AddUpdate();
      } else if (kind < 10) {
        AddReduction();
      } else {
        AddRunningSum();
      }
    }
    // The newest value of each storage, and some of the older ones.
    for (size_t i = 0; i < trace_.nodes.size(); ++i) {
      if (trace_.nodes[i].op == OpCode::kInput ||
          trace_.nodes[i].op == OpCode::kScalar)
        continue;
      if (i + 1 == trace_.nodes.size() || Pick(0, 3) == 0)
        trace_.outputs.push_back(static_cast<int32_t>(i));
    }
    return trace_;
  }

 private:
  int Pick(int lo, int hi) {
    return std::uniform_int_distribution<int>(lo, hi)(random_);
  }

  void Push(const TraceNode& node, const Dims& shape) {
    trace_.nodes.push_back(node);
    shapes_.push_back(shape);
    current_.push_back(static_cast<int32_t>(trace_.nodes.size()) - 1);
  }

  // A random value that is not a scalar.
  int32_t Value() {
    for (;;) {
      const int32_t v = Pick(0, static_cast<int>(shapes_.size()) - 1);
      if (v != scalar_ && Count(shapes_[v]) > 0) return v;
    }
  }

  // A basic-indexing view of the storage of a value.
  Window View(int32_t value) {
    const Dims& shape = shapes_[value];
    const Dims dense = DenseStrides(shape, 8);
    Window w{{}, 0, {}};
    for (size_t d = 0; d < shape.size(); ++d) {
      const int64_t lo = Pick(0, std::min<int>(2, shape[d] - 1));
      const int64_t hi = Pick(std::max<int>(lo + 1, shape[d] - 2), shape[d]);
      const int64_t step = Pick(0, 4) == 0 ? 2 : 1;
      const int64_t n = (hi - lo + step - 1) / step;
      w.offset += lo * dense[d];
      w.shape.push_back(n);
      w.strides.push_back(step * dense[d]);
      if (Pick(0, 4) == 0) {
        w.offset += (n - 1) * w.strides[d];
        w.strides[d] = -w.strides[d];
      }
    }
    if (w.shape.size() == 2 && Pick(0, 4) == 0) {
      std::swap(w.shape[0], w.shape[1]);
      std::swap(w.strides[0], w.strides[1]);
    }
    return w;
  }

  // An operand over `space`: a view of that shape, or a broadcast.
  TraceOperand Operand(const Dims& space) {
    TraceOperand o;
    o.dtype = DType::kFloat64;
    for (int attempt = 0; attempt < 40; ++attempt) {
      o.value = Value();
      const Window w = View(o.value);
      if (w.shape == space) {
        o.offset = w.offset;
        o.strides = w.strides;
        return o;
      }
      if (w.shape.size() == 1 && !space.empty() && w.shape[0] == space.back()) {
        o.offset = w.offset;
        o.strides.assign(space.size(), 0);
        o.strides.back() = w.strides[0];
        return o;
      }
    }
    o.value = scalar_;
    o.offset = 0;
    o.strides.assign(space.size(), 0);
    return o;
  }

  TraceNode Expression(const Dims& space) {
    static constexpr OpCode kOps[] = {OpCode::kAdd, OpCode::kSubtract,
                                      OpCode::kMultiply, OpCode::kHypot};
    TraceNode node;
    node.op = kOps[Pick(0, 3)];
    node.dtype = DType::kFloat64;
    node.shape = space;
    node.operands = {Operand(space), Operand(space)};
    return node;
  }

  void AddElementwise() {
    const Dims space = View(Value()).shape;
    Push(Expression(space), space);
  }

  void AddUpdate() {
    const int32_t value = current_[Value()];
    if (trace_.nodes[value].op != OpCode::kInput &&
        trace_.nodes[value].op != OpCode::kUpdate)
      return;
    const Window w = View(value);
    const TraceNode source = Expression(w.shape);
    Push(source, w.shape);
    TraceNode node;
    node.op = OpCode::kUpdate;
    node.dtype = DType::kFloat64;
    node.shape = w.shape;
    TraceOperand old{value, DType::kUInt8, 0, {}};
    TraceOperand written{static_cast<int32_t>(trace_.nodes.size()) - 1,
                         DType::kFloat64, 0, DenseStrides(w.shape, 8)};
    node.operands = {old, written};
    node.write_offset = w.offset;
    node.write_strides = w.strides;
    Push(node, shapes_[value]);
    const int32_t fresh = static_cast<int32_t>(trace_.nodes.size()) - 1;
    for (int32_t& c : current_)
      if (c == value) c = fresh;
  }

  void AddReduction() {
    const int32_t value = Value();
    const Window w = View(value);
    if (w.shape.empty()) return;
    TraceNode node;
    node.op = Pick(0, 2) == 0 ? OpCode::kMax : OpCode::kSum;
    node.dtype = DType::kFloat64;
    node.shape = w.shape;
    node.operands = {{value, DType::kFloat64, w.offset, w.strides}};
    Dims kept;
    bool any = false;
    for (size_t d = 0; d < w.shape.size(); ++d) {
      node.reduced.push_back(Pick(0, 1) == 1);
      any |= node.reduced.back();
      if (!node.reduced.back()) kept.push_back(w.shape[d]);
    }
    if (!any) return;
    Push(node, kept);
  }

  // A routine between loop nests.
  void AddRunningSum() {
    const int32_t value = Value();
    const Window w = View(value);
    if (w.shape.empty()) return;
    TraceNode node;
    node.op = OpCode::kCumsum;
    node.dtype = DType::kFloat64;
    node.shape = w.shape;
    node.operands = {{value, DType::kFloat64, w.offset, w.strides}};
    node.reduced.assign(w.shape.size(), false);
    node.attribute = Pick(0, static_cast<int>(w.shape.size()) - 1);
    Push(node, w.shape);
  }

  const int limit_;
  std::mt19937 random_;
  Trace trace_;
  std::vector<Dims> shapes_;
  std::vector<int32_t> current_;  // the newest version of each storage
  Dims grid_;
  int32_t scalar_ = 0;
};

std::vector<runtime::BufferRef> MakeInputs(const Trace& trace) {
  std::vector<runtime::BufferRef> inputs;
  for (const TraceNode& node : trace.nodes) {
    if (node.op != OpCode::kInput) continue;
    auto buffer = runtime::Arena::Global().Allocate(node.shape[0]);
    EXPECT_TRUE(buffer.ok());
    auto* data = reinterpret_cast<double*>((*buffer)->data());
    for (int64_t i = 0; i < node.shape[0] / 8; ++i)
      data[i] = 1.0 + 0.37 * static_cast<double>((i * 7 + 3) % 11);
    inputs.push_back(*std::move(buffer));
  }
  return inputs;
}

void ExpectEqual(absl::Span<const runtime::BufferRef> want,
                 absl::Span<const runtime::BufferRef> got) {
  ASSERT_EQ(want.size(), got.size());
  for (size_t o = 0; o < want.size(); ++o) {
    ASSERT_EQ(want[o]->bytes(), got[o]->bytes());
    const auto* x = reinterpret_cast<const double*>(want[o]->data());
    const auto* y = reinterpret_cast<const double*>(got[o]->data());
    for (int64_t e = 0; e < want[o]->bytes() / 8; ++e)
      ASSERT_EQ(x[e], y[e]) << "output " << o << " element " << e;
  }
}

runtime::ScalarValue Scalar() {
  runtime::ScalarValue scalar;
  const double k = 0.75;
  std::memcpy(scalar.bytes, &k, 8);
  return scalar;
}

// Kernels for the processor each of whose calls is a launch on the emulated
// device. A KernelFn has no data, so there are some of them, each with a place.
struct DeviceLaunch {
  std::shared_ptr<const runtime::cuda::GpuKernel> kernel;
  runtime::cuda::EmulatedLaunchFn fn = nullptr;
};
std::array<DeviceLaunch, 32> device_launches;

template <size_t place>
void LaunchOnDevice(int64_t, int64_t, const int64_t* args) {
  const DeviceLaunch& launch = device_launches[place];
  const auto shape = launch.kernel->Shape({args, size_t(launch.kernel->rank)});
  std::vector<int64_t> slots(args, args + launch.kernel->slots - 1);
  std::vector<char> workspace(shape.workspace_bytes);
  slots.push_back(reinterpret_cast<int64_t>(workspace.data()));
  const uint32_t grid[] = {shape.grid.x, shape.grid.y, shape.grid.z};
  const uint32_t block[] = {shape.block.x, shape.block.y, shape.block.z};
  launch.fn(grid, block, /*order=*/place + 1, slots.data());
}

template <size_t... places>
std::array<runtime::KernelFn, sizeof...(places)> DoorsToDevice(
    std::index_sequence<places...>) {
  return {LaunchOnDevice<places>...};
}

runtime::cuda::EmulatedLaunchFn LoadEmulated(
    const runtime::cuda::GpuKernel& kernel) {
  // The file stays open: the loader takes equal paths for the same image.
  const int file = memfd_create("image", MFD_CLOEXEC);
  EXPECT_EQ(write(file, kernel.image.data(), kernel.image.size()),
            static_cast<ssize_t>(kernel.image.size()));
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  void* handle = dlopen(path.c_str(), RTLD_NOW);
  EXPECT_NE(handle, nullptr) << dlerror();
  return reinterpret_cast<runtime::cuda::EmulatedLaunchFn>(dlsym(
      handle, (kernel.name + runtime::cuda::kEmulatedLaunchSuffix).c_str()));
}

// The plan with launches on the emulated device in place of the processor's,
// and how many these are. The stand-in for hypot is known to the processor
// only.
int MoveToDevice(runtime::Plan* plan) {
  static const auto doors = DoorsToDevice(
      std::make_index_sequence<std::tuple_size_v<decltype(device_launches)>>());
  size_t moved = 0;
  for (runtime::Launch& launch : plan->launches) {
    if (launch.gpu == nullptr || moved == doors.size()) continue;
    if (launch.gpu->source.find("Hypot(") != std::string::npos) continue;
    device_launches[moved] = {launch.gpu, LoadEmulated(*launch.gpu)};
    auto kernel = std::make_shared<runtime::Kernel>();
    kernel->name = launch.gpu->name;
    kernel->fn = doors[moved++];
    launch.kernel = std::move(kernel);
    launch.split = runtime::Split::kSerial;
    launch.parallel_dims = 0;
  }
  return static_cast<int>(moved);
}

class CompiledTraceTest : public testing::TestWithParam<int> {};

TEST_P(CompiledTraceTest, EqualsTheReference) {
  RegisterLoops();
  for (int i = 0; i < 60; ++i) {
    const int seed = GetParam() * 1000 + i;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = TraceMaker(seed, 9).Make();
    if (trace.outputs.empty()) continue;
    std::vector<runtime::BufferRef> want, got;
    ASSERT_EQ(
        EvaluateReference(trace, MakeInputs(trace), {Scalar()}, nullptr, &want),
        absl::OkStatus());
    auto plan = codegen::CompileTrace(trace);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_EQ(runtime::Execute(**plan, MakeInputs(trace), {Scalar()}, &got),
              absl::OkStatus());
    ExpectEqual(want, got);
  }
}

TEST_P(CompiledTraceTest, TheEmulatedDeviceEqualsTheReference) {
  RegisterLoops();
  int moved = 0;
  // One: it takes a run of the processor's compiler.
  for (int i = 0; i < 60 && moved == 0; ++i) {
    const int seed = GetParam() * 1000 + i;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = TraceMaker(seed, 9).Make();
    if (trace.outputs.empty()) continue;
    std::vector<runtime::BufferRef> want, got;
    ASSERT_EQ(
        EvaluateReference(trace, MakeInputs(trace), {Scalar()}, nullptr, &want),
        absl::OkStatus());
    auto made = codegen::gpu::CompileTraceForGpu(trace, {.arch = 0});
    ASSERT_TRUE(made.ok()) << made.status();
    runtime::Plan plan = **made;
    moved += MoveToDevice(&plan);
    ASSERT_EQ(runtime::Execute(plan, MakeInputs(trace), {Scalar()}, &got),
              absl::OkStatus());
    ExpectEqual(want, got);
  }
  EXPECT_GT(moved, 0);
}

TEST_P(CompiledTraceTest, TheInterpreterEqualsTheReference) {
  RegisterLoops();
  for (int i = 0; i < 60; ++i) {
    const int seed = GetParam() * 1000 + i;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    // Some are larger than a block, and large enough for threads.
    const Trace trace = TraceMaker(seed, i % 2 == 0 ? 9 : 60).Make();
    if (trace.outputs.empty()) continue;
    std::vector<runtime::BufferRef> want, got;
    ASSERT_EQ(
        EvaluateReference(trace, MakeInputs(trace), {Scalar()}, nullptr, &want),
        absl::OkStatus());
    auto interpreter = Interpreter::Make(trace);
    ASSERT_TRUE(interpreter.ok()) << interpreter.status();
    const auto inputs = MakeInputs(trace);
    ASSERT_EQ((*interpreter)->Run(inputs, {Scalar()}, nullptr, &got),
              absl::OkStatus());
    ExpectEqual(want, got);
    if ((*interpreter)->overwrites_inputs()) continue;
    ExpectEqual(MakeInputs(trace), inputs);
  }
}

TEST_P(CompiledTraceTest, TheDirectRunEqualsTheReference) {
  RegisterLoops();
  DirectRun run;
  int taken = 0;
  for (int i = 0; i < 60; ++i) {
    const int seed = GetParam() * 1000 + i;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = TraceMaker(seed, 9).Make();
    if (trace.outputs.empty()) continue;
    ir::TraceWriter words;
    ir::WriteTrace(trace, &words);
    if (!run.Take(words.words())) continue;
    ++taken;
    std::vector<runtime::BufferRef> want, got;
    ASSERT_EQ(
        EvaluateReference(trace, MakeInputs(trace), {Scalar()}, nullptr, &want),
        absl::OkStatus());
    const auto inputs = MakeInputs(trace);
    bool destroyed = false;
    ASSERT_EQ(run.Run(inputs, {Scalar()}, &destroyed, &got), absl::OkStatus());
    ExpectEqual(want, got);
    if (!destroyed) ExpectEqual(MakeInputs(trace), inputs);
  }
  EXPECT_GT(taken, 30);
}

TEST(RoutineTest, EveryRowHasOne) {
  for (int i = 0; i < ir::OpCount(); ++i) {
    const ir::OpRow& row = ir::RowOf(static_cast<OpCode>(i));
    EXPECT_EQ(runtime::FindRoutine(row.name) != nullptr,
              row.family == ir::Family::kRoutine)
        << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompiledTraceTest, testing::Range(0, 12));

}  // namespace
}  // namespace fuseau

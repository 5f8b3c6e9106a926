#include "runtime/executor.h"

#include <chrono>
#include <cmath>
#include <complex>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/cpu/quick_call.h"
#include "runtime/plan_check.h"
#include "runtime/stats.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime {
namespace {

using testing::MakeKernel;
using testing::MapKernel;

double SumOfTwo(const double* in, int) { return in[0] + in[1]; }
double Two(const double* in, int k) { return in[0] * (k + 2); }

Step Do(Step::Kind kind, int32_t buffer) {
  Step step;
  step.kind = kind;
  step.buffer = buffer;
  return step;
}

Step DoLaunch(int32_t launch) {
  Step step;
  step.kind = Step::kLaunch;
  step.launch = launch;
  return step;
}

PlanOperand Dense(int32_t buffer, const Dims& sizes,
                  DType dtype = DType::kFloat64) {
  PlanOperand operand;
  operand.buffer = buffer;
  operand.strides = DenseStrides(sizes, ItemSize(dtype));
  operand.dtype = dtype;
  return operand;
}

// On how many threads, and whether short launches were prepared.
struct Way {
  int threads;
  bool quick;
};

class ExecutorTest : public ::testing::TestWithParam<Way> {
 protected:
  ExecutorTest() : arena_(int64_t{256} << 20), pool_(GetParam().threads) {
    options_.arena = &arena_;
    options_.pool = &pool_;
  }

  template <typename T>
  BufferRef BufferOf(const std::vector<T>& values) {
    BufferRef b = *arena_.Allocate(values.size() * sizeof(T));
    if (!values.empty()) {
      std::memcpy(b->data(), values.data(), values.size() * sizeof(T));
    }
    return b;
  }
  template <typename T>
  std::vector<T> ValuesOf(const BufferRef& b) {
    std::vector<T> values(b->bytes() / sizeof(T));
    if (!values.empty()) {
      std::memcpy(values.data(), b->data(), values.size() * sizeof(T));
    }
    return values;
  }
  absl::Status Run(const Plan& plan, const std::vector<BufferRef>& inputs,
                   const std::vector<ScalarValue>& scalars = {}) {
    EXPECT_TRUE(CheckPlan(plan).ok()) << CheckPlan(plan);
    Plan prepared = plan;
    if (GetParam().quick) PrepareQuickCalls(&prepared);
    return Execute(prepared, inputs, scalars, &outputs_, options_);
  }

  Arena arena_;
  ThreadPool pool_;
  ExecuteOptions options_;
  std::vector<BufferRef> outputs_;
};

// outputs[0] = in0 + in1 over `sizes`; `swap` reads the operands transposed.
Plan AddPlan(KernelFn fn, const Dims& sizes) {
  Plan plan;
  plan.input_count = 2;
  const int64_t bytes = Count(sizes) * 8;
  plan.buffers = {{BufferKind::kInput, 0, bytes},
                  {BufferKind::kInput, 1, bytes},
                  {BufferKind::kNew, 0, bytes}};
  Launch launch;
  launch.kernel = MakeKernel(fn);
  launch.sizes = sizes;
  launch.operands = {Dense(0, sizes), Dense(1, sizes), Dense(2, sizes)};
  launch.input_count = 2;
  launch.combiners = {Combiner::kNone};
  launch.bytes = 3 * bytes;
  plan.launches = {launch};
  plan.steps = {Do(Step::kAllocate, 2), DoLaunch(0), Do(Step::kFree, 0)};
  plan.outputs = {2};
  return plan;
}

TEST_P(ExecutorTest, RowsOfAnyShape) {
  struct Shape {
    KernelFn fn;
    Dims sizes;
  };
  const Shape shapes[] = {
      {MapKernel<0, 2, 1, SumOfTwo>, {}},
      {MapKernel<1, 2, 1, SumOfTwo>, {0}},
      {MapKernel<1, 2, 1, SumOfTwo>, {7}},
      {MapKernel<1, 2, 1, SumOfTwo>, {100'003}},
      {MapKernel<2, 2, 1, SumOfTwo>, {0, 4}},
      {MapKernel<2, 2, 1, SumOfTwo>, {4, 0}},
      {MapKernel<2, 2, 1, SumOfTwo>, {1000, 101}},
      {MapKernel<2, 2, 1, SumOfTwo>, {2, 100'001}},
      {MapKernel<3, 2, 1, SumOfTwo>, {1, 700, 130}},
      {MapKernel<3, 2, 1, SumOfTwo>, {2, 3, 40'001}},
  };
  for (const Shape& shape : shapes) {
    const int64_t n = Count(shape.sizes);
    std::vector<double> a(n), b(n), want(n);
    for (int64_t i = 0; i < n; ++i) {
      a[i] = static_cast<double>(i);
      b[i] = static_cast<double>(i % 1000) / 8;
      want[i] = a[i] + b[i];
    }
    ASSERT_TRUE(
        Run(AddPlan(shape.fn, shape.sizes), {BufferOf(a), BufferOf(b)}).ok());
    EXPECT_EQ(ValuesOf<double>(outputs_[0]), want);
  }
}

TEST_P(ExecutorTest, LargeLaunchesAreCut) {
  ResetCounters();
  const Dims sizes = {2, 100'000};
  std::vector<double> a(200'000, 1.0);
  ASSERT_TRUE(Run(AddPlan(MapKernel<2, 2, 1, SumOfTwo>, sizes),
                  {BufferOf(a), BufferOf(a)})
                  .ok());
  EXPECT_EQ(ReadCounter(Counter::kLaunchesParallel),
            GetParam().threads > 1 ? 1 : 0);
  EXPECT_EQ(ReadCounter(Counter::kLaunches), 1);
  EXPECT_EQ(ReadCounter(Counter::kBytesMoved), 24 * 200'000);
}

// out[i, j] = start + i * 10 + j + scalar; the iota has no buffer.
void IotaKernel(int64_t lo, int64_t hi, const int64_t* args) {
  const int64_t n = args[1];
  const int64_t* iota = args + OperandSlot(2, 0);
  const int64_t* out = args + OperandSlot(2, 1);
  int64_t scalar;
  std::memcpy(&scalar, args + ScalarSlot(2, 2, 1), sizeof(scalar));
  for (int64_t i = lo; i < hi; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      *reinterpret_cast<int64_t*>(out[0] + i * out[1] + j * out[2]) =
          iota[0] + i * iota[1] + j * iota[2] + scalar;
    }
  }
}

TEST_P(ExecutorTest, IotasAndScalars) {
  for (const Dims& sizes : {Dims{3, 4}, Dims{2, 60'000}, Dims{60'000, 2}}) {
    Plan plan;
    plan.scalar_count = 3;
    plan.buffers = {{BufferKind::kNew, 0, Count(sizes) * 8}};
    Launch launch;
    launch.kernel = MakeKernel(IotaKernel);
    launch.sizes = sizes;
    PlanOperand iota;
    iota.buffer = kIotaBuffer;
    iota.offset = 1000;
    iota.strides = {10, 1};
    iota.dtype = DType::kInt64;
    launch.operands = {iota, Dense(0, sizes, DType::kInt64)};
    launch.input_count = 1;
    launch.scalars = {0, 2};
    launch.combiners = {Combiner::kNone};
    launch.flops = 1e6;
    plan.launches = {launch};
    plan.steps = {Do(Step::kAllocate, 0), DoLaunch(0)};
    plan.outputs = {0};
    std::vector<ScalarValue> scalars(3);
    const int64_t value = 7;
    std::memcpy(scalars[2].bytes, &value, sizeof(value));
    ASSERT_TRUE(Run(plan, {}, scalars).ok());
    std::vector<int64_t> want;
    for (int64_t i = 0; i < sizes[0]; ++i) {
      for (int64_t j = 0; j < sizes[1]; ++j) {
        want.push_back(1007 + i * 10 + j);
      }
    }
    EXPECT_EQ(ValuesOf<int64_t>(outputs_[0]), want);
  }
}

// NumPy's pairwise sum of a dense range; `T` is a float or a complex type.
template <typename T>
T Pairwise(const T* x, int64_t n, int64_t parts_per_item) {
  if (n * parts_per_item <= 128) {
    T sum{};
    for (int64_t i = 0; i < n; ++i) sum += x[i];
    return sum;
  }
  int64_t left = n * parts_per_item / 2;
  left -= left % 8;
  left /= parts_per_item;
  return Pairwise(x, left, parts_per_item) +
         Pairwise(x + left, n - left, parts_per_item);
}

// Two outputs: the sum and the largest element.
void SumAndMaxKernel(int64_t lo, int64_t hi, const int64_t* args) {
  const double* x =
      reinterpret_cast<const double*>(args[OperandSlot(1, 0)]) + lo;
  double& sum = *reinterpret_cast<double*>(args[OperandSlot(1, 1)]);
  double& max = *reinterpret_cast<double*>(args[OperandSlot(1, 2)]);
  sum = Pairwise(x, hi - lo, 1);
  max = -INFINITY;
  for (int64_t i = 0; i < hi - lo; ++i) {
    if (!(x[i] <= max)) max = x[i];
    if (std::isnan(max)) break;
  }
}

void ComplexSumKernel(int64_t lo, int64_t hi, const int64_t* args) {
  using C = std::complex<float>;
  const C* x = reinterpret_cast<const C*>(args[OperandSlot(1, 0)]) + lo;
  *reinterpret_cast<C*>(args[OperandSlot(1, 1)]) = Pairwise(x, hi - lo, 2);
}

Plan ReducePlan(KernelFn fn, int64_t n, DType dtype,
                const std::vector<Combiner>& combiners) {
  Plan plan;
  plan.input_count = 1;
  const int64_t item = ItemSize(dtype);
  plan.buffers = {{BufferKind::kInput, 0, n * item}};
  Launch launch;
  launch.kernel = MakeKernel(fn);
  launch.sizes = {n};
  launch.operands = {Dense(0, {n}, dtype)};
  launch.input_count = 1;
  launch.combiners = combiners;
  launch.split = Split::kTree;
  launch.bytes = n * item;
  for (size_t i = 0; i < combiners.size(); ++i) {
    const int32_t buffer = static_cast<int32_t>(plan.buffers.size());
    plan.buffers.push_back({BufferKind::kNew, 0, 3 * item});
    PlanOperand out;
    out.buffer = buffer;
    out.offset = item;
    out.strides = {0};
    out.dtype = dtype;
    launch.operands.push_back(out);
    plan.steps.push_back(Do(Step::kAllocate, buffer));
    plan.outputs.push_back(buffer);
  }
  plan.launches = {launch};
  plan.steps.push_back(DoLaunch(0));
  return plan;
}

TEST_P(ExecutorTest, TreesGiveNumPysBits) {
  for (int64_t n : {0, 1, 100, 129, 5000, 131'072, 400'001, 1'000'003}) {
    std::vector<double> x(n);
    for (int64_t i = 0; i < n; ++i) x[i] = std::sin(i * 0.7) * std::exp(i % 17);
    Plan plan = ReducePlan(SumAndMaxKernel, n, DType::kFloat64,
                           {Combiner::kSum, Combiner::kMax});
    ASSERT_TRUE(Run(plan, {BufferOf(x)}).ok());
    EXPECT_EQ(ValuesOf<double>(outputs_[0])[1], Pairwise(x.data(), n, 1)) << n;
    if (n == 0) continue;
    EXPECT_EQ(ValuesOf<double>(outputs_[1])[1],
              *std::max_element(x.begin(), x.end()));
    x[n / 3] = NAN;
    ASSERT_TRUE(Run(plan, {BufferOf(x)}).ok());
    EXPECT_TRUE(std::isnan(ValuesOf<double>(outputs_[1])[1]));
  }
}

double Twice(const double* in, int) { return 2 * in[0]; }
double OneLess(const double* in, int) { return in[0] - 1; }

// out0 = 2 * in, in a buffer that exists tile by tile; out1 = out0 - 1 where
// the last `skip` elements do not exist; the sum and the maximum of out0.
Plan SweepPlan(int64_t n, int64_t skip, bool totals) {
  Plan plan = ReducePlan(SumAndMaxKernel, n, DType::kFloat64,
                         {Combiner::kSum, Combiner::kMax});
  const Launch reduce = plan.launches[0];
  plan.buffers.push_back({BufferKind::kTile, 0, 8 * n});          // 3
  plan.buffers.push_back({BufferKind::kNew, 0, 8 * (n - skip)});  // 4
  plan.steps = {Do(Step::kAllocate, 1), Do(Step::kAllocate, 2),
                Do(Step::kAllocate, 4)};
  Launch twice;
  twice.kernel = MakeKernel(MapKernel<1, 1, 1, Twice>);
  twice.sizes = {n};
  twice.operands = {Dense(0, {n}), Dense(3, {n})};
  twice.input_count = 1;
  twice.combiners = {Combiner::kNone};
  twice.bytes = 16 * n;
  Launch less = twice;
  less.kernel = MakeKernel(MapKernel<1, 1, 1, OneLess>);
  less.sizes = {n - skip};
  less.operands = {Dense(3, {n - skip}), Dense(4, {n - skip})};
  less.operands[0].offset = 8 * skip;
  plan.launches = {twice, less};
  Sweep sweep;
  sweep.rows = n;
  sweep.tile = 1000;
  sweep.launches = {0, 1};
  sweep.first = {0, skip};
  sweep.buffers = {{3, 0, 8, 8}};
  if (totals) {
    plan.launches.push_back(reduce);
    plan.launches[2].operands[0].buffer = 3;
    sweep.launches.push_back(2);
    sweep.first.push_back(0);
  }
  plan.sweeps = {sweep};
  Step step{};
  step.kind = Step::kSweep;
  step.launch = 0;
  plan.steps.push_back(step);
  plan.outputs = {1, 2, 4};
  return plan;
}

TEST_P(ExecutorTest, SweepsGiveWhatTheirLaunchesGive) {
  for (int64_t n : {1'000, 100'003, 2'000'000}) {
    std::vector<double> x(n), doubled(n);
    for (int64_t i = 0; i < n; ++i) {
      x[i] = std::sin(static_cast<double>(i));
      doubled[i] = 2 * x[i];
    }
    ASSERT_TRUE(Run(SweepPlan(n, 0, true), {BufferOf(x)}).ok());
    EXPECT_EQ(ValuesOf<double>(outputs_[0])[1], Pairwise(doubled.data(), n, 1));
    EXPECT_EQ(ValuesOf<double>(outputs_[1])[1],
              *std::max_element(doubled.begin(), doubled.end()));
    ASSERT_TRUE(Run(SweepPlan(n, 17, false), {BufferOf(x)}).ok());
    std::vector<double> want(doubled.begin() + 17, doubled.end());
    for (double& v : want) v -= 1;
    EXPECT_EQ(ValuesOf<double>(outputs_[2]), want);
  }
}

TEST_P(ExecutorTest, SweepsAreChecked) {
  Plan plan = SweepPlan(1000, 17, true);  // a tree next to fewer rows
  EXPECT_FALSE(CheckPlan(plan).ok());
  plan = SweepPlan(1000, 17, false);
  plan.sweeps[0].first[1] = 0;  // reads the row of another tile
  EXPECT_FALSE(CheckPlan(plan).ok());
  plan = SweepPlan(1000, 17, false);
  plan.launches[0].split = Split::kSerial;
  EXPECT_FALSE(CheckPlan(plan).ok());
}

TEST_P(ExecutorTest, ComplexTreesGiveNumPysBits) {
  for (int64_t n : {65, 5000, 200'001, 500'003}) {
    std::vector<std::complex<float>> x(n);
    for (int64_t i = 0; i < n; ++i) {
      x[i] = {std::sin(i * 0.7f), std::cos(i * 0.3f) * 100};
    }
    ASSERT_TRUE(Run(ReducePlan(ComplexSumKernel, n, DType::kComplex64,
                               {Combiner::kSum}),
                    {BufferOf(x)})
                    .ok());
    EXPECT_EQ(ValuesOf<std::complex<float>>(outputs_[0])[1],
              Pairwise(x.data(), n, 2))
        << n;
  }
}

void OrderedProductKernel(int64_t lo, int64_t hi, const int64_t* args) {
  const double* x = reinterpret_cast<const double*>(args[OperandSlot(1, 0)]);
  double product = 1;
  for (int64_t i = lo; i < hi; ++i) product *= x[i];
  *reinterpret_cast<double*>(args[OperandSlot(1, 1)]) = product;
}

TEST_P(ExecutorTest, OrderedReductionsAreNotCut) {
  std::vector<double> x(300'000);
  double want = 1;
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = 1 + std::sin(static_cast<double>(i)) / 100;
    want *= x[i];
  }
  ASSERT_TRUE(Run(ReducePlan(OrderedProductKernel, 300'000, DType::kFloat64,
                             {Combiner::kProd}),
                  {BufferOf(x)})
                  .ok());
  EXPECT_EQ(ValuesOf<double>(outputs_[0])[1], want);
}

TEST_P(ExecutorTest, CopiesParts) {
  Plan plan;
  plan.input_count = 2;
  plan.buffers = {{BufferKind::kInput, 0, 160}, {BufferKind::kInput, 1, 160}};
  // The rim of 5 x 4 elements.
  plan.copies = {{{0, 40, {}, {}}, {56, 16, {2}, {32}}, {120, 40, {}, {}}}};
  Step copy = Do(Step::kCopy, 1);
  copy.source = 0;
  copy.launch = 0;
  plan.steps = {copy};
  plan.outputs = {1};
  plan.overwrites_inputs = true;
  ASSERT_TRUE(CheckPlan(plan).ok());
  std::vector<double> x(20, 1.0), want(20, 1.0);
  for (int i : {5, 6, 9, 10, 13, 14}) want[i] = 0.0;
  ASSERT_TRUE(
      Run(plan, {BufferOf(x), BufferOf(std::vector<double>(20, 0.0))}).ok());
  EXPECT_EQ(ValuesOf<double>(outputs_[0]), want);

  plan.copies[0][1].sizes = {5};
  EXPECT_FALSE(CheckPlan(plan).ok());
}

TEST_P(ExecutorTest, CopiesAndFills) {
  for (int64_t n : {0, 3, 1000, 300'000}) {
    Plan plan;
    plan.input_count = 1;
    plan.buffers = {{BufferKind::kInput, 0, n * 8},
                    {BufferKind::kNew, 0, n * 8},
                    {BufferKind::kNew, 0, n * 8},
                    {BufferKind::kNew, 0, n * 8}};
    Step copy = Do(Step::kCopy, 1);
    copy.source = 0;
    Step fill = Do(Step::kFill, 2);
    fill.fill_size = 8;
    const double value = 2.5;
    std::memcpy(fill.fill, &value, 8);
    Step zero = Do(Step::kFill, 3);
    zero.fill_size = 4;
    plan.steps = {Do(Step::kAllocate, 1), copy, Do(Step::kAllocate, 2), fill,
                  Do(Step::kAllocate, 3), zero};
    plan.outputs = {1, 2, 3, 0};
    std::vector<double> x(n);
    for (int64_t i = 0; i < n; ++i) x[i] = static_cast<double>(i);
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(Run(plan, {BufferOf(x)}).ok());
      EXPECT_EQ(ValuesOf<double>(outputs_[0]), x);
      EXPECT_EQ(ValuesOf<double>(outputs_[1]), std::vector<double>(n, 2.5));
      EXPECT_EQ(ValuesOf<double>(outputs_[2]), std::vector<double>(n, 0.0));
      EXPECT_EQ(ValuesOf<double>(outputs_[3]), x);
      // The next round's zeros come from used memory.
      for (const BufferRef& b : outputs_) std::memset(b->data(), 1, n * 8);
      outputs_.clear();
    }
  }
}

TEST_P(ExecutorTest, InPlaceShift) {
  // x[1:] = x[:-1] + y
  for (int64_t n : {5, 300'000}) {
    Plan plan = AddPlan(MapKernel<1, 2, 1, SumOfTwo>, {n - 1});
    plan.buffers[0].bytes = plan.buffers[1].bytes = n * 8;
    plan.launches[0].operands[2] = plan.launches[0].operands[0];
    plan.launches[0].operands[2].offset = 8;
    plan.launches[0].lagged = {{2, 1, 0, {0}}};
    plan.steps = {DoLaunch(0)};
    plan.outputs = {0};
    std::vector<double> x(n), y(n), want(n);
    for (int64_t i = 0; i < n; ++i) {
      x[i] = static_cast<double>(i * 3);
      y[i] = static_cast<double>(i % 5);
      want[i] = i == 0 ? x[0] : x[i - 1] + y[i - 1];
    }
    ASSERT_TRUE(Run(plan, {BufferOf(x), BufferOf(y)}).ok());
    EXPECT_EQ(ValuesOf<double>(outputs_[0]), want);
  }
}

TEST_P(ExecutorTest, OneLaunchWithSeveralOutputs) {
  Plan plan = AddPlan(MapKernel<1, 2, 1, SumOfTwo>, {1000});
  plan.launches[0].kernel = MakeKernel(MapKernel<1, 1, 2, Two>);
  plan.launches[0].input_count = 1;
  plan.launches[0].combiners = {Combiner::kNone, Combiner::kNone};
  plan.outputs = {1, 2};
  std::vector<double> x(1000, 1.0);
  ASSERT_TRUE(Run(plan, {BufferOf(x), BufferOf(x)}).ok());
  EXPECT_EQ(ValuesOf<double>(outputs_[0]), std::vector<double>(1000, 2.0));
  EXPECT_EQ(ValuesOf<double>(outputs_[1]), std::vector<double>(1000, 3.0));
}

// Adds row by row to the output, as a sum over dimension 0 does.
void AddRowsKernel(int64_t lo, int64_t hi, const int64_t* args) {
  const int64_t* in = args + OperandSlot(2, 0);
  const int64_t* out = args + OperandSlot(2, 1);
  for (int64_t i = lo; i < hi; ++i) {
    for (int64_t j = 0; j < args[1]; ++j) {
      *reinterpret_cast<double*>(out[0] + j * out[2]) +=
          *reinterpret_cast<const double*>(in[0] + i * in[1] + j * in[2]);
    }
  }
}

TEST_P(ExecutorTest, SerialLaunchIsCutAlongNamedDimensions) {
  ResetCounters();
  const Dims sizes = {300, 1000};
  Plan plan = AddPlan(AddRowsKernel, sizes);
  Launch& launch = plan.launches[0];
  launch.operands.erase(launch.operands.begin() + 1);
  launch.operands[1].strides[0] = 0;
  launch.input_count = 1;
  launch.combiners = {Combiner::kSum};
  launch.split = Split::kSerial;
  launch.parallel_dims = 2;
  plan.buffers[2].bytes = 8000;
  Step zero = Do(Step::kFill, 2);
  zero.fill_size = 8;
  plan.steps = {Do(Step::kAllocate, 2), zero, DoLaunch(0)};
  std::vector<double> x(300'000, 0.1);
  double want = 0;
  for (int i = 0; i < 300; ++i) want += 0.1;
  ASSERT_TRUE(Run(plan, {BufferOf(x), BufferOf(x)}).ok());
  EXPECT_EQ(ValuesOf<double>(outputs_[0]), std::vector<double>(1000, want));
  EXPECT_EQ(ReadCounter(Counter::kLaunchesParallel),
            GetParam().threads > 1 ? 1 : 0);
}

TEST_P(ExecutorTest, ErrorsLeaveNothingBehind) {
  Plan plan = AddPlan(MapKernel<1, 2, 1, SumOfTwo>, {1000});
  plan.buffers.push_back({BufferKind::kNew, 0, int64_t{1} << 50});
  plan.steps.push_back(Do(Step::kAllocate, 3));
  const BufferRef x = BufferOf(std::vector<double>(1000, 1.0));
  const int64_t live = arena_.usage().live_bytes;
  const absl::Status status = Run(plan, {x, x});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "Unable to allocate 1.00 PiB");
  EXPECT_TRUE(outputs_.empty());
  EXPECT_EQ(arena_.usage().live_bytes, live);
  // Wrong inputs.
  EXPECT_EQ(Run(plan, {x}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Run(plan, {x, nullptr}).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Run(plan, {x, BufferOf(std::vector<double>(999))}).code(),
            absl::StatusCode::kInternal);
}

double Slow(const double* in, int) {
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  return in[0];
}

TEST_P(ExecutorTest, AnInterruptEndsALongLaunch) {
  // Some 25 s of work in chunks of 64 elements.
  Plan plan = AddPlan(MapKernel<1, 2, 1, Slow>, {128 * 1024});
  plan.launches[0].flops = 8e9 * 25;
  const BufferRef x = BufferOf(std::vector<double>(128 * 1024));
  const int64_t live = arena_.usage().live_bytes;
  std::atomic<bool> cancel{false};
  options_.cancel = &cancel;
  std::thread interrupt([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel = true;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Run(plan, {x, x}).code(), absl::StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  interrupt.join();
  EXPECT_EQ(arena_.usage().live_bytes, live);
}

TEST_P(ExecutorTest, SeveralThreadsRunOnePlan) {
  const Dims sizes = {70'000};
  const Plan plan = AddPlan(MapKernel<1, 2, 1, SumOfTwo>, sizes);
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const BufferRef x = BufferOf(std::vector<double>(70'000, t));
      for (int i = 0; i < 10; ++i) {
        std::vector<BufferRef> outputs;
        if (!Execute(plan, {x, x}, {}, &outputs, options_).ok() ||
            ValuesOf<double>(outputs[0]) !=
                std::vector<double>(70'000, 2.0 * t)) {
          bad.fetch_add(1);
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(bad.load(), 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, ExecutorTest,
                         ::testing::Values(Way{1, false}, Way{1, true},
                                           Way{2, false}, Way{2, true},
                                           Way{5, false}));

}  // namespace
}  // namespace fuseau::runtime

#include "runtime/cuda/executor.h"

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/cuda/host_image.h"
#include "runtime/cuda/testing/double.h"
#include "runtime/plan_check.h"
#include "runtime/stats.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime::cuda {
namespace {

using runtime::testing::MakeKernel;
using runtime::testing::MapKernel;

double SumOfTwo(const double* in, int) { return in[0] + in[1]; }
double TwiceMore(const double* in, int) { return 2 * in[0] + 1; }

constexpr int64_t kItems = 3000;  // more than one piece of pinned memory
constexpr int64_t kBytes = kItems * 8;

// Plans of float64 vectors, written step by step.
class PlanMaker {
 public:
  PlanMaker() : plan_(std::make_shared<Plan>()) {}

  int32_t Input() {
    return Add({BufferKind::kInput, plan_->input_count++, kBytes});
  }
  int32_t New() {
    const int32_t b = Add({BufferKind::kNew, 0, kBytes});
    StepOf(Step::kAllocate).buffer = b;
    return b;
  }
  void Launch(KernelFn fn, std::vector<int32_t> inputs, int32_t output,
              bool device = true) {
    runtime::Launch launch;
    launch.kernel = MakeKernel(fn);
    launch.sizes = {kItems};
    inputs.push_back(output);
    for (int32_t b : inputs) {
      PlanOperand operand;
      operand.buffer = b;
      operand.strides = {8};
      launch.operands.push_back(operand);
    }
    launch.input_count = static_cast<int32_t>(inputs.size()) - 1;
    launch.combiners = {Combiner::kNone};
    if (device) launch.gpu = HostKernel(launch);
    plan_->overwrites_inputs |=
        plan_->buffers[output].kind == BufferKind::kInput;
    StepOf(Step::kLaunch).launch = static_cast<int32_t>(plan_->launches.size());
    plan_->launches.push_back(launch);
  }
  // out = 2 * in + 1
  int32_t More(int32_t in, bool device = true) {
    const int32_t out = New();
    Launch(MapKernel<1, 1, 1, TwiceMore>, {in}, out, device);
    return out;
  }
  int32_t Sum(int32_t a, int32_t b) {
    const int32_t out = New();
    Launch(MapKernel<1, 2, 1, SumOfTwo>, {a, b}, out);
    return out;
  }
  void Free(int32_t b) { StepOf(Step::kFree).buffer = b; }
  void Fill(int32_t b, double value) {
    Step& step = StepOf(Step::kFill);
    step.buffer = b;
    step.fill_size = 8;
    std::memcpy(step.fill, &value, 8);
  }
  void Copy(int32_t from, int32_t to) {
    Step& step = StepOf(Step::kCopy);
    step.source = from;
    step.buffer = to;
  }
  void CopyParts(int32_t from, int32_t to, std::vector<CopyPart> parts) {
    Copy(from, to);
    plan_->steps.back().launch = static_cast<int32_t>(plan_->copies.size());
    plan_->copies.push_back(std::move(parts));
  }
  void Move(int32_t from, int32_t to, runtime::Move move) {
    Step& step = StepOf(Step::kMove);
    step.source = from;
    step.buffer = to;
    step.launch = static_cast<int32_t>(plan_->moves.size());
    plan_->moves.push_back(move);
  }
  std::shared_ptr<const Plan> Finish(std::vector<int32_t> outputs) {
    plan_->outputs = std::move(outputs);
    EXPECT_TRUE(CheckPlan(*plan_).ok()) << CheckPlan(*plan_);
    return plan_;
  }

 private:
  int32_t Add(PlanBuffer buffer) {
    plan_->buffers.push_back(buffer);
    return static_cast<int32_t>(plan_->buffers.size()) - 1;
  }
  Step& StepOf(Step::Kind kind) {
    Step& step = plan_->steps.emplace_back();
    step.kind = kind;
    return step;
  }

  std::shared_ptr<Plan> plan_;
};

BufferRef BufferOf(const std::vector<double>& values) {
  BufferRef b = *Arena::Global().Allocate(kBytes);
  std::memcpy(b->data(), values.data(), kBytes);
  return b;
}
std::vector<double> Vector(double first) {
  std::vector<double> values(kItems);
  for (int64_t i = 0; i < kItems; ++i)
    values[i] = first + static_cast<double>(i) / 4;
  return values;
}
std::vector<double> ValuesOf(const BufferRef& b) {
  std::vector<double> values(kItems);
  std::memcpy(values.data(), b->read(), kBytes);
  return values;
}

class CudaExecutorTest : public ::testing::Test {
 protected:
  CudaExecutorTest() : double_(FUSEAU_DOUBLE) { Start(); }
  ~CudaExecutorTest() override { EXPECT_EQ(Stop(), ""); }

  void Start() {
    auto device = double_.Open();
    ASSERT_TRUE(device.ok()) << device.status();
    device_ = *std::move(device);
  }
  // What is left over.
  std::string Stop() {
    outputs_.clear();
    device_.reset();
    return double_.Live();
  }

  // What processors make of the plan.
  std::vector<std::vector<double>> OnHost(
      const Plan& plan, const std::vector<BufferRef>& inputs) {
    std::vector<BufferRef> outputs;
    EXPECT_TRUE(Execute(plan, inputs, {}, &outputs).ok());
    std::vector<std::vector<double>> values;
    for (const BufferRef& b : outputs) values.push_back(ValuesOf(b));
    return values;
  }
  void ExpectSame(const std::vector<std::vector<double>>& want) {
    ASSERT_EQ(outputs_.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_EQ(ValuesOf(outputs_[i]), want[i]) << "output " << i;
  }

  testing::Double double_;
  std::unique_ptr<Device> device_;
  std::vector<BufferRef> outputs_;
};

// Launches, fills, copies and moves, temporary values that are freed, and a
// step in the middle that only a processor can do.
std::shared_ptr<const Plan> MixedPlan() {
  PlanMaker m;
  const int32_t a = m.Input(), b = m.Input();
  const int32_t sum = m.Sum(a, b);
  const int32_t ones = m.New();
  m.Fill(ones, 1.25);
  const int32_t more = m.Sum(sum, ones);
  m.Free(ones);
  const int32_t host = m.More(more, /*device=*/false);
  const int32_t last = m.Sum(host, sum);
  m.Free(host);
  const int32_t copy = m.New();
  m.Copy(last, copy);
  m.Launch(MapKernel<1, 2, 1, SumOfTwo>, {copy, a}, copy);
  m.CopyParts(
      b, copy,
      {{.offset = 16, .bytes = 8, .sizes = {10, 3}, .strides = {400, 32}},
       {.offset = 8000, .bytes = 800, .sizes = {}, .strides = {}}});
  m.Move(a, copy, {.from = 80, .to = 12000, .bytes = 160});
  return m.Finish({last, copy, more});
}

TEST_F(CudaExecutorTest, SameBytesAsOnProcessors) {
  double_.Set("DELAY_US", "200");
  const auto plan = MixedPlan();
  DevicePlan program(plan, device_.get());
  EXPECT_TRUE(program.uses_device());
  // The first run is one by one, later ones are graphs, with other buffers.
  for (int run = 0; run < 4; ++run) {
    const std::vector<BufferRef> inputs = {BufferOf(Vector(run)),
                                           BufferOf(Vector(10 * run))};
    ASSERT_TRUE(program.Run(inputs, {}, &outputs_).ok());
    ExpectSame(OnHost(*plan, inputs));
    outputs_.clear();
  }
}

TEST_F(CudaExecutorTest, ResultsStayOnTheDeviceUntilTheyAreRead) {
  PlanMaker m;
  const int32_t in = m.Input();
  DevicePlan program(m.Finish({m.More(in)}), device_.get());
  const BufferRef input = BufferOf(Vector(1));
  ResetCounters();
  ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
  EXPECT_EQ(input->place(), Place::kBoth);
  const BufferRef first = outputs_[0];
  EXPECT_EQ(first->place(), Place::kDevice);
  ASSERT_TRUE(program.Run({&first, 1}, {}, &outputs_).ok());
  EXPECT_EQ(ReadCounter(Counter::kBytesUploaded), kBytes);
  EXPECT_EQ(ReadCounter(Counter::kBytesDownloaded), 0);
  // One element.
  double value = 0;
  ASSERT_TRUE(outputs_[0]->Read(8, 8, reinterpret_cast<char*>(&value)).ok());
  EXPECT_EQ(value, 4 * 1.25 + 3);
  EXPECT_EQ(ReadCounter(Counter::kBytesDownloaded), 8);
  EXPECT_EQ(outputs_[0]->place(), Place::kDevice);
  // All of them.
  EXPECT_EQ(ValuesOf(outputs_[0])[1], value);
  EXPECT_EQ(outputs_[0]->place(), Place::kBoth);
  EXPECT_EQ(ReadCounter(Counter::kBytesDownloaded), 8 + kBytes);
}

TEST_F(CudaExecutorTest, AWriteInMemoryReachesTheDevice) {
  PlanMaker m;
  const int32_t in = m.Input();
  const auto plan = m.Finish({m.More(in)});
  DevicePlan program(plan, device_.get());
  const BufferRef input = BufferOf(Vector(1));
  for (double value : {5.0, 6.0, 7.0}) {
    reinterpret_cast<double*>(input->data())[3] = value;
    EXPECT_EQ(input->place(), Place::kHost);
    ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
    EXPECT_EQ(ValuesOf(outputs_[0])[3], 2 * value + 1);
  }
}

TEST_F(CudaExecutorTest, ForeignCodeHasTheAddress) {
  PlanMaker m;
  const int32_t in = m.Input();
  m.Launch(MapKernel<1, 1, 1, TwiceMore>, {in}, in);
  DevicePlan program(m.Finish({in}), device_.get());
  const BufferRef input = BufferOf(Vector(1));
  input->set_held(true);
  auto* values = reinterpret_cast<double*>(input->data());
  for (int run = 0; run < 3; ++run) {
    values[0] = run;
    ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
    // No call tells that somebody looks, or writes.
    EXPECT_EQ(values[0], 2 * run + 1);
    EXPECT_EQ(input->place(), Place::kHost);
  }
  input->set_held(false);
}

TEST_F(CudaExecutorTest, InPlaceUpdatesOfInputs) {
  PlanMaker m;
  const int32_t a = m.Input(), b = m.Input();
  m.Launch(MapKernel<1, 2, 1, SumOfTwo>, {a, b}, a);
  m.Launch(MapKernel<1, 2, 1, SumOfTwo>, {a, b}, a);
  const auto plan = m.Finish({a});
  DevicePlan program(plan, device_.get());
  const BufferRef other = BufferOf(Vector(2));
  BufferRef value = BufferOf(Vector(0));
  std::vector<double> want = Vector(0);
  for (int run = 0; run < 4; ++run) {
    const std::vector<BufferRef> inputs = {value, other};
    ASSERT_TRUE(program.Run(inputs, {}, &outputs_).ok());
    EXPECT_EQ(outputs_[0], value);
    for (int64_t i = 0; i < kItems; ++i) want[i] += 2 * Vector(2)[i];
  }
  EXPECT_EQ(ValuesOf(value), want);
}

TEST_F(CudaExecutorTest, LaterRunsAreOneGraphEach) {
  PlanMaker m;
  int32_t value = m.Input();
  for (int i = 0; i < 10; ++i) value = m.More(value);
  DevicePlan program(m.Finish({value}), device_.get());
  const BufferRef input = BufferOf(Vector(1));
  ResetCounters();
  ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
  EXPECT_EQ(ReadCounter(Counter::kGpuLaunches), 10);
  EXPECT_EQ(ReadCounter(Counter::kGpuGraphs), 0);
  const std::vector<double> want = ValuesOf(outputs_[0]);
  for (int run = 1; run < 5; ++run) {
    ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
    EXPECT_EQ(ReadCounter(Counter::kGpuLaunches), 10);
    EXPECT_EQ(ReadCounter(Counter::kGpuGraphs), run);
    EXPECT_EQ(ValuesOf(outputs_[0]), want);
  }
}

// What would happen if a dependency were forgotten: these must be the tests
// that find it.
class MutantTest : public CudaExecutorTest {
 protected:
  // Whether all of some runs are right.
  bool Right() {
    double_.Set("DELAY_US", "300");
    PlanMaker m;
    const int32_t in = m.Input();
    const int32_t a = m.More(in), b = m.More(a), c = m.More(b);
    const auto plan = m.Finish({c});
    DevicePlan program(plan, device_.get());
    bool right = true;
    for (int run = 0; run < 4; ++run) {
      const BufferRef input = BufferOf(Vector(run));
      EXPECT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
      const std::vector<double> values = ValuesOf(outputs_[0]);
      right &= values == OnHost(*plan, {input})[0];
    }
    return right;
  }
};
TEST_F(MutantTest, None) { EXPECT_TRUE(Right()); }
TEST_F(MutantTest, StreamsDoNotWait) {
  double_.Set("IGNORE", "waits");
  EXPECT_FALSE(Right());
}
TEST_F(MutantTest, GraphsHaveNoDependencies) {
  double_.Set("IGNORE", "edges");
  EXPECT_FALSE(Right());
}

TEST_F(CudaExecutorTest, MemoryIsMadeByThoseThatNeedNotStay) {
  // Room for some 40 of these vectors.
  double_.Set("MEMORY", std::to_string(int64_t{1} << 20));
  PlanMaker m;
  const int32_t in = m.Input();
  const auto plan = m.Finish({m.More(in)});
  DevicePlan program(plan, device_.get());
  std::vector<BufferRef> results;
  for (int i = 0; i < 100; ++i) {
    const BufferRef input = BufferOf(Vector(i));
    ASSERT_TRUE(program.Run({&input, 1}, {}, &outputs_).ok());
    results.push_back(outputs_[0]);
  }
  // The first ones had to go to memory.
  EXPECT_NE(results[0]->place(), Place::kDevice);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(ValuesOf(results[i])[4], 2 * (i + 1) + 1) << i;
}

TEST_F(CudaExecutorTest, NoMemoryNamesTheSizes) {
  Stop();
  double_.Set("MEMORY", std::to_string(int64_t{1} << 20));
  Start();
  PlanMaker m;
  int32_t value = m.Input();
  std::vector<int32_t> all;
  for (int i = 0; i < 60; ++i) all.push_back(value = m.More(value));
  DevicePlan program(m.Finish(all), device_.get());
  const BufferRef input = BufferOf(Vector(1));
  const absl::Status status = program.Run({&input, 1}, {}, &outputs_);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(std::string(status.message()),
            "Unable to allocate 23.4 KiB on the GPU (Driver Double 0): 1010. "
            "KiB of its 1.00 MiB are in use here");
  // What runs next has all the memory.
  PlanMaker n;
  const int32_t in = n.Input();
  DevicePlan next(n.Finish({n.More(in)}), device_.get());
  EXPECT_TRUE(next.Run({&input, 1}, {}, &outputs_).ok());
}

TEST_F(CudaExecutorTest, AnInterruptEndsTheRun) {
  const auto plan = MixedPlan();
  DevicePlan program(plan, device_.get());
  const std::vector<BufferRef> inputs = {BufferOf(Vector(1)),
                                         BufferOf(Vector(2))};
  std::atomic<bool> cancel{true};
  ExecuteOptions options;
  options.cancel = &cancel;
  EXPECT_TRUE(absl::IsCancelled(program.Run(inputs, {}, &outputs_, options)));
  EXPECT_TRUE(outputs_.empty());
  cancel = false;
  ASSERT_TRUE(program.Run(inputs, {}, &outputs_, options).ok());
  ExpectSame(OnHost(*plan, inputs));
}

// Every call that a run makes fails once, in turn: the run that it belongs to
// ends with a status (or a result that cannot be read does), nothing is left
// over, and the next one is right.
TEST_F(CudaExecutorTest, EveryCallMayFail) {
  const auto plan = MixedPlan();
  const std::vector<BufferRef> inputs = {BufferOf(Vector(1)),
                                         BufferOf(Vector(2))};
  const auto want = OnHost(*plan, inputs);
  Stop();
#define FUSEAU_NAME(name, version, parameters) #name,
  const std::vector<std::string> functions = {
      FUSEAU_CUDA_FUNCTIONS(FUSEAU_NAME)};
#undef FUSEAU_NAME
  int failures = 0;
  for (const std::string& function : functions) {
    for (int call = 1; call <= 40; ++call) {
      Start();
      const long before = double_.Calls(function.c_str());
      double_.Set("FAIL", function + ":" + std::to_string(call));
      bool failed = false;
      {
        DevicePlan program(plan, device_.get());
        for (int run = 0; run < 3; ++run) {
          absl::Status status = program.Run(inputs, {}, &outputs_);
          for (const BufferRef& b : outputs_) status.Update(b->ToHost());
          if (status.ok()) {
            ExpectSame(want);
          } else {
            failed = true;
            EXPECT_FALSE(status.message().empty());
          }
          outputs_.clear();
          for (const BufferRef& b : inputs) b->data();
        }
        // Whatever failed, it works now.
        double_.Set("FAIL", "");
        ASSERT_TRUE(program.Run(inputs, {}, &outputs_).ok())
            << function << " " << call;
        ExpectSame(want);
        outputs_.clear();
        for (const BufferRef& b : inputs) b->data();
      }
      const bool reached = double_.Calls(function.c_str()) - before >= call;
      failures += failed;
      device_.reset();
      // A failed call of these leaves what it should have freed.
      if (function.find("Free") == std::string::npos &&
          function.find("Destroy") == std::string::npos &&
          function.find("Unload") == std::string::npos &&
          function.find("Release") == std::string::npos) {
        EXPECT_EQ(double_.Live(), "") << function << " " << call;
      }
      if (!reached) break;
    }
  }
  EXPECT_GT(failures, 40);
  Start();
}

}  // namespace
}  // namespace fuseau::runtime::cuda

// Plans as words, and programs made by hand.
#include "runtime/ahead/program.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/ahead/loops.h"
#include "runtime/ahead/plan_words.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime {
namespace {

using testing::MakeKernel;
using testing::MapKernel;

double SumOfTwo(const double* in, int) { return in[0] + in[1]; }

PlanOperand Dense(int32_t buffer, int64_t stride) {
  PlanOperand operand;
  operand.buffer = buffer;
  operand.strides = {stride};
  return operand;
}

Step Do(Step::Kind kind, int32_t buffer, int32_t launch = -1) {
  Step step;
  step.kind = kind;
  step.buffer = buffer;
  step.launch = launch;
  return step;
}

// result[i] = x[i] + y for n elements.
Plan SumPlan(const KernelList& kernels, int64_t n) {
  Plan plan;
  plan.buffers = {{BufferKind::kInput, 0, 8 * n},
                  {BufferKind::kInput, 1, 8},
                  {BufferKind::kNew, 0, 8 * n}};
  Launch& launch = plan.launches.emplace_back();
  launch.kernel = kernels[0];
  launch.sizes = {n};
  launch.operands = {Dense(0, 8), Dense(1, 0), Dense(2, 8)};
  launch.input_count = 2;
  launch.combiners = {Combiner::kNone};
  launch.bytes = 16 * n;
  launch.flops = static_cast<double>(n);
  plan.steps = {Do(Step::kAllocate, 2), Do(Step::kLaunch, -1, 0)};
  plan.outputs = {2};
  plan.input_count = 2;
  return plan;
}

const KernelList& Kernels() {
  static const auto* const kernels =
      new KernelList{MakeKernel(MapKernel<1, 2, 1, SumOfTwo>)};
  return *kernels;
}

std::vector<int64_t> Words(int64_t n) {
  VariantBody body;
  body.argument_bytes = {8 * n, 8};
  body.result_shapes = {{n}};
  body.inputs = {{ValueSource::kArgument, 0}, {ValueSource::kArgument, 1}};
  body.input_bytes = {8 * n, 8};
  body.results = {{ValueSource::kOutput, 0}};
  body.written = {-1, -1};
  WordWriter words;
  Fields(words, body);
  EXPECT_TRUE(WritePlan(SumPlan(Kernels(), n), Kernels(), words).ok());
  return words.Take();
}

// The program for every n > 0: words that differ grow with n.
class SumProgram {
 public:
  SumProgram() {
    Program program;
    program.letters = {"n"};
    program.arguments = {{"x"}, {"y"}};
    program.results = {{"result"}};
    program.kernels = {"sum"};
    ProgramVariant& variant = program.variants.emplace_back();
    variant.sizes = {{1, INT64_MAX}};
    const std::vector<int64_t> five = Words(5), six = Words(6);
    variant.words = five;
    for (size_t i = 0; i < five.size(); ++i) {
      const int64_t slope = six[i] - five[i];
      variant.words[i] -= 5 * slope;
      if (slope == 0) continue;
      variant.terms.push_back({static_cast<int64_t>(i), slope, {1}});
    }
    WordWriter writer;
    Fields(writer, program);
    words_ = writer.Take();
    kernels_[0] = Kernels()[0]->fn;
    data_ = {words_.data(),
             static_cast<int64_t>(words_.size()),
             kernels_,
             nullptr,
             "",
             nullptr};
  }

  absl::Status Run(int64_t n, std::vector<double>* x, double y,
                   std::vector<double>* result) {
    void* const arguments[] = {x->data(), &y};
    void* const results[] = {result->data()};
    return RunProgram(&data_, &n, arguments, results);
  }
  ProgramData* data() { return &data_; }

 private:
  std::vector<int64_t> words_;
  KernelFn kernels_[1];
  ProgramData data_;
};

TEST(PlanWordsTest, WhatIsReadWritesTheSameWords) {
  const std::vector<int64_t> words = Words(7);
  WordReader reader(words);
  VariantBody body;
  Fields(reader, body);
  auto plan = ReadPlan(reader, Kernels());
  ASSERT_TRUE(plan.ok()) << plan.status();
  WordWriter again;
  Fields(again, body);
  ASSERT_TRUE(WritePlan(**plan, Kernels(), again).ok());
  EXPECT_EQ(again.Take(), words);
}

TEST(PlanWordsTest, WordsThatEndEarlyAreAnError) {
  const std::vector<int64_t> words = Words(7);
  for (size_t n = 0; n < words.size(); ++n) {
    WordReader reader({words.data(), n});
    VariantBody body;
    Fields(reader, body);
    EXPECT_FALSE(ReadPlan(reader, Kernels()).ok()) << n;
  }
}

TEST(PlanWordsTest, AKernelThatIsNotThereIsAnError) {
  const std::vector<int64_t> words = Words(7);
  WordReader reader(words);
  VariantBody body;
  Fields(reader, body);
  EXPECT_FALSE(ReadPlan(reader, {}).ok());
}

TEST(ProgramTest, OneProgramForManySizes) {
  SumProgram program;
  for (int64_t n : {1, 2, 5, 6, 100, 70000}) {
    std::vector<double> x(n), result(n);
    for (int64_t i = 0; i < n; ++i) x[i] = static_cast<double>(i);
    const absl::Status status = program.Run(n, &x, 0.5, &result);
    ASSERT_TRUE(status.ok()) << status;
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(result[i], static_cast<double>(i) + 0.5);
    }
    int64_t shape = 0;
    ASSERT_TRUE(ShapeOfResult(program.data(), &n, 0, &shape).ok());
    EXPECT_EQ(shape, n);
  }
}

TEST(ProgramTest, WhatDoesNotFitIsAnError) {
  SumProgram program;
  std::vector<double> x(4), result(4);
  EXPECT_EQ(program.Run(0, &x, 0, &result).message(),
            "given n = 0, expected n >= 1");
  EXPECT_EQ(program.Run(INT64_MAX / 2, &x, 0, &result).message(),
            "the sizes are too large");
  EXPECT_EQ(program.Run(4, &x, 0, &x).message(),
            "the memory of result, which is written, overlaps that of x");
  std::vector<double> none;
  EXPECT_EQ(program.Run(4, &none, 0, &result).message(),
            "the address of x is null; expected 32 bytes there");
  int64_t n = 4, shape = 0;
  EXPECT_EQ(ShapeOfResult(program.data(), &n, 1, &shape).message(),
            "there is no result 1: the program has 1, counted from 0");
}

TEST(ProgramScalarTest, KeepsEveryBit) {
  const auto round = [](DType dtype, auto number) {
    ScalarValue value;
    std::memcpy(value.bytes, &number, sizeof(number));
    const ProgramScalar scalar = ProgramScalar::Of(dtype, value);
    const ScalarValue back = scalar.Bytes();
    EXPECT_EQ(std::memcmp(back.bytes, value.bytes, sizeof(number)), 0)
        << number;
    return scalar.whole;
  };
  EXPECT_TRUE(round(DType::kFloat64, 12345.0));
  EXPECT_TRUE(round(DType::kFloat32, -3.0f));
  EXPECT_FALSE(round(DType::kFloat64, -0.0));
  EXPECT_FALSE(round(DType::kFloat64, 0.2));
  EXPECT_FALSE(round(DType::kFloat64, 1e300));
  EXPECT_FALSE(round(DType::kFloat64, HUGE_VAL));
  EXPECT_TRUE(round(DType::kInt64, INT64_MIN));
  EXPECT_TRUE(round(DType::kUInt64, UINT64_MAX));
  EXPECT_TRUE(round(DType::kInt8, int8_t{-5}));
  EXPECT_TRUE(round(DType::kUInt16, uint16_t{65535}));
}

TEST(LoopsTest, NamesAreThoseOfNumpy) {
  const auto& loops = StandardLoops();
  for (const char* name :
       {"exp.d->d", "log.f->f", "floor_divide.ll->l", "power.BB->B",
        "matmul.DD->D", "stable_argsort.dd->l", "ldexp.di->d",
        "add.\?\?->\?"}) {
    EXPECT_TRUE(loops.contains(name)) << name;
  }
  // Floor division rounds down, and by zero gives 0.
  int64_t a = -7, b = 2, zero = 0, result = 1;
  char* args[] = {reinterpret_cast<char*>(&a), reinterpret_cast<char*>(&b),
                  reinterpret_cast<char*>(&result)};
  const int64_t n = 1, steps[] = {8, 8, 8};
  const InnerLoop& loop = loops.find("floor_divide.ll->l")->second;
  loop.fn(args, &n, steps, loop.data);
  EXPECT_EQ(result, -4);
  args[1] = reinterpret_cast<char*>(&zero);
  loop.fn(args, &n, steps, loop.data);
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace fuseau::runtime

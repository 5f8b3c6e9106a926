#include "runtime/plan_check.h"

#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime {
namespace {

using ::testing::HasSubstr;

void Nothing(int64_t, int64_t, const int64_t*) {}

Plan GoodPlan() {
  Plan plan;
  plan.input_count = 1;
  plan.scalar_count = 1;
  plan.buffers = {{BufferKind::kInput, 0, 80}, {BufferKind::kNew, 0, 80}};
  Launch launch;
  launch.kernel = testing::MakeKernel(Nothing);
  launch.sizes = {10};
  PlanOperand in;
  in.buffer = 0;
  in.strides = {8};
  PlanOperand out = in;
  out.buffer = 1;
  launch.operands = {in, out};
  launch.input_count = 1;
  launch.scalars = {0};
  launch.combiners = {Combiner::kNone};
  plan.launches = {launch};
  Step allocate{Step::kAllocate};
  allocate.buffer = 1;
  Step run{Step::kLaunch};
  run.launch = 0;
  plan.steps = {allocate, run};
  plan.outputs = {1};
  return plan;
}

TEST(PlanCheckTest, AcceptsGoodPlans) {
  EXPECT_TRUE(CheckPlan(Plan{}).ok());
  EXPECT_TRUE(CheckPlan(GoodPlan()).ok()) << CheckPlan(GoodPlan());
}

TEST(PlanCheckTest, NamesWhatIsWrong) {
  struct Bad {
    const char* message;
    std::function<void(Plan&)> change;
  };
  const Bad bads[] = {
      {"input 3 of 1", [](Plan& p) { p.buffers[0].index = 3; }},
      {"step 0: buffer 1 does not exist now",
       [](Plan& p) { p.steps.erase(p.steps.begin()); }},
      {"exists already", [](Plan& p) { p.steps[1] = p.steps[0]; }},
      {"no launch 4", [](Plan& p) { p.steps[1].launch = 4; }},
      {"touches bytes 8 to 88",
       [](Plan& p) { p.launches[0].operands[0].offset = 8; }},
      {"touches bytes -72 to 8",
       [](Plan& p) { p.launches[0].operands[1].strides = {-8}; }},
      {"has 2 strides",
       [](Plan& p) { p.launches[0].operands[1].strides = {8, 8}; }},
      {"no scalar 1", [](Plan& p) { p.launches[0].scalars = {1}; }},
      {"0 combiners for 1", [](Plan& p) { p.launches[0].combiners.clear(); }},
      {"iota as an output",
       [](Plan& p) { p.launches[0].operands[1].buffer = kIotaBuffer; }},
      {"without a kernel", [](Plan& p) { p.launches[0].kernel = nullptr; }},
      {"joins every output",
       [](Plan& p) { p.launches[0].split = Split::kTree; }},
      {"has another buffer",
       [](Plan& p) { p.launches[0].lagged = {{1, 0, 0, {0}}}; }},
      {"outputs: buffer 0 does not exist",
       [](Plan& p) {
         Step drop{Step::kFree};
         drop.buffer = 0;
         p.steps.push_back(drop);
         p.outputs = {0};
       }},
      {"different size",
       [](Plan& p) {
         Step copy{Step::kCopy};
         copy.buffer = 1;
         copy.source = 0;
         p.buffers[1].bytes = 88;
         p.steps[1] = copy;
       }},
      {"a fill with 3 bytes",
       [](Plan& p) {
         Step fill{Step::kFill};
         fill.buffer = 1;
         fill.fill_size = 3;
         p.steps[1] = fill;
       }},
  };
  for (const Bad& bad : bads) {
    Plan plan = GoodPlan();
    bad.change(plan);
    const absl::Status status = CheckPlan(plan);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << bad.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.message));
  }
}

}  // namespace
}  // namespace fuseau::runtime

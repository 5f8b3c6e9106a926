#include "runtime/overlap.h"

#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/executor.h"
#include "runtime/plan_check.h"
#include "runtime/routine.h"
#include "runtime/testing/fake_kernel.h"
#include "runtime/transfer.h"

namespace fuseau::runtime {
namespace {

using testing::MakeKernel;
using testing::MapKernel;

constexpr int64_t kItem = 8;

std::atomic<int64_t> points{0};  // computed by the kernels of these tests

double Mean(const double* in, int) {
  ++points;
  return 0.3 * in[0] + 0.4 * in[1] - 0.2 * in[2];
}
double Same(const double* in, int) {
  ++points;
  return in[0];
}

// Neighbours whose messages depend on nothing but the number of the transfer.
// They take all of the source and fill all of the target, but only at the
// finish: until then the target has bytes that look like no result.
class Neighbours : public Exchanger {
 public:
  struct Sizes {
    int64_t source = 0;
    int64_t target = 0;
  };
  explicit Neighbours(std::vector<Sizes> sizes) : sizes_(std::move(sizes)) {}

  absl::Status Exchange(int64_t number, const char* source, char* target,
                        const std::atomic<bool>* cancel) override {
    const absl::Status started = Start(number, source, target);
    return started.ok() ? Finish(number, cancel) : started;
  }
  absl::Status ExchangeRouted(int64_t number, const char* source,
                              const int64_t*, char* target,
                              const std::atomic<bool>*) override {
    order += "r" + std::to_string(number) + " ";
    std::memcpy(target, source, sizes_[number].target);
    return absl::OkStatus();
  }
  absl::Status Start(int64_t number, const char* source,
                     char* target) override {
    order += "s" + std::to_string(number) + " ";
    sent[number] = std::string(source, sizes_[number].source);
    std::memset(target, 0xa5, sizes_[number].target);
    open_[number] = {target, points};
    return absl::OkStatus();
  }
  absl::Status Finish(int64_t number, const std::atomic<bool>*) override {
    order += "f" + std::to_string(number) + " ";
    const auto [target, before] = open_.at(number);
    meanwhile[number] = points - before;
    open_.erase(number);
    if (wants_work && meanwhile[number] == 0)
      return absl::DeadlineExceededError("nothing was computed meanwhile");
    auto* const elements = reinterpret_cast<double*>(target);
    for (int64_t i = 0; i < sizes_[number].target / kItem; ++i)
      elements[i] = static_cast<double>((number * 31 + i * 7) % 89);
    return absl::OkStatus();
  }
  void Progress() override { ++ticks; }
  void Drop() override { dropped += static_cast<int>(open_.size()); }

  // The neighbours' messages come only once something was computed.
  bool wants_work = false;
  std::string order;
  std::map<int64_t, std::string> sent;
  std::map<int64_t, int64_t> meanwhile;  // points
  int dropped = 0;
  int64_t ticks = 0;

 private:
  const std::vector<Sizes> sizes_;
  std::map<int64_t, std::pair<char*, int64_t>> open_;
};

// Plans over a few grids, written by hand or at random.
class Grids {
 public:
  static constexpr int kGrids = 3;

  Grids(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {
    for (int i = 0; i < kGrids; ++i) {
      plan.buffers.push_back({BufferKind::kInput, i, Bytes()});
      plan.outputs.push_back(i);
    }
    plan.input_count = kGrids;
  }

  int64_t Bytes() const { return rows_ * columns_ * kItem; }
  int64_t At(int64_t row, int64_t column) const {
    return (row * columns_ + column) * kItem;
  }

  // In place if x and y are the same.
  void AddStencil(int32_t x, int32_t y) {
    Launch launch;
    launch.kernel = MakeKernel(MapKernel<2, 3, 1, Mean>);
    launch.sizes = {rows_ - 2, columns_ - 2};
    const Dims steps = {columns_ * kItem, kItem};
    launch.operands = {{x, At(0, 1), steps, DType::kFloat64},
                       {x, At(2, 1), steps, DType::kFloat64},
                       {x, At(1, 0), steps, DType::kFloat64},
                       {y, At(1, 1), steps, DType::kFloat64}};
    launch.input_count = 3;
    if (x == y) launch.lagged = {{3, 1, 1, {0, 1, 2}}};
    Push(std::move(launch));
  }

  void AddCopyLaunch(Dims sizes, PlanOperand from, PlanOperand to) {
    Launch launch;
    launch.kernel = MakeKernel(sizes.size() == 1 ? MapKernel<1, 1, 1, Same>
                                                 : MapKernel<2, 1, 1, Same>);
    launch.sizes = std::move(sizes);
    launch.operands = {std::move(from), std::move(to)};
    launch.input_count = 1;
    Push(std::move(launch));
  }

  // Gets `count` rows of a grid from the neighbours on either side.
  void AddHalo(int32_t x, int64_t count) {
    const int64_t bytes = 2 * count * columns_ * kItem;
    const auto target = static_cast<int32_t>(plan.buffers.size());
    plan.buffers.push_back({BufferKind::kNew, 0, bytes});
    AddStep(Step::kAllocate, target);
    RoutineCall call;
    call.fn = FindRoutine("exchange");
    call.sizes = {bytes, Bytes()};
    call.reduced = 2;
    call.operands = {{x, 0, {0, 1}, DType::kUInt8},
                     {x, 0, {0, 1}, DType::kUInt8},
                     {target, 0, {1, 0}, DType::kUInt8}};
    call.attribute = static_cast<int64_t>(sizes.size());
    sizes.push_back({Bytes(), bytes});
    AddStep(Step::kRoutine, -1, static_cast<int32_t>(plan.routines.size()));
    plan.routines.push_back(call);
    for (const int64_t row : {int64_t{0}, rows_ - count}) {
      AddCopyLaunch(
          {count * columns_},
          {target, row == 0 ? 0 : bytes / 2, {kItem}, DType::kFloat64},
          {x, At(row, 0), {kItem}, DType::kFloat64});
    }
    AddStep(Step::kFree, target);
  }

  // Gets what ranks have selected of a grid, as many elements as its first row
  // has, and stores it there.
  void AddRoute(int32_t x) {
    const int64_t bytes = columns_ * kItem;
    const auto target = static_cast<int32_t>(plan.buffers.size());
    plan.buffers.push_back({BufferKind::kNew, 0, bytes});
    AddStep(Step::kAllocate, target);
    RoutineCall call;
    call.fn = FindRoutine("exchange");
    call.sizes = {bytes, Bytes(), 1};
    call.reduced = 6;
    call.operands = {{x, 0, {0, 1, 0}, DType::kUInt8},
                     {x, 0, {0, 1, 0}, DType::kUInt8},
                     {x, 0, {0, 0, kItem}, DType::kInt64},
                     {target, 0, {1, 0, 0}, DType::kUInt8}};
    call.attribute = static_cast<int64_t>(sizes.size());
    sizes.push_back({Bytes(), bytes});
    AddStep(Step::kRoutine, -1, static_cast<int32_t>(plan.routines.size()));
    plan.routines.push_back(call);
    AddCopyLaunch({columns_}, {target, 0, {kItem}, DType::kFloat64},
                  {x, At(1, 0), {kItem}, DType::kFloat64});
    AddStep(Step::kFree, target);
  }

  // A new buffer that takes a grid's edges and gives all back.
  void AddSwap(int32_t x) {
    const auto other = static_cast<int32_t>(plan.buffers.size());
    plan.buffers.push_back({BufferKind::kNew, 0, Bytes()});
    AddStep(Step::kAllocate, other);
    plan.copies.push_back(
        {{0, columns_ * kItem, {}, {}},
         {At(rows_ - 1, 0), columns_ * kItem, {}, {}},
         {0, kItem, {rows_}, {columns_ * kItem}},
         {At(0, columns_ - 1), kItem, {rows_}, {columns_ * kItem}}});
    Step& copy = AddStep(Step::kCopy, other,
                         static_cast<int32_t>(plan.copies.size()) - 1);
    copy.source = x;
    AddStencil(x, other);
    AddStep(Step::kCopy, x).source = other;
    AddStep(Step::kFree, other);
  }

  void AddAny(std::mt19937_64& random) {
    const auto any = [&](int64_t n) {
      return std::uniform_int_distribution<int64_t>(0, n - 1)(random);
    };
    const auto x = static_cast<int32_t>(any(kGrids));
    const auto y = static_cast<int32_t>((x + 1 + any(kGrids - 1)) % kGrids);
    const int64_t step = columns_ * kItem;
    switch (any(9)) {
      case 0:
      case 1:
        return AddHalo(x, 1 + any(2));
      case 2:
      case 3:
        return AddStencil(x, x);
      case 4:
        return AddStencil(x, y);
      case 5:  // a column
        return AddCopyLaunch({rows_},
                             {x, At(0, columns_ - 2), {step}, DType::kFloat64},
                             {x, At(0, columns_ - 1), {step}, DType::kFloat64});
      case 6:  // rows upside down
        return AddCopyLaunch(
            {rows_, columns_},
            {x, At(rows_ - 1, 0), {-step, kItem}, DType::kFloat64},
            {y, 0, {step, kItem}, DType::kFloat64});
      case 7:  // one row for all
        return AddCopyLaunch(
            {rows_, columns_},
            {x, At(any(rows_), 0), {0, kItem}, DType::kFloat64},
            {y, 0, {step, kItem}, DType::kFloat64});
      case 8:
        return AddSwap(x);
    }
  }

  Plan plan;
  std::vector<Neighbours::Sizes> sizes;

 private:
  Step& AddStep(Step::Kind kind, int32_t buffer, int32_t launch = -1) {
    Step step{};
    step.kind = kind;
    step.buffer = buffer;
    step.launch = launch;
    return plan.steps.emplace_back(step);
  }
  void Push(Launch launch) {
    launch.combiners = {Combiner::kNone};
    launch.bytes = 2 * Count(launch.sizes) * kItem;
    AddStep(Step::kLaunch, -1, static_cast<int32_t>(plan.launches.size()));
    plan.launches.push_back(std::move(launch));
  }

  const int64_t rows_;
  const int64_t columns_;
};

OverlapLimits All() {
  return {.latency = 1,
          .least_seconds = 0,
          .piece_seconds = 0,
          .saved_byte_seconds = 0};
}

absl::Status RunPlan(const Grids& grids, const Plan& plan,
                     Neighbours* neighbours, std::vector<double>* all,
                     int threads = 1) {
  Arena arena(int64_t{64} << 20);
  ThreadPool pool(threads);
  ExecuteOptions options;
  options.arena = &arena;
  options.pool = &pool;
  options.exchanger = neighbours;
  std::vector<BufferRef> inputs, outputs;
  for (int i = 0; i < Grids::kGrids; ++i) {
    inputs.push_back(*arena.Allocate(grids.Bytes()));
    auto* data = reinterpret_cast<double*>(inputs.back()->data());
    for (int64_t k = 0; k < grids.Bytes() / kItem; ++k)
      data[k] = static_cast<double>((k * 37 + i * 11) % 101);
  }
  const absl::Status status = Execute(plan, inputs, {}, &outputs, options);
  for (const BufferRef& b : outputs) {
    const auto* data = reinterpret_cast<const double*>(b->data());
    all->insert(all->end(), data, data + grids.Bytes() / kItem);
  }
  return status;
}

int Steps(const Plan& plan, Step::Kind kind) {
  int count = 0;
  for (const Step& step : plan.steps) count += step.kind == kind;
  return count;
}

TEST(Overlap, RandomPlansGiveAndSendTheSame) {
  int64_t moves = 0, meanwhile = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    std::mt19937_64 random(seed);
    Grids grids(5 + static_cast<int64_t>(seed % 29),
                4 + static_cast<int64_t>(seed % 7));
    const int steps = 3 + static_cast<int>(seed % 19);
    for (int i = 0; i < steps; ++i) grids.AddAny(random);
    ASSERT_EQ(CheckPlan(grids.plan), absl::OkStatus());
    Neighbours plain(grids.sizes);
    std::vector<double> expected;
    ASSERT_EQ(RunPlan(grids, grids.plan, &plain, &expected), absl::OkStatus());

    Plan plan = grids.plan;
    OverlapExchanges(&plan, All());
    ASSERT_EQ(CheckPlan(plan), absl::OkStatus()) << "seed " << seed;
    EXPECT_EQ(Steps(plan, Step::kStart), std::ssize(grids.sizes));
    moves += Steps(plan, Step::kMove);
    for (const int threads : {1, 3}) {
      Neighbours neighbours(grids.sizes);
      std::vector<double> got;
      ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got, threads),
                absl::OkStatus());
      ASSERT_EQ(got, expected) << "seed " << seed;
      ASSERT_EQ(neighbours.sent, plain.sent) << "seed " << seed;
      for (const auto& [number, computed] : neighbours.meanwhile)
        meanwhile += computed > 0;
    }
  }
  EXPECT_GT(moves, 500);
  EXPECT_GT(meanwhile, 1000);
}

TEST(Overlap, WhatIsUnderWayEndsBeforeARoute) {
  Grids grids(40, 6);
  grids.AddHalo(0, 3);
  grids.AddStencil(0, 0);
  grids.AddRoute(1);
  grids.AddHalo(2, 3);
  grids.AddStencil(2, 2);
  Neighbours plain(grids.sizes);
  std::vector<double> expected, got;
  ASSERT_EQ(RunPlan(grids, grids.plan, &plain, &expected), absl::OkStatus());

  Plan plan = grids.plan;
  OverlapExchanges(&plan, All());
  ASSERT_EQ(CheckPlan(plan), absl::OkStatus());
  Neighbours neighbours(grids.sizes);
  ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got), absl::OkStatus());
  EXPECT_EQ(got, expected);
  EXPECT_EQ(neighbours.order, "s0 f0 r1 s2 f2 ");
  EXPECT_GT(neighbours.meanwhile[0], 0);
}

TEST(Overlap, TheInteriorOfAStencilInPlaceRunsWhileItsHaloTravels) {
  Grids grids(40, 6);
  grids.AddHalo(0, 3);
  for (int step = 0; step < 3; ++step) grids.AddStencil(0, 0);
  Neighbours plain(grids.sizes);
  plain.wants_work = true;
  std::vector<double> expected, got;
  EXPECT_EQ(RunPlan(grids, grids.plan, &plain, &expected).code(),
            absl::StatusCode::kDeadlineExceeded);

  Plan plan = grids.plan;
  OverlapExchanges(&plan, All());
  Neighbours neighbours(grids.sizes);
  neighbours.wants_work = true;
  ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got), absl::OkStatus());
  // Rows 3 to 36 are there. Each step may compute two rows less than the one
  // before: of rows 1 to 38, those from 4 to 35, then from 5 to 34, 6 to 33.
  EXPECT_EQ(neighbours.meanwhile[0], (32 + 30 + 28) * 4);
  EXPECT_GT(neighbours.ticks, 0);
}

TEST(Overlap, NoMoreRunsMeanwhileThanTheExchangeTakes) {
  Grids grids(40, 6);
  grids.AddHalo(0, 3);
  for (int step = 0; step < 3; ++step) grids.AddStencil(0, 0);
  OverlapLimits limits = All();
  limits.latency = 1e-12;
  limits.byte_seconds = 0;
  Plan plan = grids.plan;
  OverlapExchanges(&plan, limits);
  Neighbours neighbours(grids.sizes);
  std::vector<double> got;
  ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got), absl::OkStatus());
  EXPECT_EQ(neighbours.meanwhile[0], 32 * 4);
}

TEST(Overlap, NotWorthWhile) {
  Grids grids(40, 6);
  grids.AddHalo(0, 3);
  grids.AddStencil(0, 0);
  const size_t steps = grids.plan.steps.size();
  OverlapExchanges(&grids.plan, {});
  EXPECT_EQ(grids.plan.steps.size(), steps);
  EXPECT_EQ(Steps(grids.plan, Step::kRoutine), 1);
}

// Outer rows are saved, which may cost more than the wait.
TEST(Overlap, NotWorthItsCopies) {
  for (const double saved_byte_seconds : {1e-12, 1e-6}) {
    Grids grids(12, 1000);
    grids.AddHalo(0, 1);
    grids.AddStencil(0, 0);
    OverlapLimits limits = All();
    limits.saved_byte_seconds = saved_byte_seconds;
    const size_t buffers = grids.plan.buffers.size();
    OverlapExchanges(&grids.plan, limits);
    Neighbours neighbours(grids.sizes);
    std::vector<double> got;
    ASSERT_EQ(RunPlan(grids, grids.plan, &neighbours, &got), absl::OkStatus());
    const bool worth = saved_byte_seconds < 1e-9;
    EXPECT_EQ(neighbours.meanwhile[0] > 0, worth);
    EXPECT_EQ(grids.plan.buffers.size() > buffers, worth);
  }
}

TEST(Overlap, ExchangesAndOtherWorkRunSideBySide) {
  Grids grids(8, 6);
  grids.AddHalo(0, 1);
  grids.AddHalo(1, 1);
  grids.AddStencil(2, 2);  // depends on none of them
  Plan plan = grids.plan;
  OverlapExchanges(&plan, All());
  Neighbours neighbours(grids.sizes);
  std::vector<double> got;
  ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got), absl::OkStatus());
  EXPECT_EQ(neighbours.order, "s0 s1 f0 f1 ");
  EXPECT_EQ(neighbours.meanwhile[0], 6 * 4);
}

TEST(Overlap, AnExchangeOfWhatDependsOnAnotherComesBehindIt) {
  Grids grids(8, 6);
  grids.AddHalo(0, 1);
  grids.AddStencil(0, 1);
  grids.AddHalo(1, 1);
  Plan plan = grids.plan;
  OverlapExchanges(&plan, All());
  Neighbours neighbours(grids.sizes);
  std::vector<double> got;
  ASSERT_EQ(RunPlan(grids, plan, &neighbours, &got), absl::OkStatus());
  EXPECT_EQ(neighbours.order, "s0 f0 s1 f1 ");
}

TEST(Overlap, ARunThatEndsEarlyGivesUpWhatIsUnderWay) {
  Grids grids(8, 6);
  grids.AddHalo(0, 1);
  grids.AddHalo(1, 1);
  Plan plan = grids.plan;
  OverlapExchanges(&plan, All());
  class Failing : public Neighbours {
   public:
    using Neighbours::Neighbours;
    absl::Status Finish(int64_t, const std::atomic<bool>*) override {
      return absl::UnavailableError("a rank is lost");
    }
  };
  Failing neighbours(grids.sizes);
  std::vector<double> got;
  EXPECT_EQ(RunPlan(grids, plan, &neighbours, &got).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(neighbours.dropped, 2);
}

TEST(Overlap, NobodyTouchesATargetThatIsUnderWay) {
  Grids grids(8, 6);
  grids.AddHalo(0, 1);
  Plan plan = grids.plan;
  for (Step& step : plan.steps)
    if (step.kind == Step::kRoutine) step.kind = Step::kStart;
  const absl::Status status = CheckPlan(plan);
  EXPECT_NE(status.message().find("under way"), std::string::npos) << status;
}

}  // namespace
}  // namespace fuseau::runtime

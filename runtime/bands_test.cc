#include "runtime/bands.h"

#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/executor.h"
#include "runtime/plan_check.h"
#include "runtime/stats.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime {
namespace {

using testing::MakeKernel;
using testing::MapKernel;

constexpr int64_t kItem = 8;

TEST(RowLimit, RowsThatFollowRows) {
  // Row i of the later launch touches rows i - 1 to i + 1 of the earlier one.
  const BandEdge edge{0, true, {100, 180, 100, 10}, {0, 280, 100, 10}};
  EXPECT_EQ(RowLimit(edge, 0), 0);
  EXPECT_EQ(RowLimit(edge, 1), 0);
  EXPECT_EQ(RowLimit(edge, 2), 1);
  EXPECT_EQ(RowLimit(edge, 9), 8);
  EXPECT_EQ(RowLimit(edge, 10), 10);
}

TEST(RowLimit, AllRowsOfALaunchThatStays) {
  // Every row reads the same bytes, which row 3 writes.
  const BandEdge edge{0, true, {0, 8, 8, 10}, {24, 32, 0, 50}};
  EXPECT_EQ(RowLimit(edge, 3), 0);
  EXPECT_EQ(RowLimit(edge, 4), 50);
}

TEST(RowLimit, RowsThatGoDown) {
  const BandEdge edge{0, true, {0, 8, 8, 10}, {72, 80, -8, 10}};
  EXPECT_EQ(RowLimit(edge, 5), 0);
  EXPECT_EQ(RowLimit(edge, 9), 0);
  EXPECT_EQ(RowLimit(edge, 10), 10);
  const BandEdge down{0, true, {72, 80, -8, 10}, {72, 80, -8, 10}};
  // What is still to come begins at the lowest address.
  EXPECT_EQ(RowLimit(down, 4), 4);
}

double Mean(const double* in, int) {
  return 0.3 * in[0] + 0.4 * in[1] - 0.2 * in[2];
}
double Same(const double* in, int) { return in[0]; }

// Random chains of launches over a few grids.
class Chain {
 public:
  Chain(uint64_t seed, int64_t rows, int64_t columns, int launches)
      : random_(seed), rows_(rows), columns_(columns) {
    for (int i = 0; i < kGrids; ++i) {
      plan_.buffers.push_back({BufferKind::kInput, i, Bytes()});
      plan_.outputs.push_back(i);
    }
    plan_.input_count = kGrids;
    for (int i = 0; i < launches; ++i) AddLaunch();
  }

  static constexpr int kGrids = 3;
  const Plan& plan() const { return plan_; }
  int64_t Bytes() const { return rows_ * columns_ * kItem; }

 private:
  int Any(int n) {
    return std::uniform_int_distribution<int>(0, n - 1)(random_);
  }
  int64_t At(int64_t row, int64_t column) const {
    return (row * columns_ + column) * kItem;
  }

  void AddLaunch() {
    const int32_t x = Any(kGrids);
    int32_t y = Any(kGrids);
    const Dims inner = {rows_ - 2, columns_ - 2};
    const Dims steps = {columns_ * kItem, kItem};
    switch (Any(8)) {
      case 0:
      case 1:
      case 2:
      case 3: {  // a stencil, in place if x and y are the same
        Launch launch;
        launch.kernel = MakeKernel(MapKernel<2, 3, 1, Mean>);
        launch.sizes = inner;
        launch.operands = {{x, At(0, 1), steps, DType::kFloat64},
                           {x, At(2, 1), steps, DType::kFloat64},
                           {x, At(1, 0), steps, DType::kFloat64},
                           {y, At(1, 1), steps, DType::kFloat64}};
        launch.input_count = 3;
        if (x == y) launch.lagged = {{3, 1, 1, {0, 1, 2}}};
        Push(std::move(launch), 3);
        break;
      }
      case 4:  // the first row
        Push(Copy({columns_}, {x, At(1, 0), {kItem}, DType::kFloat64},
                  {x, At(0, 0), {kItem}, DType::kFloat64}),
             1);
        break;
      case 5:  // the last column
        Push(
            Copy({rows_}, {x, At(0, columns_ - 2), {steps[0]}, DType::kFloat64},
                 {x, At(0, columns_ - 1), {steps[0]}, DType::kFloat64}),
            1);
        break;
      case 6:  // rows upside down
        if (y == x) y = (x + 1) % kGrids;
        Push(Copy({rows_, columns_},
                  {x, At(rows_ - 1, 0), {-steps[0], kItem}, DType::kFloat64},
                  {y, 0, steps, DType::kFloat64}),
             1);
        break;
      case 7:  // one row for all
        if (y == x) y = (x + 1) % kGrids;
        Push(Copy({rows_, columns_},
                  {x,
                   At(Any(static_cast<int>(rows_)), 0),
                   {0, kItem},
                   DType::kFloat64},
                  {y, 0, steps, DType::kFloat64}),
             1);
        break;
    }
  }

  static Launch Copy(Dims sizes, PlanOperand from, PlanOperand to) {
    Launch launch;
    launch.kernel = MakeKernel(sizes.size() == 1 ? MapKernel<1, 1, 1, Same>
                                                 : MapKernel<2, 1, 1, Same>);
    launch.sizes = std::move(sizes);
    launch.operands = {std::move(from), std::move(to)};
    launch.input_count = 1;
    return launch;
  }

  void Push(Launch launch, int reads) {
    launch.combiners = {Combiner::kNone};
    launch.bytes = (reads > 1 ? 2 : 1 + reads) * Count(launch.sizes) * kItem;
    Step step;
    step.kind = Step::kLaunch;
    step.launch = static_cast<int32_t>(plan_.launches.size());
    plan_.launches.push_back(std::move(launch));
    plan_.steps.push_back(step);
  }

  std::mt19937_64 random_;
  const int64_t rows_;
  const int64_t columns_;
  Plan plan_;
};

std::vector<double> Results(const Plan& plan, int64_t bytes, int threads) {
  Arena arena(int64_t{64} << 20);
  ThreadPool pool(threads);
  ExecuteOptions options;
  options.arena = &arena;
  options.pool = &pool;
  std::vector<double> all;
  std::vector<BufferRef> outputs;
  std::vector<BufferRef> inputs;
  for (int i = 0; i < Chain::kGrids; ++i) {
    inputs.push_back(*arena.Allocate(bytes));
    auto* data = reinterpret_cast<double*>(inputs.back()->data());
    for (int64_t k = 0; k < bytes / kItem; ++k) {
      data[k] = static_cast<double>((k * 37 + i * 11) % 101);
    }
  }
  const absl::Status status = Execute(plan, inputs, {}, &outputs, options);
  EXPECT_TRUE(status.ok()) << status.ToString();
  for (const BufferRef& b : outputs) {
    const auto* data = reinterpret_cast<const double*>(b->data());
    all.insert(all.end(), data, data + bytes / kItem);
  }
  outputs.clear();
  inputs.clear();
  return all;
}

TEST(Bands, RandomChainsGiveTheSame) {
  int64_t groups = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const int64_t rows = 4 + static_cast<int64_t>(seed % 29);
    const int64_t columns = 4 + static_cast<int64_t>(seed % 7);
    const Chain chain(seed, rows, columns, 2 + static_cast<int>(seed % 17));
    ASSERT_TRUE(CheckPlan(chain.plan()).ok());
    const std::vector<double> expected =
        Results(chain.plan(), chain.Bytes(), 1);
    Plan banded = chain.plan();
    BandLimits limits;
    limits.min_bytes = limits.min_bytes_alone = 0;
    limits.band_bytes = 64 + static_cast<int64_t>(seed % 5) * 400;
    GroupBands(&banded, limits);
    ASSERT_TRUE(CheckPlan(banded).ok());
    groups += static_cast<int64_t>(banded.groups.size());
    for (int threads : {1, 2, 3}) {
      ASSERT_EQ(Results(banded, chain.Bytes(), threads), expected)
          << "seed " << seed << ", " << threads << " threads";
    }
  }
  EXPECT_GT(groups, 200);
}

TEST(Bands, GroupsEndWhereTheirRowsLeaveTheCache) {
  // A hundred in-place sweeps over 200 rows of 4 KiB.
  Plan plan;
  constexpr int64_t kColumns = 512;
  plan.buffers.push_back({BufferKind::kInput, 0, 200 * kColumns * kItem});
  plan.input_count = 1;
  plan.outputs = {0};
  for (int i = 0; i < 100; ++i) {
    Launch launch;
    launch.kernel = MakeKernel(MapKernel<2, 1, 1, Same>);
    launch.sizes = {199, kColumns};
    launch.operands = {
        {0, 0, {kColumns * kItem, kItem}, DType::kFloat64},
        {0, kColumns * kItem, {kColumns * kItem, kItem}, DType::kFloat64}};
    launch.input_count = 1;
    launch.combiners = {Combiner::kNone};
    launch.lagged = {{1, 1, 0, {0}}};
    launch.bytes = 2 * 199 * kColumns * kItem;
    Step step;
    step.kind = Step::kLaunch;
    step.launch = i;
    plan.launches.push_back(launch);
    plan.steps.push_back(step);
  }
  BandLimits limits;
  limits.min_bytes = limits.min_bytes_alone = 0;
  limits.core_bytes = int64_t{128} << 10;
  Plan banded = plan;
  GroupBands(&banded, limits);
  EXPECT_GT(banded.groups.size(), 5u);
  EXPECT_LT(banded.groups.size(), 50u);
  size_t members = 0;
  for (const BandGroup& group : banded.groups) {
    members += group.members.size();
    // To wait for the launch right before is enough.
    for (const BandMember& m : group.members) EXPECT_LE(m.edges.size(), 3u);
  }
  // A launch may be left over.
  EXPECT_GE(members, 98u);
  // Between the two limits a group is for one thread.
  EXPECT_FALSE(banded.groups[0].alone);
  limits.min_bytes = int64_t{4} << 20;
  banded = plan;
  GroupBands(&banded, limits);
  ASSERT_FALSE(banded.groups.empty());
  EXPECT_TRUE(banded.groups[0].alone);
  // Arrays that fit the cache are left alone.
  limits.min_bytes = limits.min_bytes_alone = int64_t{4} << 20;
  GroupBands(&plan, limits);
  EXPECT_TRUE(plan.groups.empty());
}

TEST(Bands, ALaunchAndDetailsBeforeItAreNoGroup) {
  Plan plan;
  constexpr int64_t kRows = 200, kColumns = 512;
  plan.buffers.push_back({BufferKind::kInput, 0, kRows * kColumns * kItem});
  plan.input_count = 1;
  for (const int64_t rows : {int64_t{1}, kRows - 1}) {
    Launch launch;
    launch.kernel = MakeKernel(MapKernel<2, 1, 1, Same>);
    launch.sizes = {rows, kColumns};
    launch.operands = {
        {0, 0, {kColumns * kItem, kItem}, DType::kFloat64},
        {0, kColumns * kItem, {kColumns * kItem, kItem}, DType::kFloat64}};
    launch.input_count = 1;
    launch.combiners = {Combiner::kNone};
    if (rows > 1) launch.lagged = {{1, 1, 0, {0}}};
    launch.bytes = 2 * rows * kColumns * kItem;
    Step step;
    step.kind = Step::kLaunch;
    step.launch = static_cast<int32_t>(plan.launches.size());
    plan.launches.push_back(launch);
    plan.steps.push_back(step);
  }
  BandLimits limits;
  limits.min_bytes = limits.min_bytes_alone = 0;
  GroupBands(&plan, limits);
  EXPECT_TRUE(plan.groups.empty());
}

TEST(Bands, LimitsFollowTheCaches) {
  const CacheSizes small = {32 << 10, 256 << 10, 8 << 20};
  const CacheSizes large = {48 << 10, 2 << 20, 96 << 20};
  const BandLimits a = BandLimits::For(small), b = BandLimits::For(large);
  EXPECT_LT(a.min_bytes, b.min_bytes);
  EXPECT_LT(a.min_bytes_alone, a.min_bytes);
  EXPECT_LT(a.core_bytes, small.core);
  EXPECT_LT(b.core_bytes, large.core);
  EXPECT_LT(a.shared_bytes, small.shared);
  EXPECT_LE(a.band_bytes, a.core_bytes);
}

TEST(Bands, MemoryThatIsFreedIsNotNeededTwice) {
  Plan plan;
  const Dims steps = {64 * kItem, kItem};
  const int64_t bytes = 64 * 64 * kItem;
  plan.input_count = 1;
  plan.buffers.push_back({BufferKind::kInput, 0, bytes});
  for (int i = 1; i <= 4; ++i) {
    plan.buffers.push_back({BufferKind::kNew, 0, bytes});
    Step step;
    step.kind = Step::kAllocate;
    step.buffer = i;
    plan.steps.push_back(step);
    Launch launch;
    launch.kernel = MakeKernel(MapKernel<2, 1, 1, Same>);
    launch.sizes = {64, 64};
    launch.operands = {{i - 1, 0, steps, DType::kFloat64},
                       {i, 0, steps, DType::kFloat64}};
    launch.input_count = 1;
    launch.combiners = {Combiner::kNone};
    launch.bytes = 2 * bytes;
    plan.launches.push_back(launch);
    step.kind = Step::kLaunch;
    step.launch = i - 1;
    plan.steps.push_back(step);
    if (i > 1) {
      step.kind = Step::kFree;
      step.buffer = i - 1;
      plan.steps.push_back(step);
    }
  }
  plan.outputs = {4};
  BandLimits limits;
  limits.min_bytes = limits.min_bytes_alone = 0;
  limits.band_bytes = 4096;
  GroupBands(&plan, limits);
  ASSERT_TRUE(CheckPlan(plan).ok());
  // Never three of the new buffers at once.
  int live = 0;
  for (const Step& step : plan.steps) {
    if (step.kind == Step::kAllocate) ++live;
    if (step.kind == Step::kFree) --live;
    EXPECT_LE(live, 2);
  }
}

}  // namespace
}  // namespace fuseau::runtime

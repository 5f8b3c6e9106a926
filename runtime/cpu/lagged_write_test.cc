#include "runtime/cpu/lagged_write.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "runtime/testing/fake_kernel.h"

namespace fuseau::runtime {
namespace {

using testing::MakeKernel;
using testing::MapKernel;

constexpr int kReaders = 4;
constexpr int kInputs = kReaders + 1;  // the last one is another array

double Weighted(const double* in, int) {
  return in[0] + 2 * in[1] + 3 * in[2] - in[3] + in[4] / 3;
}

KernelFn KernelOfRank(int rank) {
  switch (rank) {
    case 1:
      return MapKernel<1, kInputs, 1, Weighted>;
    case 2:
      return MapKernel<2, kInputs, 1, Weighted>;
    default:
      return MapKernel<3, kInputs, 1, Weighted>;
  }
}

// A random in-place stencil: a window of an array is written from shifted
// windows of the same array and from one other array.
struct Case {
  Launch launch;
  std::vector<double> array;
  std::vector<double> other;
  std::vector<int64_t> output_offset;
  std::string text;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t Int(int64_t lo, int64_t hi) {
    return std::uniform_int_distribution<int64_t>(lo, hi)(engine_);
  }
  bool Chance(int percent) { return Int(1, 100) <= percent; }

 private:
  std::mt19937_64 engine_;
};

Case MakeCase(Random& random) {
  Case c;
  const int rank = static_cast<int>(random.Int(1, 3));
  Launch& launch = c.launch;
  launch.kernel = MakeKernel(KernelOfRank(rank));
  launch.input_count = kInputs;
  launch.combiners = {Combiner::kNone};
  launch.operands.resize(kInputs + 1);

  // The array, with its axes in any order in memory, and a last axis of which
  // only one element belongs to the window (a column of a matrix).
  const int64_t max_rows = random.Chance(10) ? 400 : 24;
  const int64_t column = random.Chance(25) ? random.Int(2, 5) : 1;
  std::vector<int64_t> margin(rank), step(rank), size(rank), length(rank);
  for (int d = 0; d < rank; ++d) {
    margin[d] = random.Int(0, d == 0 && random.Chance(20) ? 9 : 3);
    step[d] = random.Chance(25) ? random.Int(2, 3) : 1;
    size[d] = random.Chance(3) ? 0 : random.Int(1, d == 0 ? max_rows : 12);
    length[d] = 2 * margin[d] + std::max<int64_t>(0, size[d] - 1) * step[d] + 1;
  }
  std::vector<int> order(rank);
  for (int d = 0; d < rank; ++d) order[d] = d;
  if (random.Chance(25)) {
    for (int d = rank - 1; d > 0; --d) {
      std::swap(order[d], order[random.Int(0, d)]);
    }
  }
  std::vector<int64_t> unit(rank);
  int64_t total = column;
  for (int i = rank - 1; i >= 0; --i) {
    unit[order[i]] = total * 8;
    total *= length[order[i]];
  }
  c.array.resize(total);
  for (double& x : c.array) x = static_cast<double>(random.Int(-999, 999));

  launch.sizes.assign(size.begin(), size.end());
  LaggedWrite lag;
  lag.output = kInputs;
  PlanOperand window;
  window.offset = random.Int(0, column - 1) * 8;
  for (int d = 0; d < rank; ++d) {
    const bool flip = d > 0 && random.Chance(20);
    window.offset += (margin[d] + (flip ? (size[d] - 1) * step[d] : 0)) *
                     (size[d] == 0 ? 0 : unit[d]);
    window.strides.push_back((flip ? -1 : 1) * step[d] * unit[d]);
  }
  launch.operands[kInputs] = window;
  for (int r = 0; r < kReaders; ++r) {
    PlanOperand reader = window;
    for (int d = 0; d < rank; ++d) {
      if (size[d] == 0) continue;
      const int64_t shift = random.Int(-margin[d], margin[d]);
      reader.offset += shift * unit[d];
      if (d == 0) {
        const int64_t away = shift < 0 ? -shift : shift;
        const int64_t rows = (away + step[0] - 1) / step[0];
        int64_t& reach = shift < 0 ? lag.behind : lag.ahead;
        reach = std::max(reach, rows);
      } else if (random.Chance(10)) {
        reader.strides[d] = 0;
      }
    }
    launch.operands[r] = reader;
    lag.readers.push_back(r);
  }
  launch.lagged = {lag};
  // The other array, read backwards.
  c.other.resize(std::max<int64_t>(1, Count(launch.sizes)));
  for (double& x : c.other) x = static_cast<double>(random.Int(-99, 99));
  PlanOperand& other = launch.operands[kReaders];
  other.strides = DenseStrides(launch.sizes, 8);
  if (size[0] > 0) {
    other.offset = (size[0] - 1) * other.strides[0];
    other.strides[0] = -other.strides[0];
  }
  c.text = absl::StrCat("sizes ", absl::StrJoin(launch.sizes, ","), " strides ",
                        absl::StrJoin(window.strides, ","), " behind ",
                        lag.behind, " ahead ", lag.ahead);
  return c;
}

Arguments Bind(const Launch& launch, const char* readers, char* output,
               const char* other) {
  Arguments args(launch);
  for (int i = 0; i < kReaders; ++i) {
    args.set_pointer(i, readers + launch.operands[i].offset);
  }
  args.set_pointer(kReaders, other + launch.operands[kReaders].offset);
  args.set_pointer(kInputs, output + launch.operands[kInputs].offset);
  return args;
}

std::vector<double> Expected(const Case& c) {
  std::vector<double> result = c.array;
  Bind(c.launch, reinterpret_cast<const char*>(c.array.data()),
       reinterpret_cast<char*>(result.data()),
       reinterpret_cast<const char*>(c.other.data()))
      .Call(0, c.launch.sizes[0]);
  return result;
}

class LaggedWriteTest : public ::testing::TestWithParam<int> {
 protected:
  LaggedWriteTest() : pool_(GetParam()), arena_(int64_t{64} << 20) {
    context_.pool = &pool_;
    context_.arena = &arena_;
  }

  std::vector<double> Run(const Case& c, const LaggedTuning& tuning) {
    std::vector<double> array = c.array;
    char* const data = reinterpret_cast<char*>(array.data());
    const Arguments args = Bind(c.launch, data, data,
                                reinterpret_cast<const char*>(c.other.data()));
    const absl::Status status = RunLagged(c.launch, args, context_, tuning);
    EXPECT_TRUE(status.ok()) << status;
    return array;
  }

  ThreadPool pool_;
  Arena arena_;
  RunContext context_;
};

TEST_P(LaggedWriteTest, EqualsTheSameKernelOnACopy) {
  Random random(7 + GetParam());
  for (int i = 0; i < 1500; ++i) {
    Case c = MakeCase(random);
    // Large enough for the executor to cut by itself now and then.
    c.launch.bytes = random.Chance(50) ? 100'000'000 : 0;
    LaggedTuning tuning;
    if (random.Chance(70)) {
      tuning.chunks =
          random.Int(1, std::max<int64_t>(1, c.launch.sizes[0]) + 2);
    }
    if (random.Chance(60)) tuning.tile_rows = random.Int(1, 6);
    if (random.Chance(40)) tuning.piece_lines = random.Int(1, 7);
    tuning.whole = random.Chance(15);
    ASSERT_EQ(Run(c, tuning), Expected(c))
        << "case " << i << ": " << c.text << " chunks " << tuning.chunks
        << " tile " << tuning.tile_rows << " piece " << tuning.piece_lines
        << " whole " << tuning.whole;
  }
  EXPECT_EQ(arena_.usage().live_bytes, 0);
}

// Large rows, and single rows as elements.
TEST_P(LaggedWriteTest, LargeArraysByDefaultTuning) {
  for (const Dims& sizes : {Dims{300, 5000}, Dims{700'000}, Dims{3, 90'000},
                            Dims{12, 60, 700}, Dims{40, 30'000}}) {
    const int rank = static_cast<int>(sizes.size());
    Dims whole = sizes;
    for (int64_t& n : whole) n += 2;
    Case c;
    c.launch.kernel = MakeKernel(KernelOfRank(rank));
    c.launch.sizes = sizes;
    c.launch.input_count = kInputs;
    c.launch.combiners = {Combiner::kNone};
    c.array.resize(Count(whole));
    c.other.resize(Count(sizes));
    for (size_t i = 0; i < c.array.size(); ++i) {
      c.array[i] = static_cast<double>(i * 7919 % 1013);
    }
    PlanOperand window;
    window.strides = DenseStrides(whole, 8);
    for (int64_t stride : window.strides) window.offset += stride;
    for (int r = 0; r < kReaders; ++r) {
      PlanOperand reader = window;
      // Up, down, back and forth along the last dimension.
      reader.offset += r == 0   ? -window.strides[0]
                       : r == 1 ? window.strides[0]
                       : r == 2 ? -8
                                : 8;
      c.launch.operands.push_back(reader);
    }
    PlanOperand other;
    other.strides = DenseStrides(sizes, 8);
    c.launch.operands.push_back(other);
    c.launch.operands.push_back(window);
    c.launch.lagged.push_back({kInputs, 1, 1, {0, 1, 2, 3}});
    c.launch.bytes = Count(sizes) * 24;
    EXPECT_EQ(Run(c, {}), Expected(c)) << absl::StrJoin(sizes, ",");
  }
}

TEST_P(LaggedWriteTest, RefusesRowsThatDoNotAdvanceAlike) {
  Random random(3);
  Case c = MakeCase(random);
  while (c.launch.sizes[0] < 2) c = MakeCase(random);
  c.launch.operands[0].strides[0] *= 2;
  char* const data = reinterpret_cast<char*>(c.array.data());
  const Arguments args = Bind(c.launch, data, data, data);
  EXPECT_EQ(RunLagged(c.launch, args, context_).code(),
            absl::StatusCode::kInternal);
}

TEST_P(LaggedWriteTest, StopsWhenInterrupted) {
  std::atomic<bool> cancel{true};
  context_.cancel = &cancel;
  Random random(5);
  Case c = MakeCase(random);
  while (Count(c.launch.sizes) == 0) c = MakeCase(random);
  const std::vector<double> before = c.array;
  char* const data = reinterpret_cast<char*>(c.array.data());
  const Arguments args =
      Bind(c.launch, data, data, reinterpret_cast<const char*>(c.other.data()));
  EXPECT_EQ(RunLagged(c.launch, args, context_).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(c.array, before);
}

INSTANTIATE_TEST_SUITE_P(Threads, LaggedWriteTest,
                         ::testing::Values(1, 2, 3, 8));

}  // namespace
}  // namespace fuseau::runtime

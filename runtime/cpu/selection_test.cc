#include "runtime/selection.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace fuseau::runtime {
namespace {

struct MaskRun {
  std::vector<char> mask;
  std::vector<int64_t> places;  // of what it selects
};

// A mask of n elements, `step` bytes apart; true bytes may have any value.
MaskRun RandomRun(int64_t n, int64_t step, double share, std::mt19937& random) {
  MaskRun run{std::vector<char>(n * step + 1), {}};
  for (int64_t i = 0; i < n; ++i) {
    if (std::uniform_real_distribution<>()(random) >= share) continue;
    run.mask[i * step] = static_cast<char>(1 + random() % 255);
    run.places.push_back(i);
  }
  return run;
}

template <typename F>
void ForEachRun(F&& f) {
  std::mt19937 random(7);
  for (int64_t n : {0, 1, 63, 64, 65, 200, 1000, 20000}) {
    for (int64_t step : {1, 3}) {
      for (double share : {0.0, 0.01, 0.5, 1.0}) {
        SCOPED_TRACE(testing::Message() << n << " " << step << " " << share);
        f(n, step, RandomRun(n, step, share, random));
      }
    }
  }
}

TEST(SelectionTest, Counts) {
  ForEachRun([](int64_t n, int64_t step, const MaskRun& run) {
    EXPECT_EQ(CountSelected(run.mask.data(), step, n),
              static_cast<int64_t>(run.places.size()));
  });
}

TEST(SelectionTest, CopiesAndWritesNothingBeyondTheEnd) {
  for (int64_t item : {1, 2, 4, 8, 16}) {
    for (int64_t gap : {1, 2}) {
      ForEachRun([&](int64_t n, int64_t step, const MaskRun& run) {
        std::vector<char> from(n * item * gap + 1);
        for (size_t i = 0; i < from.size(); ++i)
          from[i] = static_cast<char>(i * 7 + i / 256);
        const int64_t bytes = static_cast<int64_t>(run.places.size()) * item;
        std::vector<char> want(bytes + 64, 'x'), out(bytes + 64, 'x');
        for (size_t k = 0; k < run.places.size(); ++k)
          std::memcpy(&want[k * item], &from[run.places[k] * item * gap], item);
        char* end = CopySelected(item, from.data(), item * gap, run.mask.data(),
                                 step, n, out.data(), out.data() + bytes);
        EXPECT_EQ(end, out.data() + bytes);
        EXPECT_EQ(out, want);
      });
    }
  }
}

TEST(SelectionTest, PlacesOfATrueMask) {
  ForEachRun([](int64_t n, int64_t step, const MaskRun& run) {
    const size_t count = run.places.size();
    std::vector<int64_t> want(count + 8, -1), out(count + 8, -1);
    for (size_t k = 0; k < count; ++k) want[k] = run.places[k] + 5;
    int64_t* end = SelectedPlaces(run.mask.data(), step, n, 5, out.data(),
                                  out.data() + count);
    EXPECT_EQ(end, out.data() + count);
    EXPECT_EQ(out, want);
  });
}

}  // namespace
}  // namespace fuseau::runtime

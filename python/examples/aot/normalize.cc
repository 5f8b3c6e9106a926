// A C++ program that normalizes points: normalize.h comes from
// `fuseau compile kernels.py:normalize --arg "f32[n,3]"`.
#include "normalize.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 5;
  std::vector<float> points, result(3 * n), mean(3);
  for (std::int64_t i = 0; i < 3 * n; ++i)
    points.push_back(static_cast<float>(i * i % 97) / 9);

  try {
    fuseau::normalize(fuseau::View<const float, 2>(points.data(), {n, 3}),
                      fuseau::View<float, 2>(result.data(), {n, 3}), mean);
    // A shape that the function was not compiled for is an error, not a crash.
    fuseau::normalize(fuseau::View<const float, 2>(points.data(), {n, 3}),
                      fuseau::View<float, 2>(result.data(), {n, 2}), mean);
  } catch (const fuseau::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  for (float x : result) std::printf("%a\n", x);
  for (float x : mean) std::printf("%a\n", x);
}

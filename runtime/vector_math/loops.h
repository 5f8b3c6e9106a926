// From functions of vectors to loops over arrays, as runtime/inner_loops.h
// wants them.
#pragma once

#include "runtime/inner_loops.h"
#include "runtime/vector_math/sin_cos.h"
#include "runtime/vector_math/vector_math.h"

namespace fuseau::runtime::vector_math {
namespace {

// One input, one output, of float64 with any steps. Lanes beyond the end repeat
// the last element, so they raise no flag of their own.
template <int N, typename Function>
void UnaryLoop(char** args, const int64_t* dimensions, const int64_t* steps,
               void* /*data*/) {
  constexpr int64_t kItem = sizeof(double);
  const int64_t count = dimensions[0];
  for (int64_t i = 0; i < count; i += N) {
    const char* const from = args[0] + i * steps[0];
    char* const to = args[1] + i * steps[1];
    const int lanes = static_cast<int>(count - i < N ? count - i : N);
    Doubles<N> x;
    if (lanes == N && steps[0] == kItem) {
      std::memcpy(&x, from, sizeof(x));
    } else {
      for (int lane = 0; lane < N; ++lane) {
        double element;
        const int source = lane < lanes ? lane : lanes - 1;
        std::memcpy(&element, from + source * steps[0], kItem);
        x[lane] = element;
      }
    }
    Integers<N> hard;
    Doubles<N> y = Function::Vector(x, &hard);
    if (__builtin_reduce_or(hard) != 0) [[unlikely]] {
      for (int lane = 0; lane < lanes; ++lane) {
        if (hard[lane] != 0) y[lane] = Function::Scalar(x[lane]);
      }
    }
    if (lanes == N && steps[1] == kItem) {
      std::memcpy(to, &y, sizeof(y));
    } else {
      for (int lane = 0; lane < lanes; ++lane) {
        const double element = y[lane];
        std::memcpy(to + lane * steps[1], &element, kItem);
      }
    }
  }
}

template <int N>
constexpr NamedLoop kLoops[] = {
    {"sin.d->d", {UnaryLoop<N, Sine<N>>}},
    {"cos.d->d", {UnaryLoop<N, Cosine<N>>}},
};

}  // namespace
}  // namespace fuseau::runtime::vector_math

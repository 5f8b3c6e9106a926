// Times an in-place 5-point stencil against the same kernel with an output of
// its own: lagged_write_bench [repetitions [sizes]].
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include "absl/strings/str_join.h"
#include "runtime/arena.h"
#include "runtime/cpu/lagged_write.h"
#include "runtime/cpu/launch.h"

namespace fuseau::runtime {
namespace {

// The 5-point stencil in two dimensions, the 7-point one in three: the centre,
// then both neighbours along each dimension.
template <int kRank>
void Stencil(int64_t lo, int64_t hi, const int64_t* args) {
  constexpr int kInputs = 2 * kRank + 1;
  const int64_t lines = kRank == 3 ? args[1] : 1;
  const int64_t n = args[kRank - 1];
  for (int64_t i = lo; i < hi; ++i) {
    for (int64_t k = 0; k < lines; ++k) {
      double* line[kInputs + 1];
      for (int p = 0; p <= kInputs; ++p) {
        const int64_t* slot = args + OperandSlot(kRank, p);
        line[p] = reinterpret_cast<double*>(slot[0] + i * slot[1] +
                                            (kRank == 3 ? k * slot[2] : 0));
      }
      double* __restrict out = line[kInputs];
      for (int64_t j = 0; j < n; ++j) {
        double sum = line[0][j];
        for (int p = 1; p < kInputs; ++p) sum += line[p][j];
        out[j] = 0.2 * sum;
      }
    }
  }
}

struct BenchKernel : Kernel {};

// For one thread the time of its processor, which others on the machine do not
// change; for several the time that passed.
double Now(int threads) {
  timespec t;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e3 +
         static_cast<double>(t.tv_nsec) * 1e-6;
}

// Milliseconds of one call, of the fastest among `best` and this one.
void Time(int threads, double* best, absl::FunctionRef<void()> work) {
  const double start = Now(threads);
  work();
  *best = std::min(*best, Now(threads) - start);
}

void Bench(const Dims& sizes, int repetitions) {
  const int rank = static_cast<int>(sizes.size());
  const int inputs = 2 * rank + 1;
  Dims whole_sizes = sizes;
  for (int64_t& n : whole_sizes) n += 2;
  const Dims strides = DenseStrides(whole_sizes, 8);
  const int64_t bytes = Count(whole_sizes) * 8;
  Arena& arena = Arena::Global();
  BufferRef array = *arena.Allocate(bytes);
  BufferRef first = *arena.Allocate(bytes);
  BufferRef result = *arena.Allocate(bytes);
  double* x = reinterpret_cast<double*>(first->data());
  for (int64_t i = 0; i < bytes / 8; ++i) {
    x[i] = static_cast<double>(i * 7919 % 1013);
  }
  std::memcpy(array->data(), first->data(), bytes);
  std::memcpy(result->data(), first->data(), bytes);

  auto kernel = std::make_shared<BenchKernel>();
  kernel->fn = rank == 3 ? Stencil<3> : Stencil<2>;
  Launch launch;
  launch.kernel = kernel;
  launch.sizes = sizes;
  launch.input_count = inputs;
  launch.combiners = {Combiner::kNone};
  launch.bytes = 2 * bytes;
  PlanOperand window;
  window.strides = strides;
  for (int64_t stride : strides) window.offset += stride;
  launch.operands.assign(inputs + 1, window);
  LaggedWrite lag;
  lag.output = inputs;
  lag.behind = lag.ahead = 1;
  for (int i = 0; i < inputs; ++i) {
    if (i > 0) {
      launch.operands[i].offset += (i % 2 == 0 ? 1 : -1) * strides[(i - 1) / 2];
    }
    lag.readers.push_back(i);
  }
  launch.lagged = {lag};
  auto bind = [&](const BufferRef& in, const BufferRef& out) {
    Arguments args(launch);
    for (int i = 0; i <= inputs; ++i) {
      args.set_pointer(
          i, (i == inputs ? out : in)->data() + launch.operands[i].offset);
    }
    return args;
  };
  const Arguments in_place = bind(array, array);
  const Arguments separate = bind(first, result);

  for (int threads : {1, 2}) {
    ThreadPool pool(threads);
    RunContext context;
    context.pool = &pool;
    context.arena = &arena;
    (void)RunRows(launch, separate, context);
    std::memcpy(array->data(), first->data(), bytes);
    (void)RunLagged(launch, in_place, context);
    const bool equal = std::memcmp(array->data(), result->data(), bytes) == 0;
    // Alternately, so that a slow phase of the machine hits all alike.
    double apart = 1e9, lagged = 1e9, whole = 1e9, copy = 1e9;
    for (int i = 0; i < repetitions; ++i) {
      Time(threads, &apart, [&] { (void)RunRows(launch, separate, context); });
      Time(threads, &lagged,
           [&] { (void)RunLagged(launch, in_place, context); });
      LaggedTuning tuning;
      tuning.whole = true;
      Time(threads, &whole,
           [&] { (void)RunLagged(launch, in_place, context, tuning); });
      Time(threads, &copy,
           [&] { std::memcpy(result->data(), first->data(), bytes); });
    }
    std::printf(
        "%s, %d threads: separate %.3f ms, lagged %.3f ms (%.2f), scratch and "
        "back %.3f ms, memcpy %.3f ms, %s\n",
        absl::StrJoin(sizes, " x ").c_str(), threads, apart, lagged,
        lagged / apart, whole, copy, equal ? "equal" : "NOT EQUAL");
  }
}

}  // namespace
}  // namespace fuseau::runtime

int main(int argc, char** argv) {
  fuseau::Dims sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::atoll(argv[i]));
  if (sizes.empty()) sizes = {4000, 4000};
  if (sizes.size() != 2 && sizes.size() != 3) {
    std::fprintf(stderr, "give two or three sizes\n");
    return 1;
  }
  fuseau::runtime::Bench(sizes, argc > 1 ? std::atoi(argv[1]) : 20);
}

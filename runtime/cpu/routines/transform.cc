// Fourier transforms, by NumPy's loops, which take a line each.
#include <cmath>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {

absl::Status Transform(const RoutineCall& call, Addresses addresses,
                       const RunContext& context) {
  constexpr double kSecondsPerStep = 1.5e-9;
  const int last = static_cast<int>(call.sizes.size()) - 1;
  const int axis = static_cast<int>(call.attribute);
  const int64_t in = call.sizes[last], out = call.sizes[axis];
  const int64_t steps[5] = {0, 0, 0, call.operands[0].strides[last],
                            call.output().strides[axis]};
  const int core[2] = {axis, last};
  const Points lines(call, DimensionsBut(call, core));
  const double seconds = kSecondsPerStep *
                         static_cast<double>(lines.count() * out) *
                         std::log2(static_cast<double>(out) + 1);
  return InPieces(context, seconds, lines.count(), [&](int64_t lo, int64_t hi) {
    lines.ForEach(lo, hi, addresses, [&](char** at) {
      const int64_t sizes[3] = {1, in, out};
      char* args[3] = {at[0], at[1], at[2]};
      call.loop->fn(args, sizes, steps, call.loop->data);
    });
  });
}

}  // namespace fuseau::runtime

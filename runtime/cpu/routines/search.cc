// Places at which elements would be put into a sorted line.
#include <cstring>

#include "runtime/cpu/routines/less.h"
#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/quiet.h"
#include "runtime/cpu/routines/routines.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerStep = 2e-9;

template <typename T>
T Load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

// The first place whose element is not less than the key; with `right`, that is
// greater.
template <typename T>
int64_t PlaceOf(T key, const char* line, int64_t step, int64_t n, bool right) {
  int64_t lo = 0, hi = n;
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    const T element = Load<T>(line + middle * step);
    if (right ? !Less(key, element) : Less(element, key)) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo;
}

}  // namespace

absl::Status SearchSorted(const RoutineCall& call, Addresses addresses,
                          const RunContext& context) {
  const int last = static_cast<int>(call.sizes.size()) - 1;
  const int64_t n = call.sizes[last];
  const int64_t step = call.operands[0].strides[last];
  const bool right = call.attribute != 0;
  const int core[1] = {last};
  const Points keys(call, DimensionsBut(call, core));
  double steps = 1;
  for (int64_t left = n; left > 0; left /= 2) ++steps;
  return InPieces(context,
                  kSecondsPerStep * steps * static_cast<double>(keys.count()),
                  keys.count(), [&](int64_t lo, int64_t hi) {
                    const Quiet quiet;
                    Visit(call.operands[0].dtype, [&](auto tag) {
                      using T = decltype(tag);
                      keys.ForEach(lo, hi, addresses, [&](char** at) {
                        const int64_t place =
                            PlaceOf(Load<T>(at[1]), at[0], step, n, right);
                        std::memcpy(at[2], &place, sizeof(place));
                      });
                    });
                  });
}

}  // namespace fuseau::runtime

// Merging of sorted runs, in NumPy's order of elements.
#include <algorithm>
#include <cstring>

#include "runtime/cpu/routines/less.h"
#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/quiet.h"
#include "runtime/cpu/routines/routines.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerElement = 2e-9;

template <typename T>
struct Run {
  const T* keys;
  const int64_t* places;  // null if equal keys are the same
  int64_t count;
};

// Whether element j of `b` comes before element i of `a`.
template <typename T>
bool Before(const Run<T>& b, int64_t j, const Run<T>& a, int64_t i) {
  if (Less(b.keys[j], a.keys[i])) return true;
  if (b.places == nullptr || Less(a.keys[i], b.keys[j])) return false;
  return b.places[j] < a.places[i];
}

// How many of the first `k` elements of both come from `a`.
template <typename T>
int64_t Split(const Run<T>& a, const Run<T>& b, int64_t k) {
  int64_t lo = std::max<int64_t>(0, k - b.count), hi = std::min(k, a.count);
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (Before(b, k - middle - 1, a, middle)) {
      hi = middle;
    } else {
      lo = middle + 1;
    }
  }
  return lo;
}

// Elements [first, last) of both; the results begin at element `first`.
template <typename T>
void MergeRange(const Run<T>& a, const Run<T>& b, int64_t first, int64_t last,
                T* keys, int64_t* places) {
  int64_t i = Split(a, b, first), j = first - i;
  for (int64_t k = 0; k < last - first; ++k) {
    const bool second = i == a.count || (j < b.count && Before(b, j, a, i));
    const Run<T>& from = second ? b : a;
    int64_t& at = second ? j : i;
    keys[k] = from.keys[at];
    if (places != nullptr) places[k] = from.places[at];
    ++at;
  }
}

template <typename T>
absl::Status MergeRuns(const RoutineCall& call, Addresses addresses,
                       const RunContext& context) {
  const bool placed = call.operands.size() == 5;
  const auto run = [&](int k) {
    return Run<T>{
        reinterpret_cast<const T*>(addresses[k]),
        placed ? reinterpret_cast<const int64_t*>(addresses[2 + k]) : nullptr,
        call.sizes[1 + k]};
  };
  const Run<T> a = run(0), b = run(1);
  const int64_t element = sizeof(T) + (placed ? sizeof(int64_t) : 0);
  const int64_t count = call.sizes[0] / element;
  const int64_t first = call.attribute == 0 ? 0 : a.count + b.count - count;
  char* const out = addresses[addresses.size() - 1];
  int64_t* const places = placed ? reinterpret_cast<int64_t*>(out) : nullptr;
  T* const keys = reinterpret_cast<T*>(
      placed ? out + count * static_cast<int64_t>(sizeof(int64_t)) : out);
  return InPieces(context, kSecondsPerElement * static_cast<double>(count),
                  count, [&](int64_t lo, int64_t hi) {
                    MergeRange(a, b, first + lo, first + hi, keys + lo,
                               placed ? places + lo : nullptr);
                  });
}

}  // namespace

absl::Status Merge(const RoutineCall& call, Addresses addresses,
                   const RunContext& context) {
  const Quiet quiet;
  absl::Status status;
  Visit(call.operands[0].dtype, [&](auto tag) {
    status = MergeRuns<decltype(tag)>(call, addresses, context);
  });
  return status;
}

}  // namespace fuseau::runtime

// Sorting, places of extremes, counting. Lines are sorted and searched by
// NumPy's own functions on dense memory, so ties fall as in NumPy.
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/cpu/machine.h"
#include "runtime/cpu/routines/elements.h"
#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/quiet.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerCompare = 1.5e-9;
constexpr double kSecondsPerSearch = 0.4e-9;
constexpr int64_t kWorthMerging = 1 << 15;

void CallLoop(const RoutineCall& call, char* a, char* b, int64_t n) {
  char* args[2] = {a, b};
  call.loop->fn(args, &n, nullptr, call.loop->data);
}

void CopyLine(const char* from, int64_t from_step, char* to, int64_t to_step,
              int64_t n, int64_t item) {
  if (from_step == item && to_step == item) {
    std::memcpy(to, from, static_cast<size_t>(n * item));
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(to + i * to_step, from + i * from_step,
                static_cast<size_t>(item));
  }
}

// NaN is the largest of all, as NumPy sorts.
template <typename T>
bool Less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a < b || (b != b && a == a);
  return a < b;
}

// Zeros of both signs are equal, but have different bits: where they stand in
// the result depends on how NumPy would sort all of it at once.
template <typename T>
bool HasZerosOfBothSigns(const T* parts, int64_t n, int64_t pieces) {
  if constexpr (std::is_floating_point_v<T>) {
    bool plus = false, minus = false;
    const int64_t length = n / pieces;
    for (int64_t p = 0; p < pieces; ++p) {
      const T* end = p + 1 == pieces ? parts + n : parts + (p + 1) * length;
      auto [lo, hi] = std::equal_range(parts + p * length, end, T{0}, Less<T>);
      for (; lo != hi; ++lo) (std::signbit(*lo) ? minus : plus) = true;
    }
    return plus && minus;
  }
  return false;
}

// Splits the merge of two sorted runs into `pieces` of equal length and does
// piece `p`.
template <typename T>
void MergePiece(const T* a, int64_t na, const T* b, int64_t nb, T* out,
                int64_t p, int64_t pieces) {
  // How many of the first `k` results come from `a`.
  const auto split = [&](int64_t k) {
    int64_t lo = std::max<int64_t>(0, k - nb), hi = std::min(k, na);
    while (lo < hi) {
      const int64_t mid = lo + (hi - lo) / 2;
      if (Less(b[k - mid - 1], a[mid])) {
        hi = mid;
      } else {
        lo = mid + 1;
      }
    }
    return lo;
  };
  const int64_t n = na + nb;
  const int64_t first = n * p / pieces, last = n * (p + 1) / pieces;
  int64_t i = split(first), j = first - i;
  const int64_t i_end = split(last), j_end = last - i_end;
  T* to = out + first;
  while (i < i_end && j < j_end) {
    const bool second = Less(b[j], a[i]);
    *to++ = second ? b[j] : a[i];
    j += second;
    i += !second;
  }
  to = std::copy(a + i, a + i_end, to);
  std::copy(b + j, b + j_end, to);
}

// One long line of real numbers: parts are sorted side by side, then merged.
template <typename T>
absl::Status SortLong(const RoutineCall& call, Addresses addresses,
                      const RunContext& context) {
  const int64_t n = call.sizes[0], item = sizeof(T);
  const int64_t step = call.operands[0].strides[0];
  const int64_t pieces = 2;
  const int64_t half = n / pieces;
  FUSEAU_ASSIGN_OR_RETURN(const BufferRef scratch,
                          context.arena->Allocate(n * item));
  T* parts = reinterpret_cast<T*>(scratch->data());
  T* out = reinterpret_cast<T*>(addresses[1]);
  context.pool->ParallelFor(pieces, [&](int64_t p) {
    const int64_t lo = p * half, size = p + 1 == pieces ? n - lo : half;
    char* part = reinterpret_cast<char*>(parts + lo);
    CopyLine(addresses[0] + lo * step, step, part, item, size, item);
    CallLoop(call, part, nullptr, size);
  });
  FUSEAU_RETURN_IF_ERROR(context.Check());
  if (HasZerosOfBothSigns(parts, n, pieces)) {
    CopyLine(addresses[0], step, addresses[1], item, n, item);
    CallLoop(call, addresses[1], nullptr, n);
    return absl::OkStatus();
  }
  const int64_t merges = context.pool->thread_count();
  context.pool->ParallelFor(merges, [&](int64_t p) {
    MergePiece(parts, half, parts + half, n - half, out, p, merges);
  });
  return context.Check();
}

double SortSeconds(int64_t lines, int64_t n) {
  const double comparisons =
      static_cast<double>(n) * std::log2(static_cast<double>(n) + 1);
  return kSecondsPerCompare * comparisons * static_cast<double>(lines);
}

// Whether an element is a new extreme: of equal ones, and of NaNs, the first
// one stays. Without branches, for vectors.
template <typename T, bool kMax>
[[gnu::always_inline]] inline bool Replaces(T later, T earlier) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool keeps = kMax ? later <= earlier : later >= earlier;
    return !keeps & (earlier == earlier);
  }
  return kMax ? later > earlier : later < earlier;
}

// A line in parts, each searched by NumPy.
template <typename T, bool kMax>
absl::Status ExtremeOfLong(const RoutineCall& call, const char* in, int64_t n,
                           int64_t* out, const RunContext& context) {
  const int64_t pieces = int64_t{4} * context.pool->thread_count();
  const int64_t length = (n + pieces - 1) / pieces;
  std::vector<int64_t> places(pieces, -1);
  context.pool->ParallelFor(pieces, [&](int64_t p) {
    const int64_t lo = p * length, size = std::min(length, n - lo);
    if (size <= 0) return;
    CallLoop(call, const_cast<char*>(in) + lo * sizeof(T),
             reinterpret_cast<char*>(&places[p]), size);
    places[p] += lo;
  });
  const T* values = reinterpret_cast<const T*>(in);
  int64_t best = places[0];
  for (int64_t place : places) {
    if (place >= 0 && Replaces<T, kMax>(values[place], values[best])) {
      best = place;
    }
  }
  *out = best;
  return context.Check();
}

// Lines that lie across the memory: all lines of a tile go side by side.
constexpr int64_t kExtremeTile = 512;

// Places as wide as elements have as many lanes in a vector.
template <typename T>
using PlaceOf = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;

// The extremes of `width` lines of n elements, whose elements are `step` bytes
// apart, and where they are.
template <typename T, bool kMax>
[[gnu::always_inline]] inline void SearchTile(const char* in, int64_t step,
                                              int64_t side_step, int64_t n,
                                              int64_t width,
                                              PlaceOf<T>* place) {
  using Place = PlaceOf<T>;
  T best[kExtremeTile];
  const auto load = [](const char* from) {
    T x;
    std::memcpy(&x, from, sizeof(T));
    return x;
  };
  for (int64_t j = 0; j < width; ++j) {
    best[j] = load(in + j * side_step);
    place[j] = 0;
  }
  const auto join = [&](int64_t j, Place i, T x)
                        __attribute__((always_inline)) {
                          const bool better = Replaces<T, kMax>(x, best[j]);
                          best[j] = better ? x : best[j];
                          place[j] = better ? i : place[j];
                        };
  for (int64_t i = 1; i < n; ++i) {
    in += step;
    const Place row = static_cast<Place>(i);
    if (side_step == sizeof(T)) {
      for (int64_t j = 0; j < width; ++j) {
        join(j, row, load(in + j * sizeof(T)));
      }
    } else {
      for (int64_t j = 0; j < width; ++j) {
        join(j, row, load(in + j * side_step));
      }
    }
  }
}

template <typename T, bool kMax>
void SearchTileOnAny(const char* in, int64_t step, int64_t side_step, int64_t n,
                     int64_t width, PlaceOf<T>* place) {
  SearchTile<T, kMax>(in, step, side_step, n, width, place);
}

#ifdef __x86_64__
template <typename T, bool kMax>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void
SearchTileWithAvx512(const char* in, int64_t step, int64_t side_step, int64_t n,
                     int64_t width, PlaceOf<T>* place) {
  SearchTile<T, kMax>(in, step, side_step, n, width, place);
}
#endif

template <typename T, bool kMax>
absl::Status ExtremeAcross(const RoutineCall& call, Addresses addresses,
                           int axis, int side, const RunContext& context) {
  const int64_t n = call.sizes[axis], columns = call.sizes[side];
  const int64_t step = call.operands[0].strides[axis];
  const int64_t side_step = call.operands[0].strides[side];
  const int64_t out_step = call.output().strides[side];
  const int core[2] = {axis, side};
  const Points outer(call, DimensionsBut(call, core));
  const int64_t tiles = (columns + kExtremeTile - 1) / kExtremeTile;
  auto search = SearchTileOnAny<T, kMax>;
#ifdef __x86_64__
  if (HasAvx512()) search = SearchTileWithAvx512<T, kMax>;
#endif
  return InPieces(
      context, 1e-9 * static_cast<double>(n * columns * outer.count()),
      outer.count() * tiles, [&](int64_t lo, int64_t hi) {
        PlaceOf<T> place[kExtremeTile];
        for (int64_t t = lo; t < hi; ++t) {
          const int64_t start = t % tiles * kExtremeTile;
          const int64_t width = std::min(kExtremeTile, columns - start);
          outer.ForEach(t / tiles, t / tiles + 1, addresses, [&](char** at) {
            search(at[0] + start * side_step, step, side_step, n, width, place);
            for (int64_t j = 0; j < width; ++j) {
              const int64_t found = place[j];
              std::memcpy(at[1] + (start + j) * out_step, &found, 8);
            }
          });
        }
      });
}

template <bool kMax>
absl::Status Extreme(const RoutineCall& call, Addresses addresses,
                     const RunContext& context) {
  const Quiet quiet;
  const int rank = static_cast<int>(call.sizes.size());
  int axis = 0;
  while ((call.reduced >> axis & 1) == 0) ++axis;
  const DType dtype = call.operands[0].dtype;
  const int64_t item = ItemSize(dtype), n = call.sizes[axis];
  const int64_t step = call.operands[0].strides[axis];
  const int core[1] = {axis};
  const Points lines(call, DimensionsBut(call, core));
  const double seconds =
      kSecondsPerSearch * static_cast<double>(n * lines.count());
  const bool dense = step == item;
  constexpr int64_t kWorthParts = 1 << 19;
  absl::Status status;
  if (dense && lines.count() == 1 && n >= kWorthParts && !IsComplex(dtype)) {
    VisitReal(dtype, [&](auto tag) {
      status = ExtremeOfLong<decltype(tag), kMax>(
          call, addresses[0], n, reinterpret_cast<int64_t*>(addresses[1]),
          context);
    });
    return status;
  }
  // The dimension that lies densest, if that is not the line itself.
  int side = -1;
  for (int d = 0; d < rank; ++d) {
    const int64_t size = call.operands[0].strides[d];
    if (d != axis && call.sizes[d] >= 8 && size > 0 && size < std::abs(step) &&
        (side < 0 || size < call.operands[0].strides[side])) {
      side = d;
    }
  }
  if (side >= 0 && !IsComplex(dtype) && n <= INT32_MAX) {
    VisitReal(dtype, [&](auto tag) {
      status = ExtremeAcross<decltype(tag), kMax>(call, addresses, axis, side,
                                                  context);
    });
    return status;
  }
  return InPieces(context, seconds + 20e-9 * static_cast<double>(lines.count()),
                  lines.count(), [&](int64_t lo, int64_t hi) {
                    std::vector<char> scratch(dense ? 0 : n * item);
                    lines.ForEach(lo, hi, addresses, [&](char** at) {
                      char* line = at[0];
                      if (!dense) {
                        line = scratch.data();
                        CopyLine(at[0], step, line, item, n, item);
                      }
                      CallLoop(call, line, at[1], n);
                    });
                  });
}

}  // namespace

absl::Status Sort(const RoutineCall& call, Addresses addresses,
                  const RunContext& context) {
  const Quiet quiet;
  const int axis = static_cast<int>(call.attribute);
  const DType dtype = call.output().dtype;
  const int64_t n = call.sizes[axis], item = ItemSize(dtype);
  if (Count(call.sizes) == n && call.sizes.size() == 1 && n >= kWorthMerging &&
      context.pool->thread_count() > 1 && !IsComplex(dtype)) {
    absl::Status status;
    VisitReal(dtype, [&](auto tag) {
      status = SortLong<decltype(tag)>(call, addresses, context);
    });
    return status;
  }
  const int64_t from = call.operands[0].strides[axis];
  const int64_t to = call.output().strides[axis];
  const int core[1] = {axis};
  const Points lines(call, DimensionsBut(call, core));
  return InPieces(context, SortSeconds(lines.count(), n), lines.count(),
                  [&](int64_t lo, int64_t hi) {
                    std::vector<char> scratch(to == item ? 0 : n * item);
                    lines.ForEach(lo, hi, addresses, [&](char** at) {
                      char* line = to == item ? at[1] : scratch.data();
                      CopyLine(at[0], from, line, item, n, item);
                      CallLoop(call, line, nullptr, n);
                      if (to != item) CopyLine(line, item, at[1], to, n, item);
                    });
                  });
}

absl::Status ArgSort(const RoutineCall& call, Addresses addresses,
                     const RunContext& context) {
  const Quiet quiet;
  const int axis = static_cast<int>(call.attribute);
  const int64_t item = ItemSize(call.operands[0].dtype);
  const int64_t n = call.sizes[axis];
  const int64_t from = call.operands[0].strides[axis];
  const int64_t to = call.output().strides[axis];
  const int core[1] = {axis};
  const Points lines(call, DimensionsBut(call, core));
  return InPieces(context, SortSeconds(lines.count(), n), lines.count(),
                  [&](int64_t lo, int64_t hi) {
                    std::vector<char> values(from == item ? 0 : n * item);
                    std::vector<int64_t> places(n);
                    lines.ForEach(lo, hi, addresses, [&](char** at) {
                      char* line = at[0];
                      if (from != item) {
                        line = values.data();
                        CopyLine(at[0], from, line, item, n, item);
                      }
                      std::iota(places.begin(), places.end(), 0);
                      char* sorted = reinterpret_cast<char*>(places.data());
                      CallLoop(call, line, sorted, n);
                      CopyLine(sorted, 8, at[1], to, n, 8);
                    });
                  });
}

absl::Status ArgMax(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  return Extreme<true>(call, addresses, context);
}

absl::Status ArgMin(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  return Extreme<false>(call, addresses, context);
}

absl::Status BinCount(const RoutineCall& call, Addresses addresses,
                      const RunContext& context) {
  const int64_t n = call.sizes[0], bins = call.sizes[1];
  const int64_t step = call.operands[0].strides[0];
  const char* const in = addresses[0];
  int64_t* out = reinterpret_cast<int64_t*>(addresses[1]);
  // Captured by value: counting does not change it.
  const auto count = [=](int64_t lo, int64_t hi, int64_t* counts) {
    std::fill_n(counts, bins, 0);
    for (int64_t i = lo; i < hi; ++i) {
      int64_t bin;
      std::memcpy(&bin, in + i * step, sizeof(bin));
      ++counts[bin];
    }
  };
  const int64_t pieces = context.pool->thread_count();
  // Counts of its own for each thread must not cost more than they save.
  if (n < (1 << 15) || bins > n / (4 * pieces) || pieces == 1) {
    count(0, n, out);
    return absl::OkStatus();
  }
  std::vector<std::vector<int64_t>> parts(pieces - 1);
  for (auto& part : parts) part.resize(bins);
  context.pool->ParallelFor(pieces, [&](int64_t p) {
    count(n * p / pieces, n * (p + 1) / pieces,
          p == 0 ? out : parts[p - 1].data());
  });
  for (const auto& part : parts) {
    for (int64_t b = 0; b < bins; ++b) out[b] += part[b];
  }
  return context.Check();
}

}  // namespace fuseau::runtime

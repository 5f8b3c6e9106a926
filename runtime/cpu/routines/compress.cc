// What a mask selects, in the order of its elements. The recorder has counted
// them: the first dimension of the result is as long as that.
#include <algorithm>
#include <vector>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/cpu/strided_copy.h"
#include "runtime/selection.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerElement = 1.5e-9;

// The dimensions of a mask in the space: 1 to `last`; the mask is the operand
// before the output.
struct Mask {
  const RoutineCall& call;
  Addresses addresses;
  int last;  // runs of the mask go along it
  Points lines;
  int64_t length, step;

  Mask(const RoutineCall& c, Addresses a, int dimensions)
      : call(c),
        addresses(a),
        last(dimensions),
        lines(c, Outer(dimensions)),
        length(c.sizes[last]),
        step(c.operands[operand()].strides[last]) {}

  int operand() const { return static_cast<int>(call.operands.size()) - 2; }
  int64_t count() const { return lines.count() * length; }

  // Calls f(pointers, first, n) for the runs in [lo, hi): `first` is the place
  // along `last` where the run starts.
  template <typename F>
  void ForEachRun(int64_t lo, int64_t hi, F&& f) const {
    for (int64_t line = lo / length; line * length < hi; ++line) {
      const int64_t first = std::max<int64_t>(lo - line * length, 0);
      const int64_t end = std::min(hi - line * length, length);
      lines.ForEach(line, line + 1, addresses,
                    [&](char** at) { f(at, first, end - first, line); });
    }
  }

  int64_t CountIn(int64_t lo, int64_t hi) const {
    int64_t selected = 0;
    ForEachRun(lo, hi, [&](char** at, int64_t first, int64_t n, int64_t) {
      selected += CountSelected(at[operand()] + first * step, step, n);
    });
    return selected;
  }

  static absl::InlinedVector<int, 4> Outer(int dimensions) {
    absl::InlinedVector<int, 4> dims;
    for (int d = 1; d < dimensions; ++d) dims.push_back(d);
    return dims;
  }
};

// Cuts a mask into pieces, finds where the results of each begin, and calls
// f(lo, hi, place, selected) for all of them.
template <typename F>
absl::Status ForEachPiece(const Mask& mask, const RunContext& context, F&& f) {
  const int64_t total = mask.call.sizes[0];
  const double seconds = kSecondsPerElement * static_cast<double>(mask.count());
  const int64_t sizes[2] = {mask.count(), 1};
  const Cut cut =
      ChooseCut(seconds, sizes, /*dims=*/1, context.pool->ThreadsFor(seconds));
  if (cut.chunks <= 1) {
    f(int64_t{0}, mask.count(), int64_t{0}, total);
    return absl::OkStatus();
  }
  const auto end = [&](int64_t chunk) {
    return std::min((chunk + 1) * cut.grain, mask.count());
  };
  std::vector<int64_t> places(cut.chunks + 1, 0);
  context.pool->ParallelFor(cut.chunks, [&](int64_t chunk) {
    places[chunk + 1] = mask.CountIn(chunk * cut.grain, end(chunk));
  });
  for (int64_t c = 0; c < cut.chunks; ++c) places[c + 1] += places[c];
  context.pool->ParallelFor(cut.chunks, [&](int64_t chunk) {
    if (context.Cancelled()) return;
    f(chunk * cut.grain, end(chunk), places[chunk],
      places[chunk + 1] - places[chunk]);
  });
  return context.Check();
}

}  // namespace

absl::Status Compress(const RoutineCall& call, Addresses addresses,
                      const RunContext& context) {
  const int rank = static_cast<int>(call.sizes.size());
  const int covered = static_cast<int>(call.attribute);
  const Mask mask(call, addresses, covered);
  const int64_t item = ItemSize(call.output().dtype);
  const int64_t from_step = call.operands[0].strides[mask.last];
  if (covered + 1 == rank) {
    return ForEachPiece(
        mask, context,
        [&](int64_t lo, int64_t hi, int64_t place, int64_t selected) {
          char* out = addresses[2] + place * item;
          char* const end = out + selected * item;
          mask.ForEachRun(
              lo, hi, [&](char** at, int64_t first, int64_t n, int64_t) {
                out = CopySelected(item, at[0] + first * from_step, from_step,
                                   at[1] + first * mask.step, mask.step, n, out,
                                   end);
              });
        });
  }
  const int tail = covered + 1;
  const absl::Span<const int64_t> sizes =
      absl::MakeConstSpan(call.sizes).subspan(tail);
  const absl::Span<const int64_t> from =
      absl::MakeConstSpan(call.operands[0].strides).subspan(tail);
  const Dims dense = DenseStrides(sizes, item);
  const int64_t bytes = Count(sizes) * item;
  return ForEachPiece(
      mask, context, [&](int64_t lo, int64_t hi, int64_t place, int64_t) {
        char* out = addresses[2] + place * bytes;
        mask.ForEachRun(lo, hi,
                        [&](char** at, int64_t first, int64_t n, int64_t) {
                          for (int64_t i = first; i < first + n; ++i) {
                            if (at[1][i * mask.step] == 0) continue;
                            CopyStrided(out, dense, at[0] + i * from_step, from,
                                        sizes, item);
                            out += bytes;
                          }
                        });
      });
}

absl::Status Coordinates(const RoutineCall& call, Addresses addresses,
                         const RunContext& context) {
  const int last = static_cast<int>(call.sizes.size()) - 1;
  const int dimension = static_cast<int>(call.attribute);
  const Mask mask(call, addresses, last);
  // The coordinate of a line along `dimension`, if that is not the last one.
  int64_t below = 1;
  for (int d = dimension + 2; d < last; ++d) below *= call.sizes[d];
  return ForEachPiece(
      mask, context,
      [&](int64_t lo, int64_t hi, int64_t place, int64_t selected) {
        int64_t* out = reinterpret_cast<int64_t*>(addresses[1]) + place;
        int64_t* const end = out + selected;
        mask.ForEachRun(
            lo, hi, [&](char** at, int64_t first, int64_t n, int64_t line) {
              const char* here = at[0] + first * mask.step;
              if (dimension + 1 == last) {
                out = SelectedPlaces(here, mask.step, n, first, out, end);
                return;
              }
              const int64_t slow = line / below % call.sizes[dimension + 1];
              out = std::fill_n(out, CountSelected(here, mask.step, n), slow);
            });
      });
}

}  // namespace fuseau::runtime

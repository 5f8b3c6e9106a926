// Elements joined one after the other to a value that is there: what a rank
// makes of its rows and of what the ranks before it have made.
#include <algorithm>
#include <cstring>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerElement = 0.5e-9;
// Bytes of results that stay in the L1 cache while elements go by.
constexpr int64_t kTileBytes = 8192;

}  // namespace

absl::Status Fold(const RoutineCall& call, Addresses addresses,
                  const RunContext& context) {
  absl::InlinedVector<int, 4> joined, kept;
  for (int d = 0; d < static_cast<int>(call.sizes.size()); ++d)
    ((call.reduced >> d & 1) != 0 ? joined : kept).push_back(d);
  // The last kept dimension is what a call of the loop goes along.
  const int last = kept.empty() ? -1 : kept.back();
  if (last >= 0) kept.pop_back();
  const int64_t columns = last >= 0 ? call.sizes[last] : 1;
  const int64_t item = ItemSize(call.output().dtype);
  const auto step = [&](int operand) {
    return last >= 0 ? call.operands[operand].strides[last] : item;
  };
  const int64_t steps[3] = {item, step(0), item};
  const int64_t first_step = step(1);
  const Points rows(call, joined), outer(call, kept);
  const int64_t tile = std::max<int64_t>(1, kTileBytes / item);
  const int64_t tiles = (columns + tile - 1) / tile;
  return InPieces(
      context, kSecondsPerElement * static_cast<double>(Count(call.sizes)),
      outer.count() * tiles, [&](int64_t lo, int64_t hi) {
        for (int64_t t = lo; t < hi; ++t) {
          const int64_t start = t % tiles * tile;
          const int64_t width = std::min(tile, columns - start);
          outer.ForEach(t / tiles, t / tiles + 1, addresses, [&](char** at) {
            char* const result = at[2] + start * item;
            const char* first = at[1] + start * first_step;
            for (int64_t i = 0; i < width; ++i) {
              std::memcpy(result + i * item, first + i * first_step,
                          static_cast<size_t>(item));
            }
            char* const starts[3] = {at[0] + start * steps[1], result, result};
            rows.ForEach(0, rows.count(), starts, [&](char** row) {
              char* args[3] = {result, row[0], result};
              call.loop->fn(args, &width, steps, call.loop->data);
            });
          });
        }
      });
}

}  // namespace fuseau::runtime

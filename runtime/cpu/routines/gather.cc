// Reads at index arrays. The recorder has checked the indices.
#include <cstring>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/cpu/strided_copy.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerPoint = 3e-9;  // reads at random places
constexpr double kSecondsPerByte = 0.1e-9;

// Where the indices of a point lead: up to two indexed axes.
struct Indexed {
  int axes = 0;
  int64_t size[2], stride[2];

  int64_t Offset(char* const* at) const {
    int64_t offset = 0;
    for (int k = 0; k < axes; ++k) {
      int64_t index;
      std::memcpy(&index, at[1 + k], sizeof(index));
      offset += (index < 0 ? index + size[k] : index) * stride[k];
    }
    return offset;
  }
};

// A run of elements of kBytes, each with indices of its own. What does not
// change is held in locals: a store through a char pointer may change all else.
template <int kBytes>
void GatherRun(const Indexed& indexed, char* const* at, int64_t n,
               const int64_t* steps) {
  const char* const source = at[0];
  char* const out = at[indexed.axes + 1];
  const int64_t source_step = steps[0], index_step = steps[1];
  if (indexed.axes == 1) {
    const char* const index = at[1];
    const int64_t size = indexed.size[0], stride = indexed.stride[0];
    const auto read = [=](int64_t i, int64_t step) {
      int64_t j;
      std::memcpy(&j, index + i * step, sizeof(j));
      return j + (j < 0 ? size : 0);
    };
    if (source_step == 0 && stride == kBytes && index_step == sizeof(int64_t)) {
      for (int64_t i = 0; i < n; ++i) {
        std::memcpy(out + i * kBytes,
                    source + read(i, sizeof(int64_t)) * kBytes, kBytes);
      }
      return;
    }
    for (int64_t i = 0; i < n; ++i) {
      std::memcpy(out + i * kBytes,
                  source + i * source_step + read(i, index_step) * stride,
                  kBytes);
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    char* const point[3] = {nullptr, at[1] + i * index_step,
                            at[2] + i * steps[2]};
    std::memcpy(out + i * kBytes,
                source + i * source_step + indexed.Offset(point), kBytes);
  }
}

using RunFn = void (*)(const Indexed&, char* const*, int64_t, const int64_t*);

RunFn RunOf(int64_t bytes) {
  switch (bytes) {
    case 1:
      return GatherRun<1>;
    case 2:
      return GatherRun<2>;
    case 4:
      return GatherRun<4>;
    case 8:
      return GatherRun<8>;
    default:
      return GatherRun<16>;
  }
}

}  // namespace

absl::Status Gather(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  const int64_t item = ItemSize(call.output().dtype);
  Indexed indexed;
  indexed.axes = static_cast<int>(call.operands.size()) - 2;
  const int rank = static_cast<int>(call.sizes.size());
  const int kept = rank - indexed.axes;
  for (int k = 0; k < indexed.axes; ++k) {
    indexed.size[k] = call.sizes[kept + k];
    indexed.stride[k] = call.operands[0].strides[kept + k];
  }
  // Dimensions along which the indices stay: blocks are copied as they are.
  const auto stays = [&](int d) {
    for (int k = 1; k <= indexed.axes; ++k) {
      if (call.operands[k].strides[d] != 0) return false;
    }
    return true;
  };
  int block = kept;
  while (block > 0 && stays(block - 1)) --block;
  if (block == kept && kept > 0) --block;  // runs of single elements
  const bool runs = block < kept && !stays(block);
  absl::InlinedVector<int, 4> outer;
  for (int d = 0; d < block; ++d) outer.push_back(d);
  const Points points(call, outer);
  const absl::Span<const int64_t> sizes =
      absl::MakeConstSpan(call.sizes).subspan(block, kept - block);
  const int64_t length = Count(sizes);
  const double seconds =
      static_cast<double>(points.count()) *
      (runs ? kSecondsPerPoint * static_cast<double>(length)
            : kSecondsPerPoint +
                  kSecondsPerByte * static_cast<double>(length * item));

  if (runs) {
    int64_t steps[3] = {};
    for (int k = 0; k <= indexed.axes; ++k) {
      steps[k] = call.operands[k].strides[block];
    }
    const RunFn run = RunOf(item);
    return InPieces(
        context, seconds, points.count() * length, [&](int64_t lo, int64_t hi) {
          for (int64_t p = lo / length; p * length < hi; ++p) {
            const int64_t start = std::max<int64_t>(lo - p * length, 0);
            const int64_t end = std::min(hi - p * length, length);
            points.ForEach(p, p + 1, addresses, [&](char** at) {
              for (int k = 0; k <= indexed.axes; ++k) at[k] += start * steps[k];
              at[indexed.axes + 1] += start * item;
              run(indexed, at, end - start, steps);
              for (int k = 0; k <= indexed.axes; ++k) at[k] -= start * steps[k];
              at[indexed.axes + 1] -= start * item;
            });
          }
        });
  }
  const absl::Span<const int64_t> from =
      absl::MakeConstSpan(call.operands[0].strides)
          .subspan(block, kept - block);
  const Dims dense = DenseStrides(sizes, item);
  const bool contiguous = absl::MakeConstSpan(dense) == from;
  return InPieces(
      context, seconds, points.count(), [&](int64_t lo, int64_t hi) {
        points.ForEach(lo, hi, addresses, [&](char** at) {
          const char* source = at[0] + indexed.Offset(at);
          char* out = at[indexed.axes + 1];
          if (contiguous) {
            std::memcpy(out, source, static_cast<size_t>(length * item));
          } else {
            CopyStrided(out, dense, source, from, sizes, item);
          }
        });
      });
}

}  // namespace fuseau::runtime

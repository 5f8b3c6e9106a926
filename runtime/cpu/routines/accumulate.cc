// Running sums and products. Elements are joined one after the other, as NumPy
// joins them, so floats have its bits; the other dimensions are independent.
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {
namespace {

constexpr double kSecondsPerElement = 1.3e-9;  // of a chain of additions
constexpr double kSecondsAcross = 0.5e-9;      // of rows joined to rows
constexpr double kSecondsPerLoopElement = 3e-9;
// Rows walked at once, so that their chains overlap.
constexpr int kLanes = 4;
// Bytes of a row that is joined to the row before, which is in the cache then.
constexpr int64_t kTileBytes = 8192;

struct Add {
  template <typename T>
  static T Join(T a, T b) {
    return static_cast<T>(a + b);
  }
};
struct Multiply {
  template <typename T>
  static T Join(T a, T b) {
    return static_cast<T>(a * b);
  }
};

template <typename T>
T Load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

// Joins `carry` to the first of n elements, that to the next, and so on.
template <typename T, typename Op>
T Chain(const char* in, int64_t in_step, T* out, int64_t n, T carry) {
  for (int64_t i = 0; i < n; ++i) {
    carry = Op::Join(carry, Load<T>(in + i * in_step));
    out[i] = carry;
  }
  return carry;
}

template <typename T, typename Op>
void Row(const char* in, int64_t in_step, T* out, int64_t n) {
  out[0] = Load<T>(in);
  Chain<T, Op>(in + in_step, in_step, out + 1, n - 1, out[0]);
}

template <typename T, typename Op>
void FourRows(const char* const* in, int64_t in_step, T* const* out,
              int64_t n) {
  T carry[kLanes];
  for (int l = 0; l < kLanes; ++l) {
    carry[l] = Load<T>(in[l]);
    out[l][0] = carry[l];
  }
  for (int64_t i = 1; i < n; ++i) {
    for (int l = 0; l < kLanes; ++l) {
      carry[l] = Op::Join(carry[l], Load<T>(in[l] + i * in_step));
      out[l][i] = carry[l];
    }
  }
}

// The axis is innermost: rows.
template <typename T, typename Op>
absl::Status AlongRows(const RoutineCall& call, Addresses addresses, int axis,
                       const RunContext& context) {
  const int64_t n = call.sizes[axis];
  const int64_t step = call.operands[0].strides[axis];
  const int core[1] = {axis};
  const Points rows(call, DimensionsBut(call, core));
  return InPieces(context,
                  kSecondsPerElement * static_cast<double>(n * rows.count()),
                  rows.count(), [&](int64_t lo, int64_t hi) {
                    const char* in[kLanes];
                    T* out[kLanes];
                    int lanes = 0;
                    rows.ForEach(lo, hi, addresses, [&](char** at) {
                      in[lanes] = at[0];
                      out[lanes] = reinterpret_cast<T*>(at[1]);
                      if (++lanes < kLanes) return;
                      FourRows<T, Op>(in, step, out, n);
                      lanes = 0;
                    });
                    for (int l = 0; l < lanes; ++l)
                      Row<T, Op>(in[l], step, out[l], n);
                  });
}

// A single row of integers, whose parts may be joined in any order: each piece
// on its own first, then again from what all pieces before it give.
template <typename T, typename Op>
absl::Status InTwoSweeps(const char* in, int64_t step, T* out, int64_t n,
                         const RunContext& context) {
  const int64_t pieces = context.pool->thread_count();
  const int64_t length = (n + pieces - 1) / pieces;
  const auto size = [&](int64_t p) {
    return std::max<int64_t>(0, std::min(length, n - p * length));
  };
  constexpr T kNeutral = std::is_same_v<Op, Add> ? 0 : 1;
  std::vector<T> totals(pieces + 1, kNeutral);
  context.pool->ParallelFor(pieces - 1, [&](int64_t p) {
    T total = kNeutral;
    const char* from = in + p * length * step;
    for (int64_t i = 0; i < size(p); ++i) {
      total = Op::Join(total, Load<T>(from + i * step));
    }
    totals[p + 1] = total;
  });
  for (int64_t p = 1; p <= pieces; ++p) {
    totals[p] = Op::Join(totals[p - 1], totals[p]);
  }
  context.pool->ParallelFor(pieces, [&](int64_t p) {
    Chain<T, Op>(in + p * length * step, step, out + p * length, size(p),
                 totals[p]);
  });
  return context.Check();
}

template <typename T, typename Op>
void JoinRow(const char* in, int64_t in_step, const T* before, T* out,
             int64_t n) {
  if (in_step == sizeof(T)) {
    for (int64_t i = 0; i < n; ++i) {
      out[i] = Op::Join(before[i], Load<T>(in + i * sizeof(T)));
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    out[i] = Op::Join(before[i], Load<T>(in + i * in_step));
  }
}

// Another dimension is innermost: rows of it are joined to the rows before, a
// tile of columns at a time.
template <typename T, typename Op>
absl::Status AcrossRows(const RoutineCall& call, Addresses addresses, int axis,
                        const RunContext& context) {
  const int last = static_cast<int>(call.sizes.size()) - 1;
  const int64_t n = call.sizes[axis], columns = call.sizes[last];
  const int64_t in_axis = call.operands[0].strides[axis];
  const int64_t in_step = call.operands[0].strides[last];
  const int64_t out_axis =
      call.output().strides[axis] / static_cast<int64_t>(sizeof(T));
  const int core[2] = {axis, last};
  const Points outer(call, DimensionsBut(call, core));
  const int64_t tile = kTileBytes / static_cast<int64_t>(sizeof(T));
  const int64_t tiles = (columns + tile - 1) / tile;
  return InPieces(
      context,
      kSecondsAcross * static_cast<double>(n * columns * outer.count()),
      outer.count() * tiles, [&](int64_t lo, int64_t hi) {
        for (int64_t t = lo; t < hi; ++t) {
          const int64_t start = t % tiles * tile;
          const int64_t width = std::min(tile, columns - start);
          outer.ForEach(t / tiles, t / tiles + 1, addresses, [&](char** at) {
            const char* in = at[0] + start * in_step;
            T* out = reinterpret_cast<T*>(at[1]) + start;
            for (int64_t i = 0; i < width; ++i) {
              out[i] = Load<T>(in + i * in_step);
            }
            for (int64_t i = 1; i < n; ++i) {
              T* before = out;
              out += out_axis;
              in += in_axis;
              JoinRow<T, Op>(in, in_step, before, out, width);
            }
          });
        }
      });
}

template <typename T, typename Op>
absl::Status Typed(const RoutineCall& call, Addresses addresses,
                   const RunContext& context) {
  const int axis = static_cast<int>(call.attribute);
  const int last = static_cast<int>(call.sizes.size()) - 1;
  if (axis != last) return AcrossRows<T, Op>(call, addresses, axis, context);
  const int64_t n = call.sizes[axis];
  constexpr int64_t kWorthTwoSweeps = 1 << 16;
  if (std::is_integral_v<T> && n >= kWorthTwoSweeps && Count(call.sizes) == n &&
      context.pool->thread_count() > 2) {
    return InTwoSweeps<T, Op>(addresses[0], call.operands[0].strides[axis],
                              reinterpret_cast<T*>(addresses[1]), n, context);
  }
  return AlongRows<T, Op>(call, addresses, axis, context);
}

template <typename Op>
absl::Status OfType(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  switch (call.output().dtype) {
    case DType::kInt32:
    case DType::kUInt32:
      return Typed<uint32_t, Op>(call, addresses, context);
    case DType::kInt64:
    case DType::kUInt64:
      return Typed<uint64_t, Op>(call, addresses, context);
    case DType::kFloat32:
      return Typed<float, Op>(call, addresses, context);
    case DType::kFloat64:
      return Typed<double, Op>(call, addresses, context);
    case DType::kBool:
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kInt16:
    case DType::kUInt16:
    case DType::kComplex64:
    case DType::kComplex128:
      return Accumulate(call, addresses, context);
  }
  __builtin_unreachable();
}

}  // namespace

absl::Status CumulativeSum(const RoutineCall& call, Addresses addresses,
                           const RunContext& context) {
  return OfType<Add>(call, addresses, context);
}

absl::Status CumulativeProduct(const RoutineCall& call, Addresses addresses,
                               const RunContext& context) {
  return OfType<Multiply>(call, addresses, context);
}

absl::Status Accumulate(const RoutineCall& call, Addresses addresses,
                        const RunContext& context) {
  const int axis = static_cast<int>(call.attribute);
  const int core[1] = {axis};
  const Points lines(call, DimensionsBut(call, core));
  const int64_t joins = call.sizes[axis] - 1;
  const int64_t in = call.operands[0].strides[axis];
  const int64_t out = call.output().strides[axis];
  const int64_t steps[3] = {out, in, out};
  const size_t item = static_cast<size_t>(ItemSize(call.output().dtype));
  return InPieces(
      context, kSecondsPerLoopElement * static_cast<double>(Count(call.sizes)),
      lines.count(), [&](int64_t lo, int64_t hi) {
        lines.ForEach(lo, hi, addresses, [&](char** at) {
          std::memcpy(at[1], at[0], item);
          if (joins == 0) return;
          char* args[3] = {at[1], at[0] + in, at[1] + out};
          call.loop->fn(args, &joins, steps, call.loop->data);
        });
      });
}

}  // namespace fuseau::runtime

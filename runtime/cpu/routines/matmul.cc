// Products by NumPy's own inner loops: they choose between BLAS and plain loops
// by types, sizes and strides, so the bits are NumPy's. BLAS has threads of its
// own; we split only what it would not.
#include <algorithm>
#include <cstring>

#include "runtime/cpu/routines/points.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {
namespace {

// Products of no more multiplications than this run on one thread in every
// BLAS.
constexpr int64_t kSmallProduct = 8192;
constexpr double kSecondsPerMultiplication = 1e-9;
constexpr double kSecondsPerCall = 30e-9;

// NumPy's loops for integers walk down columns of y; here rows of the result
// are sums of rows of y, which are vectors. Integers wrap around, so the order
// does not matter.
struct IntegerProduct {
  int64_t m, n, k;
  int64_t x_m, x_k, y_k, z_m;  // bytes; y and z are dense along n

  template <typename T>
  void Rows(int64_t lo, int64_t hi, char* const* at) const {
    for (int64_t i = lo; i < hi; ++i) {
      T* z = reinterpret_cast<T*>(at[2] + i * z_m);
      std::fill_n(z, n, T{0});
      for (int64_t j = 0; j < k; ++j) {
        T factor;
        std::memcpy(&factor, at[0] + i * x_m + j * x_k, sizeof(T));
        const T* y = reinterpret_cast<const T*>(at[1] + j * y_k);
        for (int64_t p = 0; p < n; ++p) {
          z[p] = static_cast<T>(z[p] + static_cast<T>(factor * y[p]));
        }
      }
    }
  }
};

template <typename T>
void IntegerRows(const IntegerProduct& product, int64_t lo, int64_t hi,
                 char* const* at) {
  product.Rows<T>(lo, hi, at);
}

using IntegerFn = void (*)(const IntegerProduct&, int64_t, int64_t,
                           char* const*);

// Null for other types. Signed ones are taken as unsigned, which may overflow;
// short ones must not be widened to int, which may not.
IntegerFn IntegerFnOf(DType dtype) {
  if (!IsInteger(dtype)) return nullptr;
  switch (ItemSize(dtype)) {
    case 1:
      return IntegerRows<uint8_t>;
    case 2:
      return nullptr;  // uint16_t would be multiplied as int
    case 4:
      return IntegerRows<uint32_t>;
    default:
      return IntegerRows<uint64_t>;
  }
}

}  // namespace

absl::Status Matmul(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  const int rank = static_cast<int>(call.sizes.size());
  const int row = rank - 3, column = rank - 2, inner = rank - 1;
  const int64_t m = call.sizes[row], n = call.sizes[column];
  const int64_t k = call.sizes[inner];
  const auto stride = [&](int operand, int d) {
    return call.operands[operand].strides[d];
  };
  const int core[3] = {row, column, inner};
  const Points batch(call, DimensionsBut(call, core));
  const DType dtype = call.output().dtype;
  const int64_t work = m * n * k;
  const double seconds = kSecondsPerMultiplication * static_cast<double>(work);

  const int64_t item = ItemSize(dtype);
  const IntegerFn integers = IntegerFnOf(dtype);
  if (integers != nullptr && stride(1, column) == item &&
      stride(1, inner) % item == 0 && call.operands[1].offset % item == 0) {
    const IntegerProduct product{m,
                                 n,
                                 k,
                                 stride(0, row),
                                 stride(0, inner),
                                 stride(1, inner),
                                 stride(2, row)};
    return InPieces(context, seconds * static_cast<double>(batch.count()),
                    batch.count() * m, [&](int64_t lo, int64_t hi) {
                      for (int64_t b = lo / m; b * m < hi; ++b) {
                        batch.ForEach(b, b + 1, addresses, [&](char** at) {
                          integers(product, std::max(lo - b * m, int64_t{0}),
                                   std::min(hi - b * m, m), at);
                        });
                      }
                    });
  }

  const int64_t steps[9] = {0,
                            0,
                            0,
                            stride(0, row),
                            stride(0, inner),
                            stride(1, inner),
                            stride(1, column),
                            stride(2, row),
                            stride(2, column)};
  const auto products = [&](int64_t lo, int64_t hi) {
    const int64_t sizes[4] = {1, m, k, n};
    batch.ForEach(lo, hi, addresses, [&](char** at) {
      call.loop->fn(at, sizes, steps, call.loop->data);
    });
  };
  if (work > kSmallProduct && (IsFloat(dtype) || IsComplex(dtype))) {
    products(0, batch.count());
    return context.Check();
  }
  return InPieces(
      context, (seconds + kSecondsPerCall) * static_cast<double>(batch.count()),
      batch.count(), products);
}

absl::Status Vecdot(const RoutineCall& call, Addresses addresses,
                    const RunContext& context) {
  const int inner = static_cast<int>(call.sizes.size()) - 1;
  const int64_t k = call.sizes[inner];
  const int core[1] = {inner};
  const Points batch(call, DimensionsBut(call, core));
  const int64_t steps[5] = {0, 0, 0, call.operands[0].strides[inner],
                            call.operands[1].strides[inner]};
  const auto products = [&](int64_t lo, int64_t hi) {
    const int64_t sizes[2] = {1, k};
    batch.ForEach(lo, hi, addresses, [&](char** at) {
      call.loop->fn(at, sizes, steps, call.loop->data);
    });
  };
  const double one =
      kSecondsPerMultiplication * static_cast<double>(k) + kSecondsPerCall;
  if (k > kSmallProduct) {
    products(0, batch.count());
    return context.Check();
  }
  return InPieces(context, one * static_cast<double>(batch.count()),
                  batch.count(), products);
}

}  // namespace fuseau::runtime

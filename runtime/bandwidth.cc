#include "runtime/bandwidth.h"

#include <algorithm>
#include <chrono>

#include "runtime/arena.h"
#include "runtime/base/caches.h"
#include "runtime/base/status.h"
#include "runtime/cpu/bytes.h"
#include "runtime/thread_pool.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kLeastBytes = int64_t{32} << 20;
constexpr int64_t kMostBytes = int64_t{128} << 20;
constexpr int64_t kChunkBytes = int64_t{1} << 20;
constexpr int kRepetitions = 5;

}  // namespace

absl::StatusOr<double> MeasureBandwidth() {
  using Clock = std::chrono::steady_clock;
  const int64_t bytes =
      std::clamp(2 * Caches().shared, kLeastBytes, kMostBytes);
  FUSEAU_ASSIGN_OR_RETURN(const BufferRef from,
                          Arena::Global().AllocateZeroed(bytes));
  FUSEAU_ASSIGN_OR_RETURN(const BufferRef to,
                          Arena::Global().AllocateZeroed(bytes));
  double best = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const Clock::time_point begin = Clock::now();
    ThreadPool::Global().ParallelFor(bytes / kChunkBytes, [&](int64_t chunk) {
      const int64_t at = chunk * kChunkBytes;
      CopyBytes(to->data() + at, from->data() + at, kChunkBytes);
    });
    const std::chrono::duration<double> took = Clock::now() - begin;
    best = std::max(best, 2 * static_cast<double>(bytes) / took.count());
  }
  return best;
}

}  // namespace fuseau::runtime

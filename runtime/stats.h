// Process-wide counters of what the system did, for reports and tests.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace fuseau::runtime {

enum class Counter : uint8_t {
  kKernelsCompiled,
  kKernelCacheMemoryHits,
  kKernelCacheDiskHits,
  kKernelCacheDiskMisses,
  kKernelCacheDiskFailures,
  kPlanHits,
  kPlanMisses,
  kWindows,
  kDirectRuns,
  kLaunches,
  kLaunchesParallel,
  kLaggedWrites,
  kRoutines,
  kBandGroups,
  kBytesMoved,
  kBytesFetched,  // from other ranks of a job to this process
  kBytesPlaced,   // of this process, to the ranks
  kBytesStored,   // of values in parts, by all ranks, to files
  kBytesLoaded,   // the same from files
  kGpuRuns,       // of plans, on a device
  kGpuLaunches,   // of kernels one by one
  kGpuGraphs,     // of many kernels at once
  kGpuKernelsLoaded,
  kGpuHostSteps,  // of such plans, done by processors
  kBytesUploaded,
  kBytesDownloaded,
  kBuffersMade,
  kBuffersRecycled,
  kNumpyRoutines,  // called on computed arrays
  kFallbacks,
};

inline constexpr int kCounterCount = static_cast<int>(Counter::kFallbacks) + 1;

namespace stats_internal {
extern std::atomic<int64_t> counters[kCounterCount];
}

// Counting orders nothing: a reader may see one counter before another.
inline void Increment(Counter counter, int64_t n = 1) {
  stats_internal::counters[static_cast<int>(counter)].fetch_add(
      n, std::memory_order_relaxed);
}

// The same for a counter that one thread at a time changes: no atomic step.
inline void IncrementAlone(Counter counter) {
  std::atomic<int64_t>& value =
      stats_internal::counters[static_cast<int>(counter)];
  value.store(value.load(std::memory_order_relaxed) + 1,
              std::memory_order_relaxed);
}

inline int64_t ReadCounter(Counter counter) {
  return stats_internal::counters[static_cast<int>(counter)].load(
      std::memory_order_relaxed);
}

// E.g. "kernel_cache_disk_hits".
absl::string_view CounterName(Counter counter);

void ResetCounters();

}  // namespace fuseau::runtime

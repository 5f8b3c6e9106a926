#include "runtime/stats.h"

namespace fuseau::runtime {

namespace stats_internal {
std::atomic<int64_t> counters[kCounterCount] = {};
}

absl::string_view CounterName(Counter counter) {
  switch (counter) {
    case Counter::kKernelsCompiled:
      return "kernels_compiled";
    case Counter::kKernelCacheMemoryHits:
      return "kernel_cache_memory_hits";
    case Counter::kKernelCacheDiskHits:
      return "kernel_cache_disk_hits";
    case Counter::kKernelCacheDiskMisses:
      return "kernel_cache_disk_misses";
    case Counter::kKernelCacheDiskFailures:
      return "kernel_cache_disk_failures";
    case Counter::kPlanHits:
      return "plan_hits";
    case Counter::kPlanMisses:
      return "plan_misses";
    case Counter::kWindows:
      return "windows";
    case Counter::kLaunches:
      return "launches";
    case Counter::kLaunchesParallel:
      return "launches_parallel";
    case Counter::kLaggedWrites:
      return "lagged_writes";
    case Counter::kDirectRuns:
      return "direct_runs";
    case Counter::kRoutines:
      return "routines";
    case Counter::kBandGroups:
      return "band_groups";
    case Counter::kBytesMoved:
      return "bytes_moved";
    case Counter::kBytesFetched:
      return "bytes_fetched";
    case Counter::kBytesPlaced:
      return "bytes_placed";
    case Counter::kBytesStored:
      return "bytes_stored";
    case Counter::kBytesLoaded:
      return "bytes_loaded";
    case Counter::kGpuRuns:
      return "gpu_runs";
    case Counter::kGpuLaunches:
      return "gpu_launches";
    case Counter::kGpuGraphs:
      return "gpu_graphs";
    case Counter::kGpuKernelsLoaded:
      return "gpu_kernels_loaded";
    case Counter::kGpuHostSteps:
      return "gpu_host_steps";
    case Counter::kBytesUploaded:
      return "bytes_uploaded";
    case Counter::kBytesDownloaded:
      return "bytes_downloaded";
    case Counter::kBuffersMade:
      return "buffers_made";
    case Counter::kBuffersRecycled:
      return "buffers_recycled";
    case Counter::kNumpyRoutines:
      return "numpy_routines";
    case Counter::kFallbacks:
      return "fallbacks";
  }
  return "";
}

void ResetCounters() {
  for (std::atomic<int64_t>& counter : stats_internal::counters) {
    counter.store(0, std::memory_order_relaxed);
  }
}

}  // namespace fuseau::runtime

// Which launches of a plan advance together (time tiling).
#pragma once

#include <cstdint>

#include "runtime/base/caches.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

// A chain of sweeps over arrays that no cache holds is bound by memory: each
// sweep reads and writes all of them. Groups let several sweeps pass through
// memory at once.
struct BandLimits {
  // Groups whose arrays are smaller gain nothing: they stay in the cache
  // anyhow. One thread alone gains earlier than several, which hand each other
  // what a cache that they share has as well.
  int64_t min_bytes = int64_t{16} << 20;
  int64_t min_bytes_alone = int64_t{6} << 20;
  // What lies between the first and the last launch of a group should stay in
  // the cache of one core, if that lets `few` large launches advance together,
  // else in a cache that cores share.
  int64_t core_bytes = int64_t{3} << 18;
  int64_t shared_bytes = int64_t{8} << 20;
  int32_t few = 4;
  // Of all arrays together, in one band.
  int64_t band_bytes = int64_t{96} << 10;

  // The limits for these caches (runtime/README.md has the measurements).
  static BandLimits For(const CacheSizes& caches);
  // Those of this machine. FUSEAU_BAND_MIN_BYTES sets what groups need at
  // least, and smaller bands with it: so tests reach groups with small arrays.
  static BandLimits FromSettings();
};

// Replaces runs of launches, where that pays, by groups. Buffers that a group
// frees live until its end; no group makes a plan need more memory than before.
void GroupBands(Plan* plan, const BandLimits& limits = {});

// Whether a launch moves little next to the largest of its group, such as an
// update of a boundary. Its rows need not correspond to those of the others, so
// it runs as far as it may in each band.
bool IsDetail(const Launch& launch, int64_t largest_bytes);

// How many rows of the later launch may run when all rows of the earlier one
// before `done` are done.
int64_t RowLimit(const BandEdge& edge, int64_t done);

}  // namespace fuseau::runtime

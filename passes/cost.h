// What the decisions of the passes weigh: one place for the figures. Work is in
// additions of one element, as the column `flops` of the table of operations.
#pragma once

#include <cstdint>

#include "runtime/base/caches.h"

namespace fuseau::passes {

// Reading an element from memory costs as much as this work.
constexpr int kCheapFlops = 4;
// Computing again this part of a value costs less than to store all of it.
constexpr int64_t kRimPart = 16;
// As much as a value may cost that is computed again for each row or column it
// is broadcast to, whatever the size: it hides behind the loads.
constexpr int kFreeFlops = 1;
// Work that takes as long as one more launch, with vectors: some 2 us.
constexpr int64_t kLaunchFlops = 20000;
// Memory in a cache that is moved in the time of one more launch.
constexpr int64_t kLaunchBytes = int64_t{8} << 10;
// Operations of this work or more are calls of NumPy's loops.
constexpr int kCallFlops = 12;

// Copying a run of bytes costs as much as so many bytes more.
constexpr int64_t kRunBytes = 32;
// A write that would have to lag goes to another buffer instead, if what the
// nest touches stays in the L2 cache and the rest of the old value is so many
// times cheaper to copy than what is written.
constexpr int64_t kSwapGain = 2;

// A nest that touches more stores its result past the caches.
inline int64_t StreamBytes(const CacheSizes& caches) { return caches.shared; }

// A tile of a sweep: what its launches touch stays in the L2 cache, beside what
// else passes through it.
inline int64_t TileBytes(const CacheSizes& caches) { return caches.core / 5; }
// A tile has so many times the rows around it that are computed again.
constexpr int64_t kTileHalos = 8;
// Launches that touch less than so many tiles leave it in the caches anyhow,
// and threads could not share them.
constexpr int64_t kMinTiles = 4;

}  // namespace fuseau::passes

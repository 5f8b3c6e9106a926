// The sizes of the processor's caches, by which work is cut into tiles.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace fuseau {

// What one thread may count on, with a thread on every processor. Where the
// system does not tell, sizes that are common.
struct CacheSizes {
  int64_t first = int64_t{32} << 10;   // level 1, data, of one processor
  int64_t core = int64_t{1} << 20;     // level 2, the part of one processor
  int64_t shared = int64_t{16} << 20;  // level 3, all of one cache
};

// Of the machine we run on; read once.
const CacheSizes& Caches();

namespace caches_internal {
// Reads what Linux tells of one processor's caches in a folder like
// /sys/devices/system/cpu/cpu0/cache.
CacheSizes ReadCaches(absl::string_view folder);
// How many processors a list like "0-3,8" names; 1 if it names none.
int64_t CountProcessors(absl::string_view list);
}  // namespace caches_internal

}  // namespace fuseau

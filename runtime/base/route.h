// Who gets what ranks have selected.
#pragma once

#include <cstdint>
#include <vector>

namespace fuseau::runtime {

// Elements that ranks have selected, one rank's after the other's, and who gets
// which of them. How many each has is known when the exchange begins.
struct Route {
  int64_t unit = 0;  // bytes of an element
  // Ranks that have elements, in the order of these; the source of each begins
  // with its first one.
  std::vector<int32_t> givers;
  // Rank r gets the bytes [cuts[r], cuts[r + 1]) of all elements together.
  std::vector<int64_t> cuts;
};

}  // namespace fuseau::runtime

// What ranks tell each other besides messages: who is alive, and what failed.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

// Tells all other ranks, and raises this rank's Alarm for what they tell. All
// functions may be called by any thread; none waits. Who destroys it without
// Leave is lost to the others.
class Control {
 public:
  virtual ~Control() = default;

  virtual void Fail(uint64_t run, const absl::Status& why) = 0;
  // The rank cannot be reached by messages: it counts as lost, on all ranks.
  virtual void Lose(int rank, absl::string_view what) = 0;
  virtual void Leave() = 0;  // in order
};

}  // namespace fuseau::distrib

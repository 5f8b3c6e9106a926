// Time for limits: unlike that of the day, nobody can set it.
#pragma once

#include <chrono>

#include "absl/time/time.h"

namespace fuseau::distrib {

inline absl::Time Now() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace fuseau::distrib

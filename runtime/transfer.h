// Exchanges of parts of values between ranks.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "runtime/base/transfer.h"  // IWYU pragma: export

namespace fuseau::runtime {

// Who does the exchanges of a run. Called by the thread that runs the plan.
class Exchanger {
 public:
  virtual ~Exchanger() = default;

  // Does the transfer of that number and returns when the target is filled and
  // the source may be overwritten.
  virtual absl::Status Exchange(int64_t transfer, const char* source,
                                char* target,
                                const std::atomic<bool>* cancel) = 0;
};

}  // namespace fuseau::runtime

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

  // The same for a transfer with a route: `counts` has the number of elements
  // of each giver.
  virtual absl::Status ExchangeRouted(int64_t transfer, const char* source,
                                      const int64_t* counts, char* target,
                                      const std::atomic<bool>* cancel) = 0;

  // `Exchange` in two halves. The source may be overwritten when Start returns,
  // the target is filled when Finish does. Several may be under way.
  virtual absl::Status Start(int64_t transfer, const char* source,
                             char* target) = 0;
  virtual absl::Status Finish(int64_t transfer,
                              const std::atomic<bool>* cancel) = 0;
  // Lets what is under way move on. It never waits.
  virtual void Progress() = 0;
  // Gives up all that is under way: targets are free then. After an error
  // nothing is under way either.
  virtual void Drop() = 0;
};

}  // namespace fuseau::runtime

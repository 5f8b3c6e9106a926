// What the steps of a plan run with.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "runtime/arena.h"
#include "runtime/thread_pool.h"

namespace fuseau::runtime {

class Exchanger;

struct RunContext {
  ThreadPool* pool = nullptr;
  Arena* arena = nullptr;
  const std::atomic<bool>* cancel = nullptr;
  Exchanger* exchanger = nullptr;  // of a run on many ranks

  bool Cancelled() const {
    return cancel != nullptr && cancel->load(std::memory_order_relaxed);
  }
  absl::Status Check() const {
    return Cancelled() ? absl::CancelledError("interrupted") : absl::OkStatus();
  }
};

}  // namespace fuseau::runtime

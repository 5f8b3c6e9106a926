// What the steps of a plan run with.
#pragma once

#include <atomic>
#include <thread>

#include "absl/status/status.h"
#include "runtime/arena.h"
#include "runtime/thread_pool.h"
#include "runtime/transfer.h"

namespace fuseau::runtime {

struct RunContext {
  ThreadPool* pool = nullptr;
  Arena* arena = nullptr;
  const std::atomic<bool>* cancel = nullptr;
  Exchanger* exchanger = nullptr;  // of a run on many ranks
  int under_way = 0;               // exchanges that have only been started
  std::thread::id thread = std::this_thread::get_id();  // that runs the plan

  bool Cancelled() const {
    return cancel != nullptr && cancel->load(std::memory_order_relaxed);
  }
  // Called between pieces of work of some 100 us at most, by any thread: lets
  // exchanges that are under way move on.
  void Tick() const {
    if (under_way > 0 && std::this_thread::get_id() == thread)
      exchanger->Progress();
  }
  absl::Status Check() const {
    return Cancelled() ? absl::CancelledError("interrupted") : absl::OkStatus();
  }
};

}  // namespace fuseau::runtime

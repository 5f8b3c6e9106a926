// Runs plans on the processors of this machine.
#pragma once

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/arena.h"
#include "runtime/buffer.h"
#include "runtime/plan.h"
#include "runtime/thread_pool.h"

namespace fuseau::runtime {

class Exchanger;

// A number that is known only when a plan runs; its value starts `bytes`.
struct ScalarValue {
  alignas(16) char bytes[16] = {};
};

struct ExecuteOptions {
  // When it becomes true the run ends soon with CancelledError. Buffers that
  // were being written hold old and new elements then.
  const std::atomic<bool>* cancel = nullptr;
  // Null means the ones of the process.
  Arena* arena = nullptr;
  ThreadPool* pool = nullptr;
  // For plans that exchange parts with other ranks.
  Exchanger* exchanger = nullptr;
  // Memory for results, in the order of Plan::outputs: what the plan would make
  // for one lies there instead. Null, or none at all: the plan's own.
  absl::Span<const BufferRef> results;
};

// Runs the steps of `plan` in order and puts the buffers of its results into
// `outputs`. After an error `outputs` is empty and what the plan made is free
// again. A plan may run several times at once on different buffers. The plan
// has passed CheckPlan.
absl::Status Execute(const Plan& plan, absl::Span<const BufferRef> inputs,
                     absl::Span<const ScalarValue> scalars,
                     std::vector<BufferRef>* outputs,
                     const ExecuteOptions& options = {});

}  // namespace fuseau::runtime

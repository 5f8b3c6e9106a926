// From pending nodes to values.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/graph.h"

namespace fuseau {

// What the language binding lends to evaluation. All may stay null.
struct EvaluationHost {
  // Lets other threads of the language run, and waits until this one may again.
  void* (*release)() = nullptr;
  void (*acquire)(void* state) = nullptr;
  // Around work that may take long: arranges that an interrupt of the user sets
  // `cancel`. End tells whether that was done.
  bool (*begin_interruptible)(std::atomic<bool>* cancel) = nullptr;
  void (*end_interruptible)() = nullptr;
};
void SetEvaluationHost(const EvaluationHost& host);

// Computes the values of these nodes, and of all that must be computed with
// them: named values on the way, and readers of values that would be
// overwritten. On an error everything stays pending and may be tried again.
// May let other threads record and evaluate meanwhile.
absl::Status Evaluate(absl::Span<Node* const> nodes);
// Everything that an array still names.
absl::Status EvaluateAll();
// After Evaluate: a node of one element gets a buffer too.
absl::Status EnsureBuffer(Node* node);
// Evaluates the array and copies its element to `out`; its size is 1.
absl::Status ReadElement(const Array& array, char out[16]);

// The limits at which recording stops to compute.
struct WindowLimits {
  int64_t operations = 512;
  int64_t bytes = INT64_MAX;
};
inline WindowLimits window_limits;
// Takes them from FUSEAU_WINDOW, FUSEAU_EAGER and the size of memory.
void ReadWindowLimits();

absl::Status CutWindow(Node* recorded);
// To be called after each recorded operation with its result.
inline absl::Status AfterRecord(Node* recorded) {
  const Graph& graph = Graph::Get();
  if (__builtin_expect(!graph.read_exposed &&
                           graph.pending_count() < window_limits.operations &&
                           graph.pending_bytes() < window_limits.bytes,
                       true)) {
    return absl::OkStatus();
  }
  return CutWindow(recorded);
}

// Foreign code is going to see the bytes: they are computed, unshared, and stay
// in one place until Unexpose.
absl::Status Expose(Base* base);
void Unexpose(Base* base);
// Gives an exposed base a new value, in its buffer.
absl::Status StoreExposed(Base* base, NodeRef node);

}  // namespace fuseau

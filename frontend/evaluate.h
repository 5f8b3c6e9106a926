// From pending nodes to values.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/graph.h"
#include "frontend/program.h"
#include "frontend/window.h"
#include "ir/trace.h"

namespace fuseau {

// Computes the values of these nodes, and of all that must be computed with
// them: named values on the way, and readers of values that would be
// overwritten. On an error everything stays pending and may be tried again.
// May let other threads record and evaluate meanwhile.
absl::Status Compute(absl::Span<Node* const> nodes);
// The same, and brings the values of these nodes into this process.
absl::Status Evaluate(absl::Span<Node* const> nodes);
// Everything that an array still names.
absl::Status EvaluateAll();
// Brings all that the ranks of a job hold into this process.
absl::Status FetchAllAway();
// Between these two only the calling thread evaluates. Around a fork: the child
// has none of the other threads, and would find what they had begun. Under the
// language's lock; a second call of either does nothing.
void HoldEvaluations();
void LetEvaluationsGo();
// What Evaluate would compute for a pending node, and the state of its program
// if that has run before. Computes nothing.
absl::Status Foresee(Node* node, ir::Trace* trace, Program::State* state);
// After Evaluate: a node of one element gets a buffer too.
absl::Status EnsureBuffer(Node* node);
// Evaluates the array and copies its element to `out`; its size is 1.
absl::Status ReadElement(const Array& array, char out[16]);

// To be called before operations are recorded, as far as the language's own
// operators record them: computes if a window is due to end.
absl::Status EndWindow();
inline absl::Status BeforeRecord() {
  return __builtin_expect(window.due, false) ? EndWindow() : absl::OkStatus();
}

// To be called after each recorded operation with its result; `write` tells
// that it wrote into an array. Computes when a window must end: an operation
// after it was due, and at once if memory is short.
absl::Status CutWindow(Node* recorded, bool write);
inline absl::Status AfterRecord(Node* recorded, bool write = false) {
  const Graph& graph = Graph::Get();
  if (__builtin_expect(!graph.read_exposed &&
                           graph.recorded() < window.next_cut &&
                           graph.pending_bytes() < window.max_bytes,
                       true)) {
    return absl::OkStatus();
  }
  return CutWindow(recorded, write);
}

// Foreign code is going to see the bytes: they are computed, unshared, and stay
// in one place until Unexpose.
absl::Status Expose(Base* base);
void Unexpose(Base* base);
// The same where foreign code lets go at a time that only a garbage collector
// knows. Ranks that all run the program go on as if it were exposed until they
// agree that it is not.
void LetGo(Base* base);
// They look whether exposures of these bases are over.
absl::Status EndExposures(absl::Span<const BaseRef> bases);
// Whether nobody else has the memory of a ready node, so that it may be written
// to. Ranks that all run the program must find the same: if others have it, the
// node gets its own there.
bool OwnsMemory(Node* node);
// Gives an exposed base a new value, in its buffer.
absl::Status StoreExposed(Base* base, NodeRef node);

}  // namespace fuseau

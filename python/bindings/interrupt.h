// Ctrl-C during a long evaluation.
#pragma once

#include <atomic>

namespace fuseau::python {

// While interruptible, an interrupt sets `cancel`, besides what Python's own
// handler does. False, and nothing changes, outside the main thread or when
// Python does not handle interrupts. Called with the global lock.
bool BeginInterruptible(std::atomic<bool>* cancel);
void EndInterruptible();

}  // namespace fuseau::python

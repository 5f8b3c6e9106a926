// One run of a program on this process.
#pragma once

#include <atomic>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/program.h"
#include "ir/trace_words.h"
#include "runtime/executor.h"

namespace fuseau {

struct RunArguments {
  ir::TraceWords words;  // those that the program was made for
  absl::Span<const runtime::BufferRef> inputs;
  absl::Span<const runtime::ScalarValue> scalars;
  // Of a run on many ranks. Such a run is never repeated to find out about
  // floating-point errors, since the others would have to repeat it too.
  runtime::Exchanger* exchanger = nullptr;
};

// Runs it in the way that was chosen, waiting for its plan if need be.
// `*destroyed` tells whether an error leaves inputs that can't be read again.
// Floating-point errors are noted.
absl::Status RunProgram(Program* program, Program::Choice choice,
                        const RunArguments& arguments,
                        const std::atomic<bool>& cancel, bool* destroyed,
                        std::vector<runtime::BufferRef>* outputs);

}  // namespace fuseau

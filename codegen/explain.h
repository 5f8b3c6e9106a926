// How a trace is computed, and why so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ir/trace.h"

namespace fuseau::codegen {

// A value of the trace.
struct ValueReport {
  std::string operation;
  std::string type;             // e.g. "float64[1000, 10]"
  std::vector<int32_t> inputs;  // values that it reads
  std::string stored;           // why it is in memory; empty: in registers
  std::string copied;           // why an update did not run in place
};

// A step of the plan.
struct StepReport {
  std::string what;  // "kernel", a routine's name, "copy" or "fill"
  std::string kernel;
  std::vector<int32_t> values;  // that it computes
  std::vector<int64_t> sizes;   // of its loops
  std::string schedule;
  // Kernels that go through the same rows together, so that these are read from
  // memory less often than `bytes` says.
  int64_t together = 1;
  int64_t bytes = 0;  // moved, at least
  double flops = 0;   // an estimate, in cheap operations
};

struct PlanReport {
  std::vector<ValueReport> values;
  std::vector<StepReport> steps;
  int64_t bytes = 0;            // of all steps
  int64_t least_bytes = 0;      // what is read of inputs, and the results, once
  int64_t temporary_bytes = 0;  // buffers that are no result
};

// Runs the passes on the trace and compiles, or fetches, its kernels.
absl::StatusOr<PlanReport> ExplainTrace(const ir::Trace& trace);

}  // namespace fuseau::codegen

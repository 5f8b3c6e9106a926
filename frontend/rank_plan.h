// A job that is planned and not run: what its ranks would do for a program.
//
// Between BeginPlan and LeaveJob this process behaves as rank 0 of a job of any
// size, whose values are away as soon as they are computed. Nothing is
// computed, sent or allocated for what the ranks would cut, so a plan of
// thousands of ranks needs no memory for its arrays. What is small enough to be
// left to one process is computed as ever. No value that is cut can be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "codegen/explain.h"

namespace fuseau {

struct PlannedMessage {
  int32_t peer = 0;
  int64_t bytes = 0;
};

// One exchange, as a rank does it.
struct PlannedExchange {
  int64_t number = 0;  // in its program, the same on all ranks
  std::vector<PlannedMessage> sends;
  std::vector<PlannedMessage> receives;
  int64_t copied = 0;  // bytes that the rank moves to its own new buffer
};

// What one rank does in a run of a program. Exchanges are steps among the
// others, so the order of the plan is kept.
struct PlannedWork {
  struct Copied {
    std::string operation;
    std::string why;
  };

  int32_t rank = 0;
  std::vector<codegen::StepReport> steps;
  std::vector<PlannedExchange> exchanges;  // in the order of their steps
  std::vector<Copied> copies;  // updates that could not be done in place
  int64_t least_bytes = 0;     // what is read of inputs, and the results, once
};

struct PlannedProgram {
  int64_t runs = 0;
  std::vector<std::string> gathered;  // operations that need all, everywhere
  std::vector<PlannedWork> work;      // of the ranks that were asked for
};

struct PlannedJob {
  std::vector<PlannedProgram> programs;  // those that ran, in order
  int64_t commands = 0;                  // from rank 0 to all others
  int64_t command_bytes = 0;
};

// The process becomes rank 0 of so many; `of` are the ranks whose work is told.
absl::Status BeginPlan(int ranks, absl::Span<const int> of);
// Plans all that is recorded. What was planned since BeginPlan or the last
// call.
absl::StatusOr<PlannedJob> TakePlan();

}  // namespace fuseau

// A launch with its addresses filled in, and how it is cut into chunks.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/plan.h"
#include "runtime/run_context.h"

namespace fuseau::runtime {

// The argument block of a kernel (see KernelFn) with names for its slots. A
// copy is cheap; pieces of a launch that need other addresses take one.
class Arguments {
 public:
  Arguments(const Launch& launch);

  int rank() const { return rank_; }
  int64_t& size(int d) { return slots_[d]; }
  int64_t size(int d) const { return slots_[d]; }
  absl::Span<const int64_t> sizes() const {
    return absl::MakeConstSpan(slots_).subspan(0, rank_);
  }
  int64_t& address(int operand) { return slots_[OperandSlot(rank_, operand)]; }
  int64_t address(int operand) const {
    return slots_[OperandSlot(rank_, operand)];
  }
  char* pointer(int operand) const {
    return reinterpret_cast<char*>(address(operand));
  }
  void set_pointer(int operand, const char* p) {
    address(operand) = reinterpret_cast<int64_t>(p);
  }
  absl::Span<int64_t> strides(int operand) {
    return absl::MakeSpan(slots_).subspan(OperandSlot(rank_, operand) + 1,
                                          rank_);
  }
  absl::Span<const int64_t> strides(int operand) const {
    return absl::MakeConstSpan(slots_).subspan(OperandSlot(rank_, operand) + 1,
                                               rank_);
  }
  void set_scalar(int scalar, const char* bytes);

  absl::Span<const int64_t> slots() const { return slots_; }

  // Leaves only [start, start + size) of dimension d.
  void Narrow(int d, int64_t start, int64_t size);

  void Call(int64_t lo, int64_t hi) const { fn_(lo, hi, slots_.data()); }

 private:
  KernelFn fn_;
  int rank_;
  int operands_;
  absl::InlinedVector<int64_t, 64> slots_;
};

// Shorter work is done by the thread that has it: waking and waiting costs some
// microseconds.
inline constexpr double kInlineSeconds = 5e-6;

// The time that one thread needs, from the launch's bytes and flops. A guess
// that only decides how to cut.
double EstimateSeconds(const Launch& launch);

// Chunks of `grain` along dimension `dim`.
struct Cut {
  int dim = 0;
  int64_t grain = 0;
  int64_t chunks = 1;
};

// An interrupt is seen between chunks.
inline constexpr double kMaxChunkSeconds = 5e-3;
// Cuts work of `seconds` over `sizes`: one chunk below some microseconds; else
// chunks of some 20 us or more and, for large work, several per thread. Bit d
// of `dims` tells whether dimension d may be cut. None takes longer than
// `longest`.
Cut ChooseCut(double seconds, absl::Span<const int64_t> sizes, uint64_t dims,
              int threads, double longest = kMaxChunkSeconds);

// The dimensions along which a launch may be cut.
uint64_t ParallelDims(const Launch& launch);

// Runs a launch without lagged writes whose split is kRows or kSerial.
absl::Status RunRows(const Launch& launch, const Arguments& args,
                     const RunContext& context);

// Runs a launch whose split is kTree.
absl::Status RunTree(const Launch& launch, const Arguments& args,
                     const RunContext& context);

}  // namespace fuseau::runtime

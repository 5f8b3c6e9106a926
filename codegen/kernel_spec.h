// A kernel op, read and checked: what the emitter works from.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "ir/dialect.h"
#include "runtime/base/combiner.h"

namespace fuseau::codegen {

// How an operand moves along the innermost dimension.
enum class Inner : int8_t {
  kBackwards = -1,
  kBroadcast = 0,
  kContiguous = 1,
  kStrided = 2,
};

struct OperandSpec {
  DType dtype = DType::kFloat64;
  Inner inner = Inner::kContiguous;
  bool iota = false;      // a value computed from the index; no memory
  bool streamed = false;  // an output that is stored past the caches
};

enum class Reduction : uint8_t { kNone, kInner, kInnerAccumulate, kOuter };

struct KernelSpec {
  int rank = 0;
  std::vector<OperandSpec> inputs;  // memory and iotas: first body arguments
  std::vector<DType> scalars;       // the other body arguments
  std::vector<OperandSpec> outputs;
  Reduction reduction = Reduction::kNone;
  std::vector<Combiner> combiners;  // one per output
  int rows = 1;  // of the row dimension that are computed together
  bool turned = false;
  uint64_t reduced = 0;         // bit d: joined along dimension d; 0: not said
  mlir::Block* body = nullptr;  // owned by the op

  int OperandCount() const {
    return static_cast<int>(inputs.size() + outputs.size());
  }
  // Vectors run along the last dimension, or along the one before it.
  int InnerDimension() const { return turned ? rank - 2 : rank - 1; }
  int RowDimension() const { return turned ? rank - 1 : rank - 2; }
  bool Streams() const {
    return llvm::any_of(outputs, [](const auto& o) { return o.streamed; });
  }
  bool ReducesInner() const {
    return reduction == Reduction::kInner ||
           reduction == Reduction::kInnerAccumulate;
  }
};

absl::StatusOr<KernelSpec> ReadKernel(ir::exec::KernelOp kernel);

}  // namespace fuseau::codegen

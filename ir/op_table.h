// The table of operations without MLIR: what the recorder needs to know of an
// operation. Generated from ir/ops.td.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "runtime/base/combiner.h"

namespace fuseau::ir {

// Values change when an operation is added: store names, not numbers.
enum class OpCode : uint8_t {
#define FUSEAU_OP_ENUM
#include "ir/op_table.inc"
#undef FUSEAU_OP_ENUM
};

enum class Family : uint8_t { kElementwise, kReduction, kRoutine, kStructure };

struct OpRow {
  const char* name;   // the op in dialect `fuseau`
  const char* numpy;  // the function of NumPy, or ""
  Family family;
  uint8_t arity;
  uint8_t flops;   // work of one element, in additions
  uint8_t raises;  // FloatFlags of elements
  Combiner combiner;
  const char* loop;  // of a routine: NumPy's ufunc that does the work, or ""
};

const OpRow& RowOf(OpCode op);
int OpCount();
// By the dialect's name, such as "add".
std::optional<OpCode> FindOp(absl::string_view name);

}  // namespace fuseau::ir

// Names of NumPy's inner loops, as runtime/inner_loops.h has them.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "ir/op_table.h"
#include "runtime/base/dtype.h"

namespace fuseau {

// Such as "power.dd->d".
inline std::string LoopName(ir::OpCode op, absl::Span<const DType> in,
                            DType out) {
  std::string name = ir::RowOf(op).numpy;
  name += '.';
  for (DType t : in) name += TypeCode(t);
  name += "->";
  name += TypeCode(out);
  return name;
}

}  // namespace fuseau

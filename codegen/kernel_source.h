// Where the kernels of a plan come from.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "ir/dialect.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

class KernelSource {
 public:
  virtual ~KernelSource() = default;
  // The kernel of the op, which is not changed meanwhile.
  virtual absl::StatusOr<std::shared_ptr<const runtime::Kernel>> Get(
      ir::exec::KernelOp kernel) = 0;
};

}  // namespace fuseau::codegen

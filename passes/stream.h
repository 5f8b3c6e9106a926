// Which results are stored past the caches.
#pragma once

#include "ir/dialect.h"
#include "llvm/ADT/DenseSet.h"
#include "passes/nest.h"

namespace fuseau::passes {

// A result is streamed if the caches cannot hold it beside what it is computed
// from and no nest reads it: then its lines need not be read before they are
// written.
class Streaming {
 public:
  // Nests stream if they touch more than `limit` bytes. All nests of the
  // module.
  Streaming(llvm::ArrayRef<ir::exec::RunOp> runs, int64_t limit);

  // Bit i: result i of the nest, which computes `rows` rows together. What is
  // streamed is aligned at the same elements, if the buffers are.
  uint32_t Of(ir::exec::RunOp run, const Nest& nest, int64_t rows) const;

 private:
  llvm::DenseSet<mlir::Value> read_;
  int64_t limit_;
};

}  // namespace fuseau::passes

// The working state of the fuse pass: which operations become loop nests
// ("groups") of their own, and which are computed inside the nests that read
// them.
#pragma once

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "ir/dialect.h"
#include "ir/op_table.h"
#include "passes/access.h"

namespace fuseau::passes {

// A loop nest in the making: one space, one or more results.
struct Group {
  Dims space;
  llvm::SmallVector<bool> reduced;      // empty unless the roots are reductions
  bool routine = false;                 // the only root is a routine
  std::vector<mlir::Operation*> roots;  // later operations first
  absl::flat_hash_set<int> reads_from;  // groups whose results it reads
  llvm::DenseSet<mlir::Value> sources;  // values its operations read
  int ops = 0;

  bool IsReduction() const { return !reduced.empty() && !routine; }
};

// The outcome of grouping.
struct Grouping {
  std::vector<Group> groups;
  llvm::DenseMap<mlir::Operation*, int> group_of;  // of each root
};

// What a view or update touches.
inline Access WindowOf(ir::ViewOp op) {
  return {static_cast<int64_t>(op.getOffset()),
          Dims(op.getStrides().begin(), op.getStrides().end())};
}
inline Access WindowOf(ir::UpdateOp op) {
  return {static_cast<int64_t>(op.getOffset()),
          Dims(op.getStrides().begin(), op.getStrides().end())};
}

// Whether `to` can be reached from `from` along edges; `next(g)` is the set of
// the groups that have an edge from `g`. Each group reaches itself.
template <typename Next>
bool Reaches(int from, int to, Next next) {
  llvm::SmallVector<int> todo{from};
  absl::flat_hash_set<int> seen{from};
  while (!todo.empty()) {
    const int g = todo.pop_back_val();
    if (g == to) return true;
    for (int h : next(g))
      if (seen.insert(h).second) todo.push_back(h);
  }
  return false;
}

llvm::ArrayRef<int64_t> ShapeOf(mlir::Value v);
DType ElementOf(mlir::Value v);
// The table row's number of an operation of dialect fuseau.
ir::OpCode CodeOf(mlir::Operation* op);

// An access to a part of complex elements, seen as an access to whole ones.
enum class Part : uint8_t { kWhole, kReal, kImaginary };
struct ElementRead {
  Access access;
  Part part = Part::kWhole;
};
// How elements of type `read` at `access` are had from a value with elements of
// type `made`: as they are, or as a part of a complex one. Nothing if the bytes
// are read in another way.
std::optional<ElementRead> ReadAs(const Access& access, DType read, DType made);

// Makes a `fuseau.fused` (or `fuseau.routine`) of each group, in an order that
// respects what they read, and removes the operations they replace.
void EmitGroups(mlir::func::FuncOp function, Grouping& grouping);

}  // namespace fuseau::passes

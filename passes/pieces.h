// Values that were put together by a chain of updates, read piece by piece.
#pragma once

#include <optional>
#include <vector>

#include "ir/dialect.h"
#include "passes/access.h"

namespace fuseau::passes {

// A box of a space.
struct Cell {
  Dims low;
  Dims shape;
};

// Where each dimension of a space is cut.
class Cuts {
 public:
  explicit Cuts(llvm::ArrayRef<int64_t> shape);

  void Add(size_t dimension, int64_t at);  // ignored if not inside
  int64_t Cells() const;
  std::vector<Cell> All() const;  // in C order

 private:
  std::vector<std::vector<int64_t>> edges_;  // ascending, with both ends
};

class PieceChain {
 public:
  // A box of the storage's grid; `axis` has the dimension of the grid along
  // which each dimension of the box's own space runs, -1 for those of size 1.
  struct Box {
    Dims low;
    Dims shape;
    llvm::SmallVector<int> axis;
  };
  // A view of the chain's outcome.
  struct ViewRead {
    ir::ViewOp view;
    Box box;
  };

  // The updates before `value` that nothing else reads, if their windows and
  // all views of `value` are boxes of one grid.
  static std::optional<PieceChain> Of(mlir::Value value);

  int64_t size() const { return static_cast<int64_t>(pieces_.size()); }
  // Nothing if elements are read as another type or in other steps.
  std::optional<ViewRead> ReadOf(ir::ViewOp view) const;
  // Cuts the space of a view where the pieces end.
  void AddCuts(const ViewRead& read, Cuts& cuts) const;
  // The elements of a part of a view that lies in one piece, read from that
  // piece's source (or from what the chain started from).
  mlir::Value Read(mlir::ImplicitLocOpBuilder& b, const ViewRead& read,
                   const Cell& cell) const;

 private:
  struct Piece {
    mlir::Value source;
    Box box;
  };

  std::optional<Box> BoxOf(const Access& window,
                           llvm::ArrayRef<int64_t> shape) const;

  DType dtype_ = DType::kFloat64;
  Dims steps_;                 // of the grid, in bytes, descending
  std::vector<Piece> pieces_;  // the last update first
  mlir::Value base_;
};

}  // namespace fuseau::passes

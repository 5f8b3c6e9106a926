#include "passes/pieces.h"

#include <algorithm>
#include <functional>

#include "passes/regions.h"

namespace fuseau::passes {
namespace {

using mlir::Value;

// Longer chains are programs of their own, not arrays put together.
constexpr int kMaxPieces = 32;

bool Intersect(const PieceChain::Box& a, const PieceChain::Box& b) {
  for (size_t k = 0; k < a.low.size(); ++k) {
    if (a.low[k] >= b.low[k] + b.shape[k] || b.low[k] >= a.low[k] + a.shape[k])
      return false;
  }
  return true;
}

}  // namespace

Cuts::Cuts(llvm::ArrayRef<int64_t> shape) {
  for (int64_t n : shape) edges_.push_back({0, n});
}

void Cuts::Add(size_t dimension, int64_t at) {
  std::vector<int64_t>& edges = edges_[dimension];
  if (at <= 0 || at >= edges.back()) return;
  auto place = std::lower_bound(edges.begin(), edges.end(), at);
  if (*place != at) edges.insert(place, at);
}

int64_t Cuts::Cells() const {
  int64_t cells = 1;
  for (const std::vector<int64_t>& edges : edges_)
    cells *= static_cast<int64_t>(edges.size()) - 1;
  return cells;
}

std::vector<Cell> Cuts::All() const {
  std::vector<Cell> cells = {Cell()};
  for (const std::vector<int64_t>& edges : edges_) {
    std::vector<Cell> longer;
    for (const Cell& cell : cells) {
      for (size_t i = 0; i + 1 < edges.size(); ++i) {
        longer.push_back(cell);
        longer.back().low.push_back(edges[i]);
        longer.back().shape.push_back(edges[i + 1] - edges[i]);
      }
    }
    cells = std::move(longer);
  }
  return cells;
}

std::optional<PieceChain> PieceChain::Of(Value value) {
  PieceChain chain;
  std::vector<ir::UpdateOp> updates;
  Value v = value;
  while (auto update = v.getDefiningOp<ir::UpdateOp>()) {
    if (v != value && !v.hasOneUse()) break;
    if (static_cast<int>(updates.size()) == kMaxPieces) return std::nullopt;
    updates.push_back(update);
    v = update.getOld();
  }
  if (updates.empty()) return std::nullopt;
  chain.base_ = v;
  chain.dtype_ = ElementOf(updates.front().getX());
  // The grid has all the steps that a window takes.
  auto add_steps = [&](const Access& window, llvm::ArrayRef<int64_t> shape) {
    for (size_t d = 0; d < shape.size(); ++d)
      if (shape[d] != 1) chain.steps_.push_back(window.strides[d]);
  };
  for (ir::UpdateOp update : updates) {
    if (ElementOf(update.getX()) != chain.dtype_) return std::nullopt;
    add_steps(WindowOf(update), ShapeOf(update.getX()));
  }
  for (mlir::Operation* user : value.getUsers())
    if (auto view = mlir::dyn_cast<ir::ViewOp>(user))
      add_steps(WindowOf(view), ShapeOf(view));
  Dims& steps = chain.steps_;
  std::sort(steps.begin(), steps.end(), std::greater<int64_t>());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  if (steps.empty() || steps.back() < ItemSize(chain.dtype_))
    return std::nullopt;
  for (size_t k = 0; k + 1 < steps.size(); ++k)
    if (steps[k] % steps[k + 1] != 0) return std::nullopt;
  for (ir::UpdateOp update : updates) {
    auto box = chain.BoxOf(WindowOf(update), ShapeOf(update.getX()));
    if (!box) return std::nullopt;
    chain.pieces_.push_back({update.getX(), *std::move(box)});
  }
  return chain;
}

std::optional<PieceChain::Box> PieceChain::BoxOf(
    const Access& window, llvm::ArrayRef<int64_t> shape) const {
  Box box;
  int64_t rest = window.offset;
  for (int64_t step : steps_) {
    box.low.push_back(rest / step);
    box.shape.push_back(1);
    rest %= step;
  }
  if (rest != 0) return std::nullopt;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return std::nullopt;
    box.axis.push_back(-1);
    if (shape[d] == 1) continue;
    const auto at = std::find(steps_.begin(), steps_.end(), window.strides[d]);
    if (at == steps_.end()) return std::nullopt;
    const int k = static_cast<int>(at - steps_.begin());
    if (box.shape[k] != 1) return std::nullopt;
    box.shape[k] = shape[d];
    box.axis.back() = k;
  }
  // No row of the box goes on in the next row of the grid.
  for (size_t k = 1; k < steps_.size(); ++k)
    if (box.low[k] + box.shape[k] > steps_[k - 1] / steps_[k])
      return std::nullopt;
  return box;
}

std::optional<PieceChain::ViewRead> PieceChain::ReadOf(ir::ViewOp view) const {
  if (ElementOf(view.getResult()) != dtype_) return std::nullopt;
  auto box = BoxOf(WindowOf(view), ShapeOf(view.getResult()));
  if (!box) return std::nullopt;
  return ViewRead{view, *std::move(box)};
}

void PieceChain::AddCuts(const ViewRead& read, Cuts& cuts) const {
  for (const Piece& piece : pieces_) {
    if (!Intersect(piece.box, read.box)) continue;
    for (size_t d = 0; d < read.box.axis.size(); ++d) {
      const int k = read.box.axis[d];
      if (k < 0) continue;
      const int64_t low = piece.box.low[k] - read.box.low[k];
      cuts.Add(d, low);
      cuts.Add(d, low + piece.box.shape[k]);
    }
  }
}

Value PieceChain::Read(mlir::ImplicitLocOpBuilder& b, const ViewRead& read,
                       const Cell& cell) const {
  const size_t rank = cell.shape.size();
  const auto type = mlir::RankedTensorType::get(
      llvm::ArrayRef<int64_t>(cell.shape),
      mlir::getElementTypeOrSelf(ir::ViewOp(read.view).getType()));
  Box box = read.box;
  Access access = WindowOf(read.view);
  for (size_t d = 0; d < rank; ++d) {
    access.offset += cell.low[d] * access.strides[d];
    const int k = box.axis[d];
    if (k < 0) continue;
    box.low[k] += cell.low[d];
    box.shape[k] = cell.shape[d];
  }
  Value source = base_;
  for (const Piece& piece : pieces_) {
    if (!Intersect(piece.box, box)) continue;
    source = piece.source;
    // From the storage's steps to those of the source, which is dense.
    const Dims dense = DenseStrides(ShapeOf(source), ItemSize(dtype_));
    access = {0, Dims(rank, 0)};
    for (size_t j = 0; j < piece.box.axis.size(); ++j) {
      const int k = piece.box.axis[j];
      if (k < 0) continue;
      access.offset += (box.low[k] - piece.box.low[k]) * dense[j];
      for (size_t d = 0; d < rank; ++d)
        if (read.box.axis[d] == k) access.strides[d] = dense[j];
    }
    break;
  }
  return ir::ViewOp::create(b, type, source, access.offset,
                            llvm::ArrayRef<int64_t>(access.strides));
}

}  // namespace fuseau::passes

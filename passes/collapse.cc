// Gives loop nests their best order and fewest dimensions.

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "passes/nest.h"
#include "passes/passes.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_COLLAPSEPASS
#include "passes/passes.h.inc"

namespace {

template <typename Function>
void ForEachAccess(Nest& nest, Function function) {
  for (Access& a : nest.in) function(a);
  for (Access& a : nest.out) function(a);
}

bool IsReduction(const Nest& nest) {
  return std::find(nest.reduced.begin(), nest.reduced.end(), true) !=
         nest.reduced.end();
}

template <typename Vector>
Vector Permuted(const Vector& v, const std::vector<int>& order) {
  Vector result;
  for (int d : order) result.push_back(v[d]);
  return result;
}

void Permute(Nest& nest, const std::vector<int>& order) {
  nest.space = Permuted(nest.space, order);
  nest.reduced = Permuted(nest.reduced, order);
  ForEachAccess(nest,
                [&](Access& a) { a.strides = Permuted(a.strides, order); });
}

// A reduction keeps one reduced dimension, even of size 1: joining one element
// is not copying it (a sum of -0.0 is 0.0). The innermost one stays, too, where
// it decides the order.
void DropUnitDimensions(Nest& nest, bool order_is_free) {
  const int rank = static_cast<int>(nest.space.size());
  int witness = -1;
  for (int d = 0; d < rank; ++d)
    if (nest.reduced[d] && (witness < 0 || nest.space[d] != 1)) witness = d;
  std::vector<int> kept;
  for (int d = 0; d < rank; ++d)
    if (nest.space[d] != 1 || d == witness || (d == rank - 1 && !order_is_free))
      kept.push_back(d);
  if (kept.size() < nest.space.size()) Permute(nest, kept);
}

// Walks the memory that is written upwards.
void MakeWritesAscend(Nest& nest) {
  const Dims strides = nest.out[0].strides;
  for (size_t d = 0; d < nest.space.size(); ++d) {
    if (strides[d] >= 0 || nest.reduced[d]) continue;
    ForEachAccess(nest, [&](Access& a) {
      a.offset += a.strides[d] * (nest.space[d] - 1);
      a.strides[d] = -a.strides[d];
    });
  }
}

// The dimension with the largest written stride is outermost.
void SortByWrites(Nest& nest) {
  std::vector<int> order(nest.space.size());
  std::iota(order.begin(), order.end(), 0);
  const Dims strides = nest.out[0].strides;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return std::abs(strides[a]) > std::abs(strides[b]);
  });
  Permute(nest, order);
}

// Merges dimension d + 1 into d where every map walks both as one.
void MergeNeighbours(Nest& nest, bool merge_reduced) {
  for (int d = static_cast<int>(nest.space.size()) - 2; d >= 0; --d) {
    bool mergeable = nest.reduced[d] == nest.reduced[d + 1] &&
                     (!nest.reduced[d] || merge_reduced);
    ForEachAccess(nest, [&](Access& a) {
      mergeable &= a.strides[d] == a.strides[d + 1] * nest.space[d + 1];
    });
    if (!mergeable) continue;
    nest.space[d] *= nest.space[d + 1];
    nest.space.erase(nest.space.begin() + d + 1);
    nest.reduced.erase(nest.reduced.begin() + d + 1);
    ForEachAccess(nest, [&](Access& a) {
      a.strides[d] = a.strides[d + 1];
      a.strides.erase(a.strides.begin() + d + 1);
    });
  }
}

// Joining in another order gives the same bits: everything but sums and
// products of floats.
bool OrderIsFree(ir::FusedOp op) {
  for (auto [combiner, result] : llvm::zip(op.getCombiners(), op.getOuts())) {
    llvm::StringRef name = mlir::cast<mlir::StringAttr>(combiner).getValue();
    if (name != "sum" && name != "prod") continue;
    mlir::Type type =
        mlir::cast<mlir::RankedTensorType>(result.getType()).getElementType();
    if (!mlir::isa<mlir::IntegerType>(type)) return false;
  }
  return true;
}

struct CollapsePass : impl::CollapsePassBase<CollapsePass> {
  void runOnOperation() override {
    getOperation().walk([](ir::FusedOp op) {
      Nest nest = NestOf(op);
      if (op.getNumResults() == 0) return;
      DropUnitDimensions(nest, OrderIsFree(op));
      if (!IsReduction(nest)) {
        MakeWritesAscend(nest);
        SortByWrites(nest);
      }
      MergeNeighbours(nest, OrderIsFree(op));
      SetNest(op, nest);
    });
  }
};

}  // namespace
}  // namespace fuseau::passes

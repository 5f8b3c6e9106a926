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

// Results side by side that are worth vectors of their own.
constexpr int64_t kManyResults = 32;

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

// A short innermost dimension that is reduced goes outside of the result's last
// one, so that the vectors run along the results. Only where that keeps the
// bits: NumPy adds fewer than eight floats one after the other.
void TurnShortRows(Nest& nest, int64_t longest) {
  const int rank = static_cast<int>(nest.space.size());
  if (rank < 2 || !nest.reduced[rank - 1] || nest.reduced[rank - 2]) return;
  if (nest.space[rank - 1] > longest || nest.space[rank - 2] < kManyResults)
    return;
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[rank - 1], order[rank - 2]);
  Permute(nest, order);
}

// Dimensions that are kept go outside of those that are reduced, but for the
// innermost one: the elements of each result are joined in the same order, and
// its row stays in the cache.
void ReduceInside(Nest& nest) {
  const int rank = static_cast<int>(nest.space.size());
  if (rank < 3 || nest.reduced[rank - 1] || nest.space[rank - 1] < kManyResults)
    return;
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::stable_partition(order.begin(), order.end() - 1,
                        [&](int d) { return !nest.reduced[d]; });
  Permute(nest, order);
}

// The longest run of elements whose sum, by NumPy's rule for the innermost
// dimension, is the one in order.
int64_t LongestPlainRun(ir::FusedOp op) {
  constexpr int64_t kShort = 16;  // longer ones fill vectors anyhow
  int64_t longest = kShort;
  for (auto [combiner, result] : llvm::zip(op.getCombiners(), op.getOuts())) {
    mlir::Type type =
        mlir::cast<mlir::RankedTensorType>(result.getType()).getElementType();
    if (mlir::cast<mlir::StringAttr>(combiner).getValue() != "sum") continue;
    if (mlir::isa<mlir::ComplexType>(type))
      longest = std::min<int64_t>(longest, 3);
    if (mlir::isa<mlir::FloatType>(type))
      longest = std::min<int64_t>(longest, 7);
  }
  return longest;
}

// Puts the dimension along which an operand is contiguous next to the innermost
// one, if that jumps through the operand: several rows of the nest then use the
// same cache lines.
void PairTransposed(Nest& nest) {
  const int rank = static_cast<int>(nest.space.size());
  if (rank < 3) return;
  for (const Access& a : nest.in) {
    const int64_t jump = std::abs(a.strides[rank - 1]);
    int best = rank - 1;
    for (int d = 0; d < rank; ++d)
      if (a.strides[d] != 0 &&
          std::abs(a.strides[d]) < std::abs(a.strides[best]))
        best = d;
    if (jump == 0 || best >= rank - 2) continue;
    std::vector<int> order;
    for (int d = 0; d < rank - 1; ++d)
      if (d != best) order.push_back(d);
    order.push_back(best);
    order.push_back(rank - 1);
    Permute(nest, order);
    return;
  }
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
      if (!IsReduction(nest)) {
        PairTransposed(nest);
      } else {
        if (llvm::count(nest.reduced, true) == 1)
          TurnShortRows(nest, LongestPlainRun(op));
        ReduceInside(nest);
      }
      SetNest(op, nest);
    });
  }
};

}  // namespace
}  // namespace fuseau::passes

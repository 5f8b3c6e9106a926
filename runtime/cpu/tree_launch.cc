// Full reductions: the range is cut along NumPy's pairwise tree, so that the
// bits of the result depend neither on the threads nor on the cut.
#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/cpu/combine.h"
#include "runtime/cpu/launch.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

// The partial results of one piece; a cache line, since other threads write the
// next one.
struct alignas(64) Slot {
  char bytes[64];
};
constexpr int kItemBytes = 16;
constexpr int kOutputsPerSlot = sizeof(Slot) / kItemBytes;

struct Piece {
  int64_t lo;
  int64_t hi;
};

// Which cuts of a range give the bits of the uncut one.
enum class Cuts { kAny, kTree, kNone };

Cuts CutsOf(Combiner combiner, DType dtype) {
  if (!IsFloat(dtype) && !IsComplex(dtype)) return Cuts::kAny;
  switch (combiner) {
    case Combiner::kSum:
      return Cuts::kTree;
    case Combiner::kOrderedSum:
    case Combiner::kProd:
      return Cuts::kNone;
    case Combiner::kNone:
    case Combiner::kMax:
    case Combiner::kMin:
    case Combiner::kAny:
    case Combiner::kAll:
      break;
  }
  return Cuts::kAny;
}

class Tree {
 public:
  Tree(const Launch& launch, DType dtype, int64_t grain)
      : launch_(launch),
        dtype_(dtype),
        grain_(grain),
        outputs_(static_cast<int>(launch.operands.size()) - launch.input_count),
        slots_per_piece_((outputs_ + kOutputsPerSlot - 1) / kOutputsPerSlot) {
    Cut(0, launch.sizes[0]);
    slots_.resize(pieces_.size() * slots_per_piece_);
  }

  const std::vector<Piece>& pieces() const { return pieces_; }

  char* Partial(size_t piece, int output) {
    return slots_[piece * slots_per_piece_ + output / kOutputsPerSlot].bytes +
           output % kOutputsPerSlot * kItemBytes;
  }

  // Joins all pieces into the first one's slots.
  void Join() {
    size_t piece = 0;
    Join(launch_.sizes[0], &piece);
  }

 private:
  bool IsPiece(int64_t n) const { return n <= grain_ || IsTreeLeaf(n, dtype_); }

  void Cut(int64_t lo, int64_t n) {
    if (IsPiece(n)) {
      pieces_.push_back({lo, lo + n});
      return;
    }
    const int64_t left = TreeSplit(n, dtype_);
    Cut(lo, left);
    Cut(lo + left, n - left);
  }

  // Joins the pieces of a node of n elements into its first piece, which is
  // *piece; moves *piece behind its last one.
  void Join(int64_t n, size_t* piece) {
    const size_t first = *piece;
    if (IsPiece(n)) {
      ++*piece;
      return;
    }
    const int64_t left = TreeSplit(n, dtype_);
    Join(left, piece);
    const size_t second = *piece;
    Join(n - left, piece);
    for (int i = 0; i < outputs_; ++i) {
      Combine(launch_.combiners[i],
              launch_.operands[launch_.input_count + i].dtype,
              Partial(first, i), Partial(second, i));
    }
  }

  const Launch& launch_;
  const DType dtype_;
  const int64_t grain_;
  const int outputs_;
  const int slots_per_piece_;
  std::vector<Piece> pieces_;
  std::vector<Slot> slots_;
};

}  // namespace

absl::Status RunTree(const Launch& launch, const Arguments& args,
                     const RunContext& context) {
  const int64_t n = args.size(0);
  const int inputs = launch.input_count;
  const int outputs = static_cast<int>(launch.operands.size()) - inputs;
  const int threads = context.pool->thread_count();
  const Cut cut = ChooseCut(EstimateSeconds(launch), args.sizes(), 1, threads);
  // The tree of complex sums differs from that of real ones. No cut fits both.
  DType dtype = launch.operands[inputs].dtype;
  bool whole = cut.chunks <= 1;
  bool real = false;
  bool complex = false;
  for (int i = 0; i < outputs; ++i) {
    const DType t = launch.operands[inputs + i].dtype;
    const Cuts cuts = CutsOf(launch.combiners[i], t);
    if (cuts == Cuts::kAny) continue;
    if (cuts == Cuts::kNone) whole = true;
    (IsComplex(t) ? complex : real) = true;
    dtype = t;
  }
  if (whole || (real && complex)) {
    args.Call(0, n);
    return absl::OkStatus();
  }
  if (threads > 1) Increment(Counter::kLaunchesParallel);
  Tree tree(launch, dtype, cut.grain);
  context.pool->ParallelFor(
      static_cast<int64_t>(tree.pieces().size()), [&](int64_t i) {
        if (context.Cancelled()) return;
        Arguments piece = args;
        for (int k = 0; k < outputs; ++k) {
          piece.set_pointer(inputs + k, tree.Partial(i, k));
        }
        piece.Call(tree.pieces()[i].lo, tree.pieces()[i].hi);
      });
  if (absl::Status status = context.Check(); !status.ok()) return status;
  tree.Join();
  for (int k = 0; k < outputs; ++k) {
    std::memcpy(args.pointer(inputs + k), tree.Partial(0, k),
                ItemSize(launch.operands[inputs + k].dtype));
  }
  return absl::OkStatus();
}

}  // namespace fuseau::runtime

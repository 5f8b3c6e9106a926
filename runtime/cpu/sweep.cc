// Runs launches tile by tile, on all threads. Full reductions are cut along
// NumPy's pairwise tree, so that the bits of a result depend neither on the
// threads nor on the tiles.
#include "runtime/cpu/sweep.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/cpu/combine.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kAlign = 64;
constexpr int64_t kItemBytes = 16;
// A node of a tree that cannot be cut has at most so many elements.
constexpr int64_t kLeaf = 128;

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

// A result of a full reduction.
struct Total {
  size_t launch;
  int operand;
  Combiner combiner;
  DType dtype;
};

// The full reductions of a sweep.
struct Totals {
  std::vector<Total> all;
  DType dtype = DType::kInt64;  // whose tree is cut
  bool whole = false;           // no cut keeps the bits

  explicit Totals(const std::vector<SweepLaunch>& launches) {
    bool real = false;
    bool complex = false;
    for (size_t i = 0; i < launches.size(); ++i) {
      const Launch& launch = *launches[i].launch;
      if (launch.split != Split::kTree) continue;
      for (size_t k = launch.input_count; k < launch.operands.size(); ++k) {
        const Combiner combiner = launch.combiners[k - launch.input_count];
        const DType type = launch.operands[k].dtype;
        all.push_back({i, static_cast<int>(k), combiner, type});
        const Cuts cuts = CutsOf(combiner, type);
        if (cuts == Cuts::kAny) continue;
        if (cuts == Cuts::kNone) whole = true;
        (IsComplex(type) ? complex : real) = true;
        dtype = type;
      }
    }
    // The tree of complex sums differs from that of real ones.
    whole |= real && complex;
  }
  int64_t bytes() const {
    return static_cast<int64_t>(all.size()) * kItemBytes;
  }
};

// Runs tiles on one thread, with memory of its own for the buffers of a tile.
class Worker {
 public:
  Worker(const Sweep& sweep, const std::vector<SweepLaunch>& launches,
         const Totals& totals)
      : sweep_(sweep), launches_(launches), totals_(totals) {}

  absl::Status Prepare(Arena& arena) {
    const int64_t rows = std::max(sweep_.tile, totals_.all.empty() ? 1 : kLeaf);
    int64_t bytes = 0;
    std::vector<int64_t> starts;
    for (const TileBuffer& tile : sweep_.buffers) {
      starts.push_back(bytes);
      const int64_t size = (rows - 1) * tile.stride + tile.row_bytes;
      bytes += (size + kAlign - 1) / kAlign * kAlign;
    }
    if (bytes == 0) return absl::OkStatus();
    FUSEAU_ASSIGN_OR_RETURN(memory_, arena.Allocate(bytes));
    for (size_t t = 0; t < sweep_.buffers.size(); ++t) {
      const TileBuffer& tile = sweep_.buffers[t];
      for (size_t i = 0; i < launches_.size(); ++i) {
        const Launch& launch = *launches_[i].launch;
        for (size_t k = 0; k < launch.operands.size(); ++k)
          if (launch.operands[k].buffer == tile.buffer)
            places_.push_back({i, static_cast<int>(k), tile.stride,
                               reinterpret_cast<int64_t>(memory_->data()) +
                                   starts[t] - tile.low +
                                   launch.operands[k].offset});
      }
    }
    return absl::OkStatus();
  }

  void Rows(int64_t lo, int64_t hi) {
    for (int64_t row = lo; row < hi; row += sweep_.tile)
      Tile(row, std::min(row + sweep_.tile, hi));
  }

  // The totals of n rows from `lo` on, a node of the tree.
  void Node(int64_t lo, int64_t n, char* results) {
    if (n <= sweep_.tile || IsTreeLeaf(n, totals_.dtype)) {
      for (size_t i = 0; i < totals_.all.size(); ++i) {
        const Total& total = totals_.all[i];
        launches_[total.launch].args.set_pointer(total.operand,
                                                 results + i * kItemBytes);
      }
      Tile(lo, lo + n);
      return;
    }
    const int64_t left = TreeSplit(n, totals_.dtype);
    absl::InlinedVector<char, 64> second(totals_.bytes());
    Node(lo, left, results);
    Node(lo + left, n - left, second.data());
    Join(totals_, results, second.data());
  }

  static void Join(const Totals& totals, char* left, const char* right) {
    for (size_t i = 0; i < totals.all.size(); ++i)
      Combine(totals.all[i].combiner, totals.all[i].dtype,
              left + i * kItemBytes, right + i * kItemBytes);
  }

 private:
  // Where an operand in a tile buffer is when the tile starts at row 0.
  struct Place {
    size_t launch;
    int operand;
    int64_t stride;
    int64_t address;
  };

  void Tile(int64_t lo, int64_t hi) {
    for (const Place& p : places_)
      launches_[p.launch].args.address(p.operand) = p.address - lo * p.stride;
    for (size_t i = 0; i < launches_.size(); ++i) {
      const SweepLaunch& l = launches_[i];
      Sweep::Halo halo;
      if (!sweep_.halos.empty()) halo = sweep_.halos[i];
      const int64_t from = std::max<int64_t>(lo - l.first - halo.before, 0);
      const int64_t to =
          std::min(hi - l.first + halo.after, l.launch->sizes[0]);
      if (from < to) l.args.Call(from, to);
    }
  }

  const Sweep& sweep_;
  std::vector<SweepLaunch> launches_;
  const Totals& totals_;
  BufferRef memory_;
  std::vector<Place> places_;
};

// The nodes of the tree that are computed apart.
struct Piece {
  int64_t lo;
  int64_t n;
};

void CutTree(int64_t lo, int64_t n, int64_t grain, DType dtype,
             std::vector<Piece>* pieces) {
  if (n <= grain || IsTreeLeaf(n, dtype)) {
    pieces->push_back({lo, n});
    return;
  }
  const int64_t left = TreeSplit(n, dtype);
  CutTree(lo, left, grain, dtype, pieces);
  CutTree(lo + left, n - left, grain, dtype, pieces);
}

// Joins the pieces of a node of n elements into its first one, which is *piece;
// moves *piece behind the last.
void JoinTree(int64_t n, int64_t grain, const Totals& totals, int64_t apart,
              char* results, size_t* piece) {
  char* first = results + *piece * apart;
  if (n <= grain || IsTreeLeaf(n, totals.dtype)) {
    ++*piece;
    return;
  }
  const int64_t left = TreeSplit(n, totals.dtype);
  JoinTree(left, grain, totals, apart, results, piece);
  const char* second = results + *piece * apart;
  JoinTree(n - left, grain, totals, apart, results, piece);
  Worker::Join(totals, first, second);
}

}  // namespace

absl::Status RunTiles(const Sweep& sweep,
                      const std::vector<SweepLaunch>& launches,
                      const RunContext& context) {
  const Totals totals(launches);
  const int threads = context.pool->thread_count();
  double seconds = 0;
  for (const SweepLaunch& l : launches) seconds += EstimateSeconds(*l.launch);
  // Rows are no elements: a cut needs no whole vectors.
  const int64_t sizes[] = {sweep.rows, 1};
  const Cut cut =
      ChooseCut(seconds, sizes, 1, context.pool->ThreadsFor(seconds));
  std::vector<Piece> pieces;
  const int64_t grain =
      cut.chunks <= 1 || totals.whole ? sweep.rows : cut.grain;
  if (totals.all.empty()) {
    for (int64_t lo = 0; lo < sweep.rows; lo += grain)
      pieces.push_back({lo, std::min(grain, sweep.rows - lo)});
  } else {
    CutTree(0, sweep.rows, grain, totals.dtype, &pieces);
  }
  // Each piece has cache lines of its own for its results.
  const int64_t apart = (totals.bytes() + kAlign - 1) / kAlign * kAlign;
  std::vector<char> results(pieces.size() * apart);
  std::vector<absl::Status> statuses(pieces.size());
  auto run = [&](int64_t i) {
    if (context.Cancelled()) return;
    context.Tick();
    Worker worker(sweep, launches, totals);
    statuses[i] = worker.Prepare(*context.arena);
    if (!statuses[i].ok()) return;
    if (totals.all.empty())
      worker.Rows(pieces[i].lo, pieces[i].lo + pieces[i].n);
    else
      worker.Node(pieces[i].lo, pieces[i].n, results.data() + i * apart);
  };
  if (pieces.size() == 1) {
    run(0);
  } else {
    if (threads > 1) Increment(Counter::kLaunchesParallel);
    context.pool->ParallelFor(static_cast<int64_t>(pieces.size()), run);
  }
  FUSEAU_RETURN_IF_ERROR(context.Check());
  for (const absl::Status& status : statuses) FUSEAU_RETURN_IF_ERROR(status);
  if (totals.all.empty()) return absl::OkStatus();
  size_t piece = 0;
  JoinTree(sweep.rows, grain, totals, apart, results.data(), &piece);
  for (size_t i = 0; i < totals.all.size(); ++i) {
    const Total& total = totals.all[i];
    std::memcpy(launches[total.launch].args.pointer(total.operand),
                results.data() + i * kItemBytes, ItemSize(total.dtype));
  }
  return absl::OkStatus();
}

absl::Status RunTree(const Launch& launch, const Arguments& args,
                     const RunContext& context) {
  const int64_t n = args.size(0);
  // No thread for it: without a detour.
  if (n == 0 || EstimateSeconds(launch) < kInlineSeconds) {
    args.Call(0, n);
    return absl::OkStatus();
  }
  Sweep sweep;
  sweep.rows = sweep.tile = n;
  return RunTiles(sweep, {{&launch, args, 0}}, context);
}

}  // namespace fuseau::runtime

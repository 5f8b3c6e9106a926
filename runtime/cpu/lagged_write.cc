#include "runtime/cpu/lagged_write.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kChunksPerThread = 4;
constexpr double kChunkSeconds = 5e-6;
// Every cut costs a copy of the rows around it. So much longer than those rows
// a chunk is at least: for a chunk on each thread, and for more than that.
constexpr int64_t kRowsPerBorder = 4;
constexpr int64_t kRowsPerBorderForBalance = 12;

int64_t RoundUp(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

class LaggedRun {
 public:
  LaggedRun(const Launch& launch, const Arguments& args,
            const RunContext& context, const LaggedTuning& tuning)
      : launch_(launch),
        args_(args),
        context_(context),
        lag_(launch.lagged[0]),
        out_(lag_.output),
        rows_(args.size(0)),
        behind_(std::clamp<int64_t>(lag_.behind, 0, rows_)),
        ahead_(std::clamp<int64_t>(lag_.ahead, 0, rows_)),
        ring_(launch, args, tuning) {}

  absl::Status Run(int64_t chunks) {
    chunks_ = std::clamp<int64_t>(chunks, 1, rows_);
    FUSEAU_RETURN_IF_ERROR(MakeRings());
    if (chunks_ > 1 && behind_ + ahead_ > 0) {
      FUSEAU_RETURN_IF_ERROR(SaveBorders());
    }
    context_.pool->ParallelFor(chunks_, [&](int64_t chunk) {
      if (context_.Cancelled()) return;
      char* const ring = TakeRing();
      RunChunk(chunk, ring);
      GiveRing(ring);
    });
    return context_.Check();
  }

 private:
  // The old rows that one reader sees from the rows around one cut.
  struct Border {
    int operand;
    int64_t item_size;
    RowPlace place;
    int64_t offset;  // in the memory of a cut
  };

  int64_t ChunkBegin(int64_t chunk) const {
    // Not rows * chunk / chunks: that may overflow.
    const int64_t each = rows_ / chunks_;
    return each * chunk + std::min(chunk, rows_ % chunks_);
  }
  // Rows before this one may read what the previous chunk overwrites.
  int64_t HeadEnd(int64_t chunk) const {
    const int64_t begin = ChunkBegin(chunk);
    return chunk == 0 ? begin
                      : std::min(begin + behind_, ChunkBegin(chunk + 1));
  }
  // Rows from this one on may read what the next chunk overwrites.
  int64_t TailBegin(int64_t chunk) const {
    const int64_t end = ChunkBegin(chunk + 1);
    return chunk + 1 == chunks_ ? end : std::max(end - ahead_, HeadEnd(chunk));
  }

  // One ring for each chunk that can be under way.
  absl::Status MakeRings() {
    const int64_t count =
        std::min<int64_t>(chunks_, context_.pool->thread_count());
    FUSEAU_ASSIGN_OR_RETURN(rings_,
                            context_.arena->Allocate(count * ring_.bytes));
    for (int64_t i = 0; i < count; ++i) {
      free_rings_.push_back(rings_->data() + i * ring_.bytes);
    }
    return absl::OkStatus();
  }
  char* TakeRing() {
    std::lock_guard<std::mutex> lock(mutex_);
    char* ring = free_rings_.back();
    free_rings_.pop_back();
    return ring;
  }
  void GiveRing(char* ring) {
    std::lock_guard<std::mutex> lock(mutex_);
    free_rings_.push_back(ring);
  }

  // Before anything is written: copies what the readers see from the rows
  // around each cut. Readers mostly overlap; then the whole span of memory that
  // they see is copied, else each reader's rows.
  absl::Status SaveBorders() {
    span_ = {std::numeric_limits<int64_t>::max(),
             std::numeric_limits<int64_t>::min()};
    int64_t each_bytes = 0;
    for (int32_t operand : lag_.readers) {
      const int64_t item = ItemSize(launch_.operands[operand].dtype);
      const ByteRange row =
          Extent(args_.address(operand), args_.sizes().subspan(1),
                 args_.strides(operand).subspan(1), item);
      span_.lo = std::min(span_.lo, row.lo);
      span_.hi = std::max(span_.hi, row.hi);
      borders_.push_back({operand, item, MakeRowPlace(args_, operand, item),
                          /*offset=*/each_bytes});
      each_bytes +=
          RoundUp((behind_ + ahead_) * borders_.back().place.step, 64);
    }
    const int64_t span_bytes = SpanAt(behind_ + ahead_ - 1).hi - SpanAt(0).lo;
    save_span_ = span_bytes <= each_bytes;
    cut_bytes_ = RoundUp(save_span_ ? span_bytes : each_bytes, 64);
    FUSEAU_ASSIGN_OR_RETURN(
        saved_, context_.arena->Allocate((chunks_ - 1) * cut_bytes_));
    auto save = [&](int64_t cut) { SaveBorder(cut); };
    if ((chunks_ - 1) * cut_bytes_ > (int64_t{1} << 20)) {
      context_.pool->ParallelFor(chunks_ - 1, save);
    } else {
      for (int64_t cut = 0; cut + 1 < chunks_; ++cut) save(cut);
    }
    return absl::OkStatus();
  }
  // What all readers together see from one row, in addresses.
  ByteRange SpanAt(int64_t row) const {
    const int64_t start = row * args_.strides(out_)[0];
    return {span_.lo + start, span_.hi + start};
  }
  char* Saved(int64_t cut) const { return saved_->data() + cut * cut_bytes_; }

  void SaveBorder(int64_t cut) {
    const int64_t lo = TailBegin(cut);
    const int64_t hi = HeadEnd(cut + 1);
    if (lo >= hi) return;
    if (save_span_) {
      const int64_t start = SpanAt(lo).lo;
      std::memcpy(Saved(cut), reinterpret_cast<const char*>(start),
                  SpanAt(hi - 1).hi - start);
      return;
    }
    for (const Border& border : borders_) {
      char* const to = const_cast<char*>(
          border.place.Address(Saved(cut) + border.offset, lo));
      CopyRows(to, border.place.strides, args_.pointer(border.operand),
               args_.strides(border.operand), args_, lo, hi, border.item_size);
    }
  }

  // The arguments for rows around the cut behind chunk `cut`.
  Arguments BorderArguments(int64_t cut) const {
    Arguments args = args_;
    const int64_t lo = TailBegin(cut);
    for (const Border& border : borders_) {
      if (save_span_) {
        args.address(border.operand) +=
            reinterpret_cast<int64_t>(Saved(cut)) - SpanAt(lo).lo;
      } else {
        Redirect(&args, border.operand, border.place,
                 border.place.Address(Saved(cut) + border.offset, lo));
      }
    }
    return args;
  }

  void RunChunk(int64_t chunk, char* memory) {
    const int64_t begin = ChunkBegin(chunk);
    const int64_t end = ChunkBegin(chunk + 1);
    const int64_t head_end = HeadEnd(chunk);
    const int64_t tail_begin = TailBegin(chunk);
    LaggedSweep sweep(ring_, args_, context_, begin);
    sweep.Unpark(memory, /*store=*/nullptr);
    if (begin < head_end) sweep.Compute(BorderArguments(chunk - 1), head_end);
    sweep.Compute(args_, tail_begin);
    if (tail_begin < end) sweep.Compute(BorderArguments(chunk), end);
    sweep.Finish();
  }

  const Launch& launch_;
  const Arguments& args_;
  const RunContext& context_;
  const LaggedWrite& lag_;
  const int out_;
  const int64_t rows_;
  const int64_t behind_;
  const int64_t ahead_;
  const LaggedRing ring_;
  int64_t chunks_ = 1;

  BufferRef rings_;
  std::mutex mutex_;
  std::vector<char*> free_rings_;  // under mutex_

  std::vector<Border> borders_;
  ByteRange span_;          // of all readers in row 0
  bool save_span_ = false;  // else each reader's rows are saved
  int64_t cut_bytes_ = 0;   // saved around one cut
  BufferRef saved_;
};

// All results to scratch memory, cut as it suits, then all back: for launches
// that have too few rows to be cut between them.
absl::Status RunWhole(const Launch& launch, const Arguments& args,
                      const RunContext& context) {
  const int out = launch.lagged[0].output;
  const int64_t item = ItemSize(launch.operands[out].dtype);
  const ScratchLayout layout =
      MakeScratchLayout(args.sizes(), args.strides(out), item);
  FUSEAU_ASSIGN_OR_RETURN(BufferRef scratch,
                          context.arena->Allocate(layout.bytes));
  Arguments redirected = args;
  const char* const from = scratch->data() - layout.lo;
  redirected.set_pointer(out, from);
  std::copy(layout.strides.begin(), layout.strides.end(),
            redirected.strides(out).begin());
  FUSEAU_RETURN_IF_ERROR(RunRows(launch, redirected, context));

  const double seconds = static_cast<double>(layout.bytes) / 5e9;
  const uint64_t all_dims = ~uint64_t{0};
  const Cut cut = ChooseCut(seconds, args.sizes(), all_dims,
                            context.pool->ThreadsFor(seconds));
  const int64_t size = args.size(cut.dim);
  const int64_t grain = cut.chunks > 1 ? cut.grain : size;
  context.pool->ParallelFor(cut.chunks, [&](int64_t chunk) {
    Dims sizes(args.sizes().begin(), args.sizes().end());
    const int64_t start = chunk * grain;
    sizes[cut.dim] = std::min(grain, size - start);
    CopyStrided(args.pointer(out) + start * args.strides(out)[cut.dim],
                args.strides(out), from + start * layout.strides[cut.dim],
                layout.strides, sizes, item);
  });
  return absl::OkStatus();
}

// The rows advance alike for the writer and all readers; only then does "row i
// reads rows i - behind to i + ahead" mean anything.
absl::Status CheckSteps(const Launch& launch, const Arguments& args) {
  const LaggedWrite& lag = launch.lagged[0];
  const int64_t step = args.strides(lag.output)[0];
  bool good = step > 0;
  for (int32_t reader : lag.readers) {
    good = good && args.strides(reader)[0] == step;
  }
  if (good) return absl::OkStatus();
  return absl::InternalError(
      "a lagged write needs one positive stride along dimension 0");
}

}  // namespace

absl::Status RunLagged(const Launch& launch, const Arguments& args,
                       const RunContext& context, const LaggedTuning& tuning) {
  Increment(Counter::kLaggedWrites);
  if (args.rank() == 0) {
    args.Call(0, 1);
    return absl::OkStatus();
  }
  if (Count(args.sizes()) == 0) return absl::OkStatus();
  const int64_t rows = args.size(0);
  if (rows > 1) FUSEAU_RETURN_IF_ERROR(CheckSteps(launch, args));
  if (tuning.whole) return RunWhole(launch, args, context);

  int64_t chunks = tuning.chunks;
  if (chunks == 0) {
    const LaggedWrite& lag = launch.lagged[0];
    const int64_t border =
        std::max<int64_t>(lag.behind, 0) + std::max<int64_t>(lag.ahead, 0);
    const double seconds = EstimateSeconds(launch);
    const int64_t threads = context.pool->thread_count();
    const int64_t wanted =
        threads == 1 ? 1
                     : std::min(kChunksPerThread * threads,
                                static_cast<int64_t>(seconds / kChunkSeconds));
    const int64_t most = std::max(
        {int64_t{1}, std::min(threads, rows / (kRowsPerBorder * border + 1)),
         rows / (kRowsPerBorderForBalance * border + 1)});
    chunks = std::clamp<int64_t>(wanted, 1, most);
    if (chunks < std::min(wanted, (threads + 1) / 2 + 1)) {
      return RunWhole(launch, args, context);
    }
  }
  if (chunks > 1) Increment(Counter::kLaunchesParallel);
  return LaggedRun(launch, args, context, tuning).Run(chunks);
}

}  // namespace fuseau::runtime

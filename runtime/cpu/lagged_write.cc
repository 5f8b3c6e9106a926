#include "runtime/cpu/lagged_write.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

// Results of one kernel call: small enough for the first-level cache, large
// enough to hide the cost of a call.
constexpr int64_t kTileBytes = int64_t{32} << 10;
// Two per thread: every cut costs a copy of the rows around it.
constexpr int64_t kChunksPerThread = 2;
constexpr double kChunkSeconds = 10e-6;

int64_t RoundUp(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// How rows of one operand lie in memory of our own.
struct RowPlace {
  Dims strides;      // of all dimensions; the first one is the row step
  int64_t lo = 0;    // of a row's first byte, relative to its first element
  int64_t step = 0;  // bytes from row to row

  // The address of row 0 when `first_row` is the first one in `block`.
  const char* Address(const char* block, int64_t first_row) const {
    return block - lo - first_row * step;
  }
};

RowPlace MakeRowPlace(const Arguments& args, int operand, int64_t item_size) {
  RowPlace place;
  const absl::Span<const int64_t> strides = args.strides(operand);
  if (args.rank() == 1) {
    // Rows are single elements and the row step is the innermost stride.
    place.step = std::clamp(strides[0], item_size, 2 * item_size);
    place.strides.push_back(place.step);
    return place;
  }
  const ScratchLayout row = MakeScratchLayout(args.sizes().subspan(1),
                                              strides.subspan(1), item_size);
  place.lo = row.lo;
  place.step = RoundUp(row.bytes, 64);
  place.strides.push_back(place.step);
  place.strides.insert(place.strides.end(), row.strides.begin(),
                       row.strides.end());
  return place;
}

void Redirect(Arguments* args, int operand, const RowPlace& place,
              const char* address) {
  args->set_pointer(operand, address);
  std::copy(place.strides.begin(), place.strides.end(),
            args->strides(operand).begin());
}

// Copies rows [lo, hi) of an operand between two places, each given by the
// address of its row 0 and its strides.
void CopyRows(char* to, absl::Span<const int64_t> to_strides, const char* from,
              absl::Span<const int64_t> from_strides, const Arguments& args,
              int64_t lo, int64_t hi, int64_t item_size) {
  Dims sizes(args.sizes().begin(), args.sizes().end());
  sizes[0] = hi - lo;
  CopyStrided(to + lo * to_strides[0], to_strides, from + lo * from_strides[0],
              from_strides, sizes, item_size);
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
        out_item_(ItemSize(launch.operands[lag_.output].dtype)),
        rows_(args.size(0)),
        behind_(std::clamp<int64_t>(lag_.behind, 0, rows_)),
        ahead_(std::clamp<int64_t>(lag_.ahead, 0, rows_)),
        place_(MakeRowPlace(args, lag_.output, out_item_)) {
    tile_rows_ = tuning.tile_rows > 0
                     ? tuning.tile_rows
                     : std::max<int64_t>(1, kTileBytes / place_.step);
    tile_rows_ = std::min(tile_rows_, rows_);
    // A tile must find room while the `behind` rows before it still wait.
    ring_rows_ = RoundUp(behind_ + tile_rows_, tile_rows_);
    ring_bytes_ = RoundUp(ring_rows_ * place_.step, 64);
  }

  absl::Status Run(int64_t chunks) {
    chunks_ = std::clamp<int64_t>(chunks, 1, rows_);
    FUSEAU_RETURN_IF_ERROR(MakeRings());
    if (chunks_ > 1) FUSEAU_RETURN_IF_ERROR(SaveBorders());
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
    int64_t bytes;   // of the rows around one cut
    int64_t offset;  // among those of all readers
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
    return chunk + 1 == chunks_ ? end
                                : std::max(end - ahead_, HeadEnd(chunk));
  }

  // One ring for each chunk that can be under way.
  absl::Status MakeRings() {
    const int64_t count =
        std::min<int64_t>(chunks_, context_.pool->thread_count());
    FUSEAU_ASSIGN_OR_RETURN(rings_,
                            context_.arena->Allocate(count * ring_bytes_));
    for (int64_t i = 0; i < count; ++i) {
      free_rings_.push_back(rings_->data() + i * ring_bytes_);
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
  // around each cut.
  absl::Status SaveBorders() {
    for (int32_t operand : lag_.readers) {
      const int64_t item = ItemSize(launch_.operands[operand].dtype);
      Border border{operand, item, MakeRowPlace(args_, operand, item), 0,
                    borders_bytes_};
      border.bytes = RoundUp((behind_ + ahead_) * border.place.step + 16, 64);
      borders_bytes_ += border.bytes;
      borders_.push_back(std::move(border));
    }
    FUSEAU_ASSIGN_OR_RETURN(
        saved_, context_.arena->Allocate((chunks_ - 1) * borders_bytes_));
    auto save = [&](int64_t cut) {
      const int64_t lo = TailBegin(cut);
      const int64_t hi = HeadEnd(cut + 1);
      for (const Border& border : borders_) {
        char* const to =
            const_cast<char*>(border.place.Address(Saved(cut, border), lo));
        CopyRows(to, border.place.strides, args_.pointer(border.operand),
                 args_.strides(border.operand), args_, lo, hi,
                 border.item_size);
      }
    };
    if ((chunks_ - 1) * borders_bytes_ > (int64_t{1} << 20)) {
      context_.pool->ParallelFor(chunks_ - 1, save);
    } else {
      for (int64_t cut = 0; cut + 1 < chunks_; ++cut) save(cut);
    }
    return absl::OkStatus();
  }
  char* Saved(int64_t cut, const Border& border) const {
    return saved_->data() + cut * borders_bytes_ + border.offset;
  }
  // The arguments for rows around the cut behind chunk `cut`.
  Arguments BorderArguments(int64_t cut) const {
    Arguments args = args_;
    for (const Border& border : borders_) {
      Redirect(&args, border.operand, border.place,
               border.place.Address(Saved(cut, border), TailBegin(cut)));
    }
    return args;
  }

  void RunChunk(int64_t chunk, char* ring) {
    const int64_t end = ChunkBegin(chunk + 1);
    const int64_t head_end = HeadEnd(chunk);
    const int64_t tail_begin = TailBegin(chunk);
    int64_t row = ChunkBegin(chunk);
    Flushed state{ring, row, row};
    if (row < head_end) {
      row = RunTiles(BorderArguments(chunk - 1), row, head_end, &state);
    }
    row = RunTiles(args_, row, tail_begin, &state);
    if (row < end) RunTiles(BorderArguments(chunk), row, end, &state);
    Flush(end, &state);
  }

  struct Flushed {
    char* ring;
    int64_t first_row;  // of the chunk; it stands in the ring's first slot
    int64_t row;        // all rows before it are in the array
  };

  // Computes rows [row, end) into the ring and moves those to the array that no
  // later row reads any more.
  int64_t RunTiles(Arguments args, int64_t row, int64_t end, Flushed* state) {
    while (row < end) {
      if (context_.Cancelled()) return end;
      const int64_t slot = (row - state->first_row) % ring_rows_;
      const int64_t tile =
          std::min({tile_rows_, end - row, ring_rows_ - slot});
      Redirect(&args, out_, place_,
               place_.Address(state->ring + slot * place_.step, row));
      args.Call(row, row + tile);
      row += tile;
      Flush(row - behind_, state);
    }
    return row;
  }

  void Flush(int64_t end, Flushed* state) {
    while (state->row < end) {
      const int64_t slot = (state->row - state->first_row) % ring_rows_;
      const int64_t count = std::min(end - state->row, ring_rows_ - slot);
      CopyRows(
          args_.pointer(out_), args_.strides(out_),
          place_.Address(state->ring + slot * place_.step, state->row),
          place_.strides, args_, state->row, state->row + count, out_item_);
      state->row += count;
    }
  }

  const Launch& launch_;
  const Arguments& args_;
  const RunContext& context_;
  const LaggedWrite& lag_;
  const int out_;
  const int64_t out_item_;
  const int64_t rows_;
  const int64_t behind_;
  const int64_t ahead_;
  const RowPlace place_;
  int64_t tile_rows_ = 0;
  int64_t ring_rows_ = 0;
  int64_t ring_bytes_ = 0;
  int64_t chunks_ = 1;

  BufferRef rings_;
  std::mutex mutex_;
  std::vector<char*> free_rings_;  // under mutex_

  std::vector<Border> borders_;
  int64_t borders_bytes_ = 0;
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
                            context.pool->thread_count());
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
    const int64_t border = std::max<int64_t>(lag.behind, 0) +
                           std::max<int64_t>(lag.ahead, 0);
    const double seconds = EstimateSeconds(launch);
    const int64_t threads = context.pool->thread_count();
    const int64_t wanted =
        threads == 1 ? 1
                     : std::min(kChunksPerThread * threads,
                                static_cast<int64_t>(seconds / kChunkSeconds));
    // At most a quarter of the rows is saved.
    chunks = std::clamp<int64_t>(wanted, 1,
                                 std::max<int64_t>(1, rows / (4 * border + 1)));
    if (chunks < std::min(wanted, (threads + 1) / 2 + 1)) {
      return RunWhole(launch, args, context);
    }
  }
  if (chunks > 1) Increment(Counter::kLaunchesParallel);
  return LaggedRun(launch, args, context, tuning).Run(chunks);
}

}  // namespace fuseau::runtime

#include "runtime/cpu/lagged_write.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

// Results of one kernel call: small enough for the first-level cache, large
// enough to hide the cost of a call.
constexpr int64_t kTileBytes = int64_t{16} << 10;
// Rows above this are computed in pieces.
constexpr int64_t kLargeRowBytes = int64_t{64} << 10;
constexpr int64_t kChunksPerThread = 4;
constexpr double kChunkSeconds = 5e-6;
// Every cut costs a copy of the rows around it. So much longer than those rows
// a chunk is at least: for a chunk on each thread, and for more than that.
constexpr int64_t kRowsPerBorder = 4;
constexpr int64_t kRowsPerBorderForBalance = 12;

int64_t RoundUp(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

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

// A "row" is a step along dimension `depth` with all that is inside it.
RowPlace MakeRowPlace(const Arguments& args, int operand, int64_t item_size,
                      int depth = 0) {
  RowPlace place;
  const absl::Span<const int64_t> strides =
      args.strides(operand).subspan(depth);
  if (strides.size() == 1) {
    // Rows are single elements and the row step is the innermost stride.
    place.step = std::clamp(strides[0], item_size, 2 * item_size);
    place.strides.push_back(place.step);
    return place;
  }
  const ScratchLayout row = MakeScratchLayout(args.sizes().subspan(depth + 1),
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

// Large rows are computed in pieces along dimension 1. A "line" is one step of
// dimension 1 in one row, numbered row by row. When the writer and all readers
// take the same steps along both dimensions, and rows follow each other in
// memory, addresses grow with the number of the line: what lies below all that
// is still to be read may be overwritten. So the results need to wait for about
// `behind` rows, not for one row more, and they return to memory while its
// lines are in the cache.
struct Lines {
  int64_t per_row = 0;
  int64_t row_step = 0;
  int64_t step = 0;
  // Line n may be overwritten when its offset (from line 0) is at most the next
  // line's minus `reach`.
  int64_t reach = 0;
  int64_t piece = 0;  // lines of one kernel call
  int64_t ring = 0;   // lines that the ring holds
  RowPlace place;     // of a line in the ring

  int64_t Offset(int64_t line) const {
    return line / per_row * row_step + line % per_row * step;
  }
  // How many lines, from line 0 on, nobody reads any more when `next` is the
  // next one to be computed.
  int64_t Free(int64_t next) const {
    const int64_t limit = Offset(next) - reach;
    if (limit < 0) return 0;
    return std::min(next, limit / row_step * per_row +
                              std::min(per_row, limit % row_step / step + 1));
  }
};

// Lines for a launch with large rows; none when the conditions do not hold.
std::optional<Lines> MakeLines(const Launch& launch, const Arguments& args,
                               const LaggedTuning& tuning) {
  const LaggedWrite& lag = launch.lagged[0];
  if (args.rank() < 2) return std::nullopt;
  const int64_t item = ItemSize(launch.operands[lag.output].dtype);
  const absl::Span<const int64_t> strides = args.strides(lag.output);
  Lines lines;
  lines.per_row = args.size(1);
  lines.row_step = strides[0];
  lines.step = strides[1];
  if (lines.step <= 0 || lines.row_step < lines.per_row * lines.step) {
    return std::nullopt;
  }
  auto range = [&](int operand) {
    return Extent(args.address(operand), args.sizes().subspan(2),
                  args.strides(operand).subspan(2),
                  ItemSize(launch.operands[operand].dtype));
  };
  const int64_t end = range(lag.output).hi;
  for (int32_t reader : lag.readers) {
    if (args.strides(reader)[0] != strides[0] ||
        args.strides(reader)[1] != strides[1]) {
      return std::nullopt;
    }
    lines.reach = std::max(lines.reach, end - range(reader).lo);
  }
  lines.place = MakeRowPlace(args, lag.output, item, /*depth=*/1);
  lines.piece = tuning.piece_lines > 0
                    ? tuning.piece_lines
                    : std::max<int64_t>(1, kTileBytes / lines.place.step);
  lines.piece = std::min(lines.piece, lines.per_row);
  // Lines wait while their offsets are within `reach` of the next one's.
  lines.ring =
      lines.reach / lines.row_step * lines.per_row +
      std::min(lines.per_row, lines.reach % lines.row_step / lines.step + 1) +
      lines.piece + 1;
  if (tuning.piece_lines > 0) return lines;
  // Not for rows that fit the cache, nor when a reader that is far away (at
  // elements which are never written) makes the ring large.
  const int64_t row_bytes = lines.per_row * lines.place.step;
  const int64_t behind = std::max<int64_t>(lag.behind, 0);
  if (row_bytes < kLargeRowBytes ||
      lines.ring > (behind + 1) * lines.per_row + lines.piece) {
    return std::nullopt;
  }
  return lines;
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
        place_(MakeRowPlace(args, lag_.output, out_item_)),
        lines_(MakeLines(launch, args, tuning)) {
    tile_rows_ = tuning.tile_rows > 0
                     ? tuning.tile_rows
                     : std::max<int64_t>(1, kTileBytes / place_.step);
    tile_rows_ = std::min(tile_rows_, rows_);
    // A tile must find room while the `behind` rows before it still wait.
    ring_rows_ = RoundUp(behind_ + tile_rows_, tile_rows_);
    ring_bytes_ = RoundUp(
        lines_ ? lines_->ring * lines_->place.step : ring_rows_ * place_.step,
        64);
  }

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

  void RunChunk(int64_t chunk, char* ring) {
    const int64_t end = ChunkBegin(chunk + 1);
    const int64_t head_end = HeadEnd(chunk);
    const int64_t tail_begin = TailBegin(chunk);
    int64_t row = ChunkBegin(chunk);
    Flushed state{ring, row, row, lines_ ? row * lines_->per_row : 0};
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
    int64_t line;       // all lines before it are in the array
  };

  // Computes rows [row, end) into the ring and moves those to the array that no
  // later row reads any more.
  int64_t RunTiles(Arguments args, int64_t row, int64_t end, Flushed* state) {
    if (lines_) return RunPieces(args, row, end, state);
    while (row < end) {
      if (context_.Cancelled()) return end;
      const int64_t slot = (row - state->first_row) % ring_rows_;
      const int64_t tile = std::min({tile_rows_, end - row, ring_rows_ - slot});
      Redirect(&args, out_, place_,
               place_.Address(state->ring + slot * place_.step, row));
      args.Call(row, row + tile);
      row += tile;
      Flush(row - behind_, state);
    }
    return row;
  }

  int64_t RunPieces(const Arguments& rows, int64_t row, int64_t end,
                    Flushed* state) {
    const Lines& l = *lines_;
    const int64_t first = state->first_row * l.per_row;
    Arguments args = rows;
    std::copy(l.place.strides.begin(), l.place.strides.end(),
              args.strides(out_).begin() + 1);
    const int operands = static_cast<int>(launch_.operands.size());
    int64_t line = row * l.per_row;
    while (line < end * l.per_row) {
      if (context_.Cancelled()) return end;
      const int64_t slot = (line - first) % l.ring;
      const int64_t start = line % l.per_row;
      const int64_t piece =
          std::min({l.piece, l.per_row - start, l.ring - slot});
      FUSEAU_CHECK(line + piece - state->line <= l.ring);
      row = line / l.per_row;
      for (int i = 0; i < operands; ++i) {
        args.address(i) = rows.address(i) + start * rows.strides(i)[1];
      }
      args.size(1) = piece;
      args.set_pointer(out_, l.place.Address(state->ring, -slot) -
                                 row * args.strides(out_)[0]);
      args.Call(row, row + 1);
      line += piece;
      FlushLines(l.Free(line), state);
    }
    return end;
  }

  void FlushLines(int64_t end, Flushed* state) {
    const Lines& l = *lines_;
    const int64_t first = state->first_row * l.per_row;
    Dims sizes(args_.sizes().begin() + 1, args_.sizes().end());
    while (state->line < end) {
      const int64_t slot = (state->line - first) % l.ring;
      const int64_t start = state->line % l.per_row;
      const int64_t count =
          std::min({end - state->line, l.per_row - start, l.ring - slot});
      sizes[0] = count;
      CopyStrided(args_.pointer(out_) + l.Offset(state->line),
                  args_.strides(out_).subspan(1),
                  l.place.Address(state->ring, -slot), l.place.strides, sizes,
                  out_item_);
      state->line += count;
    }
  }

  void Flush(int64_t end, Flushed* state) {
    if (lines_) return FlushLines(end * lines_->per_row, state);
    while (state->row < end) {
      const int64_t slot = (state->row - state->first_row) % ring_rows_;
      const int64_t count = std::min(end - state->row, ring_rows_ - slot);
      CopyRows(args_.pointer(out_), args_.strides(out_),
               place_.Address(state->ring + slot * place_.step, state->row),
               place_.strides, args_, state->row, state->row + count,
               out_item_);
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
  const std::optional<Lines> lines_;  // when rows are computed in pieces
  int64_t tile_rows_ = 0;
  int64_t ring_rows_ = 0;
  int64_t ring_bytes_ = 0;
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
  const Cut cut =
      ChooseCut(seconds, args.sizes(), all_dims, context.pool->thread_count());
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

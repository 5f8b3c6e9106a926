#include "runtime/cpu/lagged_sweep.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/caches.h"
#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"

namespace fuseau::runtime {
namespace {

// Results of one kernel call: small enough for the first-level cache, large
// enough to hide the cost of a call.
int64_t TileBytes() { return Caches().first / 3; }
// Rows above this are computed in pieces.
int64_t LargeRowBytes() { return Caches().first / 3 * 4; }

int64_t RoundUp(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

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
                    : std::max<int64_t>(1, TileBytes() / lines.place.step);
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
  if (row_bytes < LargeRowBytes() ||
      lines.ring > (behind + 1) * lines.per_row + lines.piece) {
    return std::nullopt;
  }
  return lines;
}

}  // namespace

RowPlace MakeRowPlace(const Arguments& args, int operand, int64_t item_size,
                      int depth) {
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

void CopyRows(char* to, absl::Span<const int64_t> to_strides, const char* from,
              absl::Span<const int64_t> from_strides, const Arguments& args,
              int64_t lo, int64_t hi, int64_t item_size) {
  Dims sizes(args.sizes().begin(), args.sizes().end());
  sizes[0] = hi - lo;
  CopyStrided(to + lo * to_strides[0], to_strides, from + lo * from_strides[0],
              from_strides, sizes, item_size);
}

LaggedRing::LaggedRing(const Launch& launch, const Arguments& args,
                       const LaggedTuning& tuning)
    : out(launch.lagged[0].output),
      out_item(ItemSize(launch.operands[out].dtype)),
      behind(std::clamp<int64_t>(launch.lagged[0].behind, 0, args.size(0))),
      operands(static_cast<int>(launch.operands.size())),
      place(MakeRowPlace(args, out, out_item)),
      lines(MakeLines(launch, args, tuning)) {
  tile_rows = tuning.tile_rows > 0
                  ? tuning.tile_rows
                  : std::max<int64_t>(1, TileBytes() / place.step);
  tile_rows = std::min(tile_rows, args.size(0));
  if (lines) {
    slots = lines->ring;
    slot_step = lines->place.step;
  } else {
    // A tile must find room while the `behind` rows before it still wait.
    slots = RoundUp(behind + tile_rows, tile_rows);
    slot_step = place.step;
  }
  bytes = RoundUp(slots * slot_step, 64);
  waiting_bytes = lines ? bytes : RoundUp(behind * slot_step, 64);
}

LaggedSweep::LaggedSweep(const LaggedRing& ring, const Arguments& args,
                         const RunContext& context, int64_t first_row)
    : ring_(ring),
      args_(args),
      context_(context),
      unit_(ring.lines ? ring.lines->per_row : 1),
      next_(first_row),
      flushed_(first_row * unit_),
      first_(flushed_) {}

void LaggedSweep::Unpark(char* memory, const char* store) {
  memory_ = memory;
  first_ = flushed_;
  const int64_t waiting = next_ * unit_ - flushed_;
  if (waiting > 0) std::memcpy(memory, store, waiting * ring_.slot_step);
}

void LaggedSweep::Park(char* store) const {
  for (int64_t i = flushed_; i < next_ * unit_;) {
    const int64_t slot = Slot(i);
    const int64_t count = std::min(next_ * unit_ - i, ring_.slots - slot);
    const int64_t bytes = count * ring_.slot_step;
    std::memcpy(store, memory_ + slot * ring_.slot_step, bytes);
    store += bytes;
    i += count;
  }
}

void LaggedSweep::Compute(const Arguments& args, int64_t end) {
  if (ring_.lines) {
    ComputePieces(args, end);
    return;
  }
  Arguments tile_args = args;
  while (next_ < end) {
    if (context_.Cancelled()) break;
    context_.Tick();
    const int64_t slot = Slot(next_);
    const int64_t tile =
        std::min({ring_.tile_rows, end - next_, ring_.slots - slot});
    Redirect(&tile_args, ring_.out, ring_.place,
             ring_.place.Address(memory_ + slot * ring_.slot_step, next_));
    tile_args.Call(next_, next_ + tile);
    next_ += tile;
    Flush(next_ - ring_.behind);
  }
}

void LaggedSweep::ComputePieces(const Arguments& rows, int64_t end) {
  const Lines& l = *ring_.lines;
  Arguments args = rows;
  std::copy(l.place.strides.begin(), l.place.strides.end(),
            args.strides(ring_.out).begin() + 1);
  while (next_ < end) {
    for (int64_t start = 0; start < l.per_row;) {
      if (context_.Cancelled()) return;
      context_.Tick();
      const int64_t line = next_ * l.per_row + start;
      const int64_t slot = Slot(line);
      const int64_t piece =
          std::min({l.piece, l.per_row - start, l.ring - slot});
      FUSEAU_CHECK(line + piece - flushed_ <= l.ring);
      for (int i = 0; i < ring_.operands; ++i) {
        args.address(i) = rows.address(i) + start * rows.strides(i)[1];
      }
      args.size(1) = piece;
      args.set_pointer(ring_.out, l.place.Address(memory_, -slot) -
                                      next_ * args.strides(ring_.out)[0]);
      args.Call(next_, next_ + 1);
      start += piece;
      FlushLines(l.Free(line + piece));
    }
    ++next_;
  }
}

void LaggedSweep::Finish() {
  if (ring_.lines) {
    FlushLines(next_ * unit_);
  } else {
    Flush(next_);
  }
}

void LaggedSweep::FlushLines(int64_t end) {
  const Lines& l = *ring_.lines;
  Dims sizes(args_.sizes().begin() + 1, args_.sizes().end());
  while (flushed_ < end) {
    const int64_t slot = Slot(flushed_);
    const int64_t start = flushed_ % l.per_row;
    const int64_t count =
        std::min({end - flushed_, l.per_row - start, l.ring - slot});
    sizes[0] = count;
    CopyStrided(args_.pointer(ring_.out) + l.Offset(flushed_),
                args_.strides(ring_.out).subspan(1),
                l.place.Address(memory_, -slot), l.place.strides, sizes,
                ring_.out_item);
    flushed_ += count;
  }
}

void LaggedSweep::Flush(int64_t end) {
  while (flushed_ < end) {
    const int64_t slot = Slot(flushed_);
    const int64_t count = std::min(end - flushed_, ring_.slots - slot);
    CopyRows(args_.pointer(ring_.out), args_.strides(ring_.out),
             ring_.place.Address(memory_ + slot * ring_.slot_step, flushed_),
             ring_.place.strides, args_, flushed_, flushed_ + count,
             ring_.out_item);
    flushed_ += count;
  }
}

}  // namespace fuseau::runtime

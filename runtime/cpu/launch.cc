#include "runtime/cpu/launch.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/caches.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

// What one thread does, about: bytes while they may be in a cache, bytes from
// memory, cheap operations in vectors.
constexpr double kCacheBytesPerSecond = 50e9;
constexpr double kMemoryBytesPerSecond = 15e9;
constexpr double kFlopsPerSecond = 14e9;

constexpr double kChunkSeconds = 20e-6;
// While exchanges are under way, which should move on.
constexpr double kTickSeconds = 100e-6;
constexpr int kChunksPerThread = 4;

int64_t MinimumBytes(const Launch& launch) {
  if (launch.bytes > 0) return launch.bytes;
  int64_t item = 0;
  for (const PlanOperand& operand : launch.operands) {
    item += ItemSize(operand.dtype);
  }
  return item * Count(launch.sizes);
}

}  // namespace

Arguments::Arguments(const Launch& launch)
    : fn_(launch.kernel->fn),
      rank_(static_cast<int>(launch.sizes.size())),
      operands_(static_cast<int>(launch.operands.size())),
      slots_(SlotCount(rank_, operands_,
                       static_cast<int>(launch.scalars.size()))) {
  std::copy(launch.sizes.begin(), launch.sizes.end(), slots_.begin());
  for (int i = 0; i < operands_; ++i) {
    const PlanOperand& operand = launch.operands[i];
    address(i) = operand.offset;
    std::copy(operand.strides.begin(), operand.strides.end(),
              strides(i).begin());
  }
}

void Arguments::set_scalar(int scalar, const char* bytes) {
  std::memcpy(&slots_[ScalarSlot(rank_, operands_, scalar)], bytes, 16);
}

void Arguments::Narrow(int d, int64_t start, int64_t size) {
  this->size(d) = size;
  for (int i = 0; i < operands_; ++i) address(i) += start * strides(i)[d];
}

double EstimateSeconds(const Launch& launch) {
  const int64_t bytes = MinimumBytes(launch);
  const double moving = static_cast<double>(bytes) /
                        (bytes > Caches().shared / 3 ? kMemoryBytesPerSecond
                                                     : kCacheBytesPerSecond);
  return std::max(moving, launch.flops / kFlopsPerSecond);
}

Cut ChooseCut(double seconds, absl::Span<const int64_t> sizes, uint64_t dims,
              int threads, double longest) {
  Cut cut;
  if (seconds < kInlineSeconds || dims == 0) return cut;
  int64_t wanted = 1;
  if (threads > 1) {
    wanted = static_cast<int64_t>(std::min(seconds / kInlineSeconds, 1e9));
    if (wanted > threads) {
      wanted = std::clamp<int64_t>(
          static_cast<int64_t>(std::min(seconds / kChunkSeconds, 1e9)), threads,
          int64_t{kChunksPerThread} * threads);
      wanted -= wanted % threads;  // the same for each
    }
  }
  wanted = std::max(wanted, static_cast<int64_t>(seconds / longest));
  // The first dimension that is long enough, since outer cuts keep the pieces
  // contiguous; else the longest.
  const int rank = static_cast<int>(sizes.size());
  int best = -1;
  for (int d = 0; d < rank; ++d) {
    if ((dims >> d & 1) == 0) continue;
    if (best < 0 || sizes[d] > sizes[best]) best = d;
    if (sizes[d] >= wanted && d + 1 < rank) break;
  }
  if (best < 0) return cut;
  const int64_t size = sizes[best];
  // Narrow columns would make short strokes through memory.
  if (best > 0 && best + 1 == rank) {
    wanted = std::max<int64_t>(std::min<int64_t>(wanted, threads),
                               static_cast<int64_t>(seconds / longest));
  }
  int64_t grain = (size + wanted - 1) / wanted;
  if (best + 1 == rank) {
    // Whole vectors and cache lines for every chunk but the last.
    const int64_t unit = size >= 8192 ? 512 : 64;
    grain = (grain + unit - 1) / unit * unit;
  }
  if (grain <= 0 || grain >= size) return cut;
  cut.dim = best;
  cut.grain = grain;
  cut.chunks = (size + grain - 1) / grain;
  return cut;
}

uint64_t ParallelDims(const Launch& launch) {
  uint64_t dims = launch.parallel_dims;
  if (launch.split != Split::kRows || launch.sizes.empty()) return dims;
  dims |= 1;
  if (std::any_of(launch.combiners.begin(), launch.combiners.end(),
                  [](Combiner c) { return c != Combiner::kNone; })) {
    return dims;
  }
  for (size_t d = 1; d < launch.sizes.size(); ++d) {
    bool own = true;
    for (size_t i = launch.input_count; i < launch.operands.size(); ++i) {
      own = own && launch.operands[i].strides[d] != 0;
    }
    if (own) dims |= uint64_t{1} << d;
  }
  return dims;
}

absl::Status RunRows(const Launch& launch, const Arguments& args,
                     const RunContext& context) {
  if (args.rank() == 0) {
    args.Call(0, 1);
    return absl::OkStatus();
  }
  const int64_t rows = args.size(0);
  const double seconds = EstimateSeconds(launch);
  const Cut cut =
      ChooseCut(seconds, args.sizes(), ParallelDims(launch),
                context.pool->ThreadsFor(seconds),
                context.under_way > 0 ? kTickSeconds : kMaxChunkSeconds);
  if (cut.chunks <= 1) {
    if (rows > 0 || launch.split == Split::kSerial) args.Call(0, rows);
    return absl::OkStatus();
  }
  if (context.pool->thread_count() > 1) Increment(Counter::kLaunchesParallel);
  const int64_t size = args.size(cut.dim);
  context.pool->ParallelFor(cut.chunks, [&](int64_t chunk) {
    if (context.Cancelled()) return;
    context.Tick();
    const int64_t start = chunk * cut.grain;
    const int64_t length = std::min(cut.grain, size - start);
    if (cut.dim == 0) {
      args.Call(start, start + length);
    } else {
      Arguments piece = args;
      piece.Narrow(cut.dim, start, length);
      piece.Call(0, rows);
    }
  });
  return context.Check();
}

}  // namespace fuseau::runtime

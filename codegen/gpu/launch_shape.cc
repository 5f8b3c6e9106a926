#include "codegen/gpu/launch_shape.h"

#include <algorithm>
#include <utility>

namespace fuseau::codegen::gpu {
namespace {

using runtime::cuda::GpuKernel;
using runtime::cuda::LaunchShape;
using runtime::cuda::Skeleton;

constexpr int64_t kThreads = 256;
// Rows up to these lengths are joined by 8 or 32 threads, longer ones by a
// block. The first is a leaf of NumPy's tree; more levels than these give would
// not fit what JoinTree keeps in shared memory.
constexpr int64_t kShortRow = 128;
constexpr int64_t kMiddleRow = 2048;
// Elements that are worth a block of their own, and enough blocks for any GPU.
constexpr int64_t kPartElements = 8192;
constexpr int64_t kManyBlocks = 1024;

uint32_t Blocks(int64_t count, int64_t per_block) {
  return static_cast<uint32_t>(
      std::max<int64_t>(1, (count + per_block - 1) / per_block));
}

LaunchShape MapShape(const LaunchRule& rule, absl::Span<const int64_t> sizes) {
  int64_t rows = 1;
  for (int d = 0; d + 1 < rule.rank; ++d) rows *= sizes[d];
  const int64_t n = rule.rank == 0 ? 1 : sizes[rule.rank - 1];
  // One piece more where rows do not start aligned.
  const int64_t pieces = (n + 2 * rule.lanes - 2) / rule.lanes;
  LaunchShape shape;
  shape.block.x = kThreads;
  shape.grid.x = Blocks(rows * pieces, kThreads);
  return shape;
}

int64_t KeptPoints(const LaunchRule& rule, absl::Span<const int64_t> sizes) {
  int64_t points = 1;
  for (int d = 0; d < rule.rank; ++d)
    if ((rule.reduced >> d & 1) == 0) points *= sizes[d];
  return points;
}

// In how many parts, a power of two, each row is cut.
int64_t Parts(const LaunchRule& rule, int64_t rows, int64_t n) {
  int64_t parts = 1;
  while (2 * parts * rows <= kManyBlocks && n / (2 * parts) >= kPartElements)
    parts *= 2;
  return parts;
}

LaunchShape RowShape(const LaunchRule& rule, absl::Span<const int64_t> sizes) {
  const int64_t rows = KeptPoints(rule, sizes), n = sizes[rule.rank - 1];
  LaunchShape shape;
  if (n <= kMiddleRow) {
    const int64_t group = n <= kShortRow ? 8 : 32;
    shape.block = {static_cast<uint32_t>(group),
                   static_cast<uint32_t>(kThreads / group), 1};
    shape.grid.x = Blocks(rows, kThreads / group);
    return shape;
  }
  shape.block.x = kThreads;
  shape.grid.x = Blocks(rows, 1);
  if (rule.total_bytes == 0) return shape;
  const int64_t parts = Parts(rule, std::max<int64_t>(1, rows), n);
  if (parts == 1) return shape;
  shape.grid.y = static_cast<uint32_t>(parts);
  // As JoinBlocks uses it.
  shape.zeroed_bytes = (4 * rows + 15) / 16 * 16;
  shape.workspace_bytes = shape.zeroed_bytes + rows * parts * rule.total_bytes;
  return shape;
}

struct EmittedKernel : GpuKernel {
  LaunchRule rule;
  LaunchShape Shape(absl::Span<const int64_t> sizes) const override {
    return ShapeOf(rule, sizes);
  }
};

}  // namespace

LaunchShape ShapeOf(const LaunchRule& rule, absl::Span<const int64_t> sizes) {
  switch (rule.skeleton) {
    case Skeleton::kMap:
      return MapShape(rule, sizes);
    case Skeleton::kRowReduce:
    case Skeleton::kFullReduce:
      return RowShape(rule, sizes);
    case Skeleton::kColumnReduce: {
      LaunchShape shape;
      shape.block.x = kThreads;
      shape.grid.x = Blocks(KeptPoints(rule, sizes), kThreads);
      return shape;
    }
  }
  return {};
}

std::shared_ptr<const GpuKernel> MakeGpuKernel(const GpuSource& source,
                                               std::string image) {
  auto kernel = std::make_shared<EmittedKernel>();
  kernel->name = source.name;
  kernel->source = source.code;
  kernel->image = std::move(image);
  kernel->rank = source.rule.rank;
  kernel->slots = source.slots;
  kernel->skeleton = source.rule.skeleton;
  kernel->rule = source.rule;
  return kernel;
}

}  // namespace fuseau::codegen::gpu

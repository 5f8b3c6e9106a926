#include "frontend/chunked_sum.h"

#include <algorithm>

#include "frontend/read.h"
#include "frontend/record.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

constexpr int64_t kBuffer = 8192;   // elements of NumPy's iterator buffer
constexpr int64_t kLongRow = 4096;  // rows beyond this are not buffered

bool Vanishes(const ReductionSpace& space, int d) {
  return (space.reduced >> d & 1) != 0;
}

void Append(ReductionSpace* space, int64_t size, int64_t stride, bool reduced) {
  space->shape[space->rank] = size;
  space->strides[space->rank] = stride;
  if (reduced) space->reduced |= uint64_t{1} << space->rank;
  ++space->rank;
}

// The first `rank` dimensions.
ReductionSpace Leading(const ReductionSpace& space, int rank) {
  ReductionSpace lead;
  for (int d = 0; d < rank; ++d)
    Append(&lead, space.shape[d], space.strides[d], Vanishes(space, d));
  return lead;
}

int64_t Product(const ReductionSpace& space, int first, int last) {
  return Count({space.shape + first, static_cast<size_t>(last - first)});
}

// The array as a window with the dimensions of `space`.
Array WindowOf(const Array& array, const ReductionSpace& space) {
  Array window;
  window.SetRank(space.rank);
  std::copy_n(space.shape, space.rank, window.shape_data());
  std::copy_n(space.strides, space.rank, window.strides_data());
  window.set_base(BaseRef(array.base()));
  window.set_offset(array.offset());
  window.set_dtype(array.dtype());
  window.UpdateLayout();
  return window;
}

// Whether NumPy must copy elements to a buffer to use them.
bool IsBuffered(const Array& array, const ReductionSpace& space, DType dtype) {
  if (array.dtype() != dtype) return true;
  const int64_t part = ItemSize(PartType(dtype));
  if (array.offset() % part != 0) return true;
  for (int d = 0; d < space.rank; ++d)
    if (space.strides[d] % part != 0) return true;
  return false;
}

// Lines of elements that lie at a constant stride: leading dimensions, then one
// that is cut into chunks.
struct Lines {
  Array array;
  ReductionSpace space;
  int64_t chunk = 0;
};

absl::Status MakeLines(const Array& array, const ReductionSpace& space,
                       DType dtype, Lines* lines) {
  int run = 0;  // innermost dimensions that vanish
  while (run < space.rank && Vanishes(space, space.rank - 1 - run)) ++run;
  const int64_t row = space.shape[space.rank - 1];
  const bool buffered = IsBuffered(array, space, dtype);
  if (run == 1 || row > (buffered ? kBuffer - 1 : kLongRow)) {
    lines->array = array;
    lines->space = space;
    lines->chunk = buffered ? kBuffer : row;
    return absl::OkStatus();
  }
  // Whole rows, planes, ... as long as they fit, then pieces of the next
  // dimension. Gathered, the elements of a line are one run.
  int64_t core = row;
  int inner = 1;  // dimensions of the core
  while (inner + 1 < run &&
         core * space.shape[space.rank - 1 - inner] < kBuffer) {
    core *= space.shape[space.rank - 1 - inner];
    ++inner;
  }
  const int64_t next = space.shape[space.rank - 1 - inner];
  lines->chunk = core * next <= kBuffer ? core * next : kBuffer / core * core;
  FUSEAU_RETURN_IF_ERROR(
      Copy(WindowOf(array, space), Order::kC, &lines->array));
  const int lead = space.rank - 1 - inner;
  lines->space = ReductionSpace();
  const int64_t item = array.item_size();
  for (int d = 0; d < lead; ++d) {
    Append(&lines->space, space.shape[d],
           item * Product(space, d + 1, space.rank), Vanishes(space, d));
  }
  Append(&lines->space, core * next, item, true);
  return absl::OkStatus();
}

// The pairwise sums of the chunks [first, first + count) of length `length` of
// each line, written to `partial`, an array over the leading dimensions and the
// chunks.
absl::Status SumChunks(const Lines& lines, DType dtype, int64_t first,
                       int64_t count, int64_t length, const Array& partial) {
  const int lead = lines.space.rank - 1;
  const int64_t stride = lines.space.strides[lead];
  ReductionSpace space = Leading(lines.space, lead);
  space.reduced = 0;
  Append(&space, count, stride * lines.chunk, false);
  Append(&space, length, stride, true);
  Array start = lines.array;
  start.set_offset(start.offset() + first * lines.chunk * stride);
  NodeRef sums = RecordReduction(OpCode::kSum, start, space, dtype);
  Dims shape(space.shape, space.shape + lead + 1);
  Array source;
  MakeArray(sums.Release(), dtype, shape, nullptr, kWritable, &source);
  Array target = partial;
  target.shape_data()[lead] = count;
  target.set_offset(target.offset() + first * target.strides()[lead]);
  target.UpdateLayout();
  return Assign(target, Operand::Of(source));
}

}  // namespace

NodeRef RecordReduction(OpCode op, const Array& array,
                        const ReductionSpace& space, DType dtype) {
  Read read;
  BindValue(array, &read);
  std::copy_n(space.strides, space.rank, read.strides);
  if (read.dtype != dtype) CastRead(space.rank, space.shape, dtype, &read);
  Graph& graph = Graph::Get();
  Node* node = graph.NewNode(op, dtype, space.rank, 1);
  node->bytes = ItemSize(dtype);
  for (int d = 0; d < space.rank; ++d)
    if (!Vanishes(space, d)) node->bytes *= space.shape[d];
  node->reduced = space.reduced;
  std::copy_n(space.shape, space.rank, node->shape());
  AddRead(read, nullptr, 0, node);
  graph.Commit(node);
  return NodeRef::Adopt(node);
}

absl::StatusOr<NodeRef> RecordChunkedSum(const Array& array,
                                         const ReductionSpace& space,
                                         DType dtype) {
  Lines lines;
  FUSEAU_RETURN_IF_ERROR(MakeLines(array, space, dtype, &lines));
  const int lead = lines.space.rank - 1;
  const int64_t line = lines.space.shape[lead];
  const int64_t full = line / lines.chunk, rest = line % lines.chunk;
  const int64_t chunks = full + (rest > 0 ? 1 : 0);
  const bool lead_reduced =
      (lines.space.reduced & ((uint64_t{1} << lead) - 1)) != 0;
  if (chunks == 1 && !lead_reduced)
    return RecordReduction(OpCode::kSum, lines.array, lines.space, dtype);

  Dims shape(lines.space.shape, lines.space.shape + lead);
  shape.push_back(chunks);
  Array partial;
  FUSEAU_RETURN_IF_ERROR(Empty(shape, dtype, Order::kC, &partial));
  if (full > 0) {
    FUSEAU_RETURN_IF_ERROR(
        SumChunks(lines, dtype, 0, full, lines.chunk, partial));
  }
  if (rest > 0)
    FUSEAU_RETURN_IF_ERROR(SumChunks(lines, dtype, full, 1, rest, partial));
  ReductionSpace joined = lines.space;
  joined.shape[lead] = chunks;
  std::copy_n(partial.strides().begin(), lead + 1, joined.strides);
  return RecordReduction(OpCode::kOrderedSum, partial, joined, dtype);
}

}  // namespace fuseau

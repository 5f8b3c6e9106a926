#include "passes/partition/program.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace fuseau::passes::partition {
namespace {

using ir::Family;
using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

Region Everything(const Dims& shape) {
  Region region;
  region.first.assign(shape.size(), 0);
  region.count = shape;
  return region;
}

// The rows [first, last) that a rank computes.
std::pair<int64_t, int64_t> RowsOf(const Placed& placed, int rank) {
  if (placed.wider.empty())
    return {placed.work.rows[rank], placed.work.rows[rank + 1]};
  const int64_t row = placed.bytes / placed.node.shape[placed.work.dim];
  return {placed.wider[rank].lo / row, placed.wider[rank].hi / row};
}

Region RegionOf(const Placed& placed, const Piece& piece) {
  Region region = Everything(placed.node.shape);
  region.first[placed.work.dim] = piece.first;
  region.count[placed.work.dim] = piece.count;
  return region;
}

void EraseDimension(Dims& dims, size_t d) {
  dims.erase(dims.begin() + static_cast<int64_t>(d));
}

// Dimensions of one element go, then `d` joins the one before it wherever all
// rows of strides allow it.
void JoinDimensions(Dims& shape, absl::Span<Dims* const> rows) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (shape[d] != 1) continue;
    EraseDimension(shape, d);
    for (Dims* row : rows) EraseDimension(*row, d);
  }
  for (size_t d = shape.size(); d-- > 1;) {
    if (!std::all_of(rows.begin(), rows.end(), [&](const Dims* row) {
          return (*row)[d - 1] == (*row)[d] * shape[d];
        })) {
      continue;
    }
    shape[d - 1] *= shape[d];
    EraseDimension(shape, d);
    for (Dims* row : rows) {
      (*row)[d - 1] = (*row)[d];
      EraseDimension(*row, d);
    }
  }
}

int FirstKept(const TraceNode& node) {
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (!node.reduced[d] && node.shape[d] != 1) return static_cast<int>(d);
  }
  return -1;
}

}  // namespace

Placed& Writer::Add(const TraceNode& node) {
  Placed placed;
  placed.node = node;
  placed.bytes = node.op == OpCode::kUpdate ? at(node.operands[0].value).bytes
                                            : ResultBytes(node);
  return program_.nodes.emplace_back(std::move(placed));
}

int32_t Writer::Everywhere(const TraceNode& node) {
  Add(node);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Rows(const TraceNode& node, int dim,
                     std::vector<int64_t> rows) {
  Placed& placed = Add(node);
  const int64_t row = dim < 0 ? placed.bytes : placed.bytes / node.shape[dim];
  for (int64_t r : rows) placed.cuts.push_back(r * row);
  placed.work.kind = Work::kRows;
  placed.work.dim = dim;
  placed.work.rows = std::move(rows);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Elements(const TraceNode& node, std::vector<int64_t> cuts) {
  Placed& placed = Add(node);
  placed.work.kind = Work::kElements;
  placed.cuts = std::move(cuts);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::OnRank(const TraceNode& node, int rank) {
  std::vector<int64_t> rows(ranks() + 1, 0);
  std::fill(rows.begin() + rank + 1, rows.end(), 1);
  return Rows(node, /*dim=*/-1, std::move(rows));
}

int32_t Writer::Update(const TraceNode& node, std::vector<int64_t> cuts) {
  Placed& placed = Add(node);
  placed.work.kind = Work::kWrites;
  placed.cuts = std::move(cuts);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Pieces(const TraceNode& node, int dim,
                       std::vector<std::vector<Piece>> pieces) {
  Placed& placed = Add(node);
  placed.work.kind = Work::kPieces;
  placed.work.dim = dim;
  placed.cuts = {0};
  for (const std::vector<Piece>& of_rank : pieces) {
    int64_t end = placed.cuts.back();
    for (const Piece& piece : of_rank) end += PieceBytes(placed, piece);
    placed.cuts.push_back(end);
  }
  placed.bytes = placed.cuts.back();
  placed.work.pieces = std::move(pieces);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Selected(const TraceNode& node, int dim,
                         std::vector<int64_t> rows, std::vector<int64_t> cuts) {
  Placed& placed = Add(node);
  placed.bytes = cuts.back();
  placed.cuts = std::move(cuts);
  placed.work.kind = Work::kSelected;
  placed.work.dim = dim;
  placed.work.rows = std::move(rows);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Routed(int32_t selected, int32_t counts, runtime::Route route) {
  TraceNode node;
  node.op = OpCode::kExchange;
  node.dtype = DType::kUInt8;
  node.shape = {route.cuts.back(), at(selected).bytes,
                std::ssize(route.givers)};
  node.reduced = {false, true, true};
  node.operands = {{selected, DType::kUInt8, 0, {0, 1, 0}},
                   {counts, DType::kInt64, 0, {0, 0, ItemSize(DType::kInt64)}}};
  Placed& placed = Add(node);
  placed.cuts = route.cuts;
  placed.work.kind = Work::kRouted;
  placed.work.route = std::move(route);
  return static_cast<int32_t>(program_.nodes.size()) - 1;
}

int32_t Writer::Table(std::vector<int64_t> numbers) {
  for (size_t i = 0; i < tables_.size(); ++i)
    if (program_.tables[i] == numbers) return tables_[i];
  TraceNode node;
  node.op = OpCode::kInput;
  node.dtype = DType::kUInt8;
  node.shape = {static_cast<int64_t>(numbers.size() * sizeof(int64_t))};
  Add(node).table = static_cast<int32_t>(tables_.size());
  program_.tables.push_back(std::move(numbers));
  tables_.push_back(static_cast<int32_t>(program_.nodes.size()) - 1);
  return tables_.back();
}

std::vector<Region> RegionsOf(const Placed& placed, int rank) {
  const TraceNode& node = placed.node;
  switch (placed.work.kind) {
    case Work::kEverywhere:
      return {Everything(node.shape)};
    case Work::kRows: {
      const auto [first, last] = RowsOf(placed, rank);
      if (first == last) return {};
      Region region = Everything(node.shape);
      if (placed.work.dim >= 0) {
        region.first[placed.work.dim] = first;
        region.count[placed.work.dim] = last - first;
      }
      return {region};
    }
    case Work::kElements: {
      Box box;
      box.run = ItemSize(node.dtype);
      box.shape = node.shape;
      box.strides = DenseStrides(node.shape, box.run);
      return Clip(box, placed.owned(rank));
    }
    case Work::kWrites: {
      Box box;
      box.offset = node.write_offset;
      box.run = ItemSize(node.dtype);
      box.shape = node.shape;
      box.strides = node.write_strides;
      return Clip(box, placed.computed(rank));
    }
    case Work::kSelected: {
      const auto [first, last] = RowsOf(placed, rank);
      if (first == last) return {};
      Region region = Everything(node.shape);
      region.first[placed.work.dim] = first;
      region.count[placed.work.dim] = last - first;
      const ByteRange room = placed.owned(rank);
      region.count[0] =
          (room.hi - room.lo) / (ResultBytes(node) / node.shape[0]);
      return {region};
    }
    case Work::kRouted:
      return {};
    case Work::kPieces: {
      std::vector<Region> regions;
      for (const Piece& piece : placed.work.pieces[rank])
        regions.push_back(RegionOf(placed, piece));
      return regions;
    }
  }
  __builtin_unreachable();
}

std::vector<Region> RegionsRead(const Placed& placed, int rank, int operand) {
  if (placed.work.kind == Work::kRouted && operand == 1)
    return {Everything(placed.node.shape)};
  if (placed.work.kind != Work::kPieces) return RegionsOf(placed, rank);
  std::vector<Region> regions;
  for (const Piece& piece : placed.work.pieces[rank])
    if (piece.operand == operand) regions.push_back(RegionOf(placed, piece));
  return regions;
}

ByteRange HullRead(const Placed& placed, int rank, int operand) {
  const TraceOperand& o = placed.node.operands[operand];
  const int64_t item = ItemSize(o.dtype);
  if (placed.work.kind == Work::kRows && placed.work.dim >= 0) {
    // Nearly all that is asked for, for each of many ranks.
    const auto [first, last] = RowsOf(placed, rank);
    if (first == last) return {};
    ByteRange hull{o.offset, o.offset + item};
    for (size_t d = 0; d < o.strides.size(); ++d) {
      const bool cut = static_cast<int>(d) == placed.work.dim;
      const int64_t a = (cut ? first : 0) * o.strides[d];
      const int64_t b =
          (cut ? last - 1 : placed.node.shape[d] - 1) * o.strides[d];
      hull.lo += std::min(a, b);
      hull.hi += std::max(a, b);
    }
    return hull;
  }
  ByteRange hull;
  for (const Region& region : RegionsRead(placed, rank, operand)) {
    hull =
        Join(hull, Extent(OffsetOf(o, region), region.count, o.strides, item));
  }
  return hull;
}

int64_t PieceBytes(const Placed& placed, const Piece& piece) {
  const TraceNode& node = placed.node;
  int64_t bytes = ItemSize(node.dtype);
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (!node.reduced.empty() && node.reduced[d]) continue;
    bytes *=
        static_cast<int>(d) == placed.work.dim ? piece.count : node.shape[d];
  }
  return bytes;
}

int64_t OffsetOf(const TraceOperand& operand, const Region& region) {
  int64_t offset = operand.offset;
  for (size_t d = 0; d < operand.strides.size(); ++d)
    offset += region.first[d] * operand.strides[d];
  return offset;
}

int64_t PlaceOf(int64_t element, const Dims& shape, const Dims& strides,
                int64_t offset) {
  for (size_t d = shape.size(); d-- > 0;) {
    offset += element % shape[d] * strides[d];
    element /= shape[d];
  }
  return offset;
}

ByteRange Join(ByteRange a, ByteRange b) {
  if (a.Empty()) return b;
  if (b.Empty()) return a;
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

TraceNode Unset(int64_t bytes) {
  TraceNode node;
  node.op = OpCode::kUnset;
  node.dtype = DType::kUInt8;
  node.shape = {bytes};
  return node;
}

int64_t ResultBytes(const TraceNode& node) {
  if (node.op == OpCode::kInput) return node.shape[0];
  int64_t bytes = ItemSize(node.dtype);
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (node.reduced.empty() || !node.reduced[d]) bytes *= node.shape[d];
  }
  return bytes;
}

bool ReadsAll(const ir::Trace& trace, const TraceNode& reader,
              const TraceOperand& operand) {
  const TraceNode& value = trace.nodes[operand.value];
  if (value.op == OpCode::kUpdate || value.op == OpCode::kInput) return false;
  if (operand.offset != 0 || operand.dtype != value.dtype) return false;
  int64_t step = ItemSize(operand.dtype);
  for (size_t d = reader.shape.size(); d-- > 0;) {
    if (reader.shape[d] != 1 && operand.strides[d] != step) return false;
    step *= reader.shape[d];
  }
  return step == ResultBytes(value);
}

void Collapse(TraceNode& node) {
  absl::InlinedVector<Dims*, 3> rows;
  for (TraceOperand& o : node.operands) rows.push_back(&o.strides);
  JoinDimensions(node.shape, rows);
}

bool CollapseUpdate(TraceNode& node) {
  TraceOperand& source = node.operands[1];
  Dims& write = node.write_strides;
  const size_t rank = node.shape.size();
  absl::InlinedVector<size_t, 4> order;
  for (size_t d = 0; d < rank; ++d) {
    order.push_back(d);
    if (write[d] >= 0) continue;
    node.write_offset += write[d] * (node.shape[d] - 1);
    source.offset += source.strides[d] * (node.shape[d] - 1);
    write[d] = -write[d];
    source.strides[d] = -source.strides[d];
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return write[a] != write[b] ? write[a] > write[b] : a < b;
  });
  const auto permute = [&](Dims& dims) {
    const Dims old = dims;
    for (size_t d = 0; d < rank; ++d) dims[d] = old[order[d]];
  };
  permute(node.shape);
  permute(write);
  permute(source.strides);
  JoinDimensions(node.shape, {&write, &source.strides});
  return IsNested(node.shape, write, ItemSize(node.dtype));
}

bool IsTransform(const TraceNode& node) {
  return node.op == OpCode::kFft || node.op == OpCode::kIfft ||
         node.op == OpCode::kIrfft || node.op == OpCode::kRfftEven ||
         node.op == OpCode::kRfftOdd;
}

int CutDimension(const TraceNode& node) {
  switch (ir::RowOf(node.op).family) {
    case Family::kElementwise:
      break;
    case Family::kReduction:
      return FirstKept(node);
    case Family::kRoutine:
      switch (node.op) {
        case OpCode::kMatmul:
        case OpCode::kVecdot:
        case OpCode::kGather:
        case OpCode::kArgmax:
        case OpCode::kArgmin:
        case OpCode::kSearchSorted:
          return FirstKept(node);
        case OpCode::kCumsum:
        case OpCode::kCumprod:
        case OpCode::kRunningMax:
        case OpCode::kRunningMin:
        case OpCode::kStableSort:
        case OpCode::kStableArgsort:
        case OpCode::kFft:
        case OpCode::kIfft:
        case OpCode::kIrfft:
        case OpCode::kRfftEven:
        case OpCode::kRfftOdd: {
          const int dim = FirstKept(node);
          return dim == node.attribute ? -1 : dim;
        }
        default:
          return -1;
      }
    case Family::kStructure:
      if (node.op != OpCode::kIota) return -1;
      break;
  }
  return node.shape.empty() ? -1 : 0;
}

int OutermostDimension(const TraceNode& node, const TraceOperand& operand) {
  int outer = -1;
  int64_t longest = 0;
  for (size_t d = 0; d < node.shape.size(); ++d) {
    if (node.shape[d] == 1 || std::abs(operand.strides[d]) <= longest) continue;
    longest = std::abs(operand.strides[d]);
    outer = static_cast<int>(d);
  }
  return outer;
}

}  // namespace fuseau::passes::partition

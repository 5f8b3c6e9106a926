#include "frontend/index_places.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "absl/container/inlined_vector.h"
#include "frontend/convert.h"
#include "frontend/evaluate.h"
#include "frontend/index_read.h"
#include "frontend/layout.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/routine.h"
#include "frontend/views.h"
#include "runtime/base/status.h"
#include "runtime/cpu/strided_copy.h"

namespace fuseau {
namespace {

// So many places at a time stay in the L1 cache while the index arrays are gone
// through one after the other.
constexpr int64_t kBlock = 1024;

// The computed elements of an array, kept as they are now.
class Elements {
 public:
  explicit Elements(const Array& array)
      : node_(array.node()), offset_(array.offset()) {}

  Node* node() const { return node_.get(); }
  // Once they are computed. The memory stays for as long as this object, also
  // if another evaluation gives the value to the ranks of a job.
  const char* data() const {
    if (node_->state == NodeState::kValue) {
      return node_->operands[0].scalar + offset_;
    }
    if (!buffer_) buffer_ = node_->buffer;
    return buffer_->read() + offset_;
  }

 private:
  NodeRef node_;
  int64_t offset_;
  mutable runtime::BufferRef buffer_;
};

absl::Status Compute(absl::Span<const Elements> arrays) {
  absl::InlinedVector<Node*, 4> nodes;
  bool here = true;
  for (const Elements& array : arrays) {
    nodes.push_back(array.node());
    here &= array.node()->here();
  }
  return here ? absl::OkStatus() : Evaluate(nodes);
}

// Calls f(index) for all points of a space in C order.
template <typename F>
void ForEachPoint(absl::Span<const int64_t> sizes, F&& f) {
  Dims index(sizes.size(), 0);
  if (Count(sizes) == 0) return;
  for (;;) {
    f(index);
    int d = static_cast<int>(sizes.size()) - 1;
    for (; d >= 0; --d) {
      if (++index[d] < sizes[d]) break;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

int64_t Offset(absl::Span<const int64_t> index,
               absl::Span<const int64_t> strides) {
  int64_t offset = 0;
  for (size_t d = 0; d < index.size(); ++d) offset += index[d] * strides[d];
  return offset;
}

// One index array along a row of places.
struct Line {
  const char* data = nullptr;
  int64_t step = 0;   // bytes
  int64_t size = 0;   // of the axis
  int64_t units = 0;  // from an element of the axis to the next
  int64_t start = 0;  // units of element 0
};

// Adds the places of a line, or sets them. False if an index is out of range.
template <bool kAdd, bool kDense>
bool AddPlaces(const Line& line, int64_t from, int64_t n, int64_t* places) {
  const int64_t size = line.size, units = line.units, start = line.start;
  const char* data = line.data + from * line.step;
  uint64_t wrong = 0;
  for (int64_t i = 0; i < n; ++i) {
    int64_t index;
    std::memcpy(&index, data + i * (kDense ? 8 : line.step), sizeof(index));
    wrong |= OutOfRange(index, size);
    const int64_t place = start + (index < 0 ? index + size : index) * units;
    places[i] = kAdd ? places[i] + place : place;
  }
  return wrong >> 63 == 0;
}

bool FillRow(absl::Span<const Line> lines, int64_t n, int64_t* places) {
  for (int64_t from = 0; from < n; from += kBlock) {
    const int64_t count = std::min(kBlock, n - from);
    for (size_t k = 0; k < lines.size(); ++k) {
      const bool dense = lines[k].step == sizeof(int64_t);
      const auto add =
          k == 0 ? (dense ? AddPlaces<false, true> : AddPlaces<false, false>)
                 : (dense ? AddPlaces<true, true> : AddPlaces<true, false>);
      if (!add(lines[k], from, count, places + from)) return false;
    }
  }
  return true;
}

// How the elements of a selected array lie, axis by axis.
void Measure(const Array& array, absl::Span<const AxisIndex> indices,
             Selection* s) {
  s->offset = array.offset();
  int64_t unit = 0, bytes = 0;
  for (const AxisIndex& index : indices) {
    const int64_t size = array.shape()[index.axis];
    const int64_t stride = array.strides()[index.axis];
    if (size < 2) continue;
    unit = std::gcd(unit, std::abs(stride));
    bytes += (size - 1) * std::abs(stride);
    s->offset += std::min<int64_t>(stride, 0) * (size - 1);
  }
  s->unit = std::max<int64_t>(unit, 1);
  s->count = bytes / s->unit + 1;
}

// What one thread widens sooner than an operation is recorded and computed.
constexpr int64_t kFewIndices = 16384;

}  // namespace

absl::Status WidenIndices(const Array& array, Array* out) {
  const Node* node = array.node();
  if (array.rank() != 1 || array.size() > kFewIndices ||
      node->state != NodeState::kReady) {
    return AsType(array, DType::kInt64, Order::kKeep, out);
  }
  FUSEAU_RETURN_IF_ERROR(
      MakeUninitialized(DType::kInt64, array.shape(), nullptr, kWritable, out));
  const char* from = node->buffer->read() + array.offset();
  auto* to = reinterpret_cast<int64_t*>(out->node()->buffer->data());
  const int64_t n = array.size(), step = array.strides()[0];
  VisitDType(array.dtype(), [&](auto tag) {
    for (int64_t i = 0; i < n; ++i) {
      typename decltype(tag)::type index;
      std::memcpy(&index, from + i * step, sizeof(index));
      to[i] = ConvertElement<int64_t>(index);
    }
  });
  return absl::OkStatus();
}

absl::StatusOr<bool> Select(const Array& array,
                            absl::Span<const AxisIndex> indices, int first,
                            Selection* s) {
  absl::InlinedVector<absl::Span<const int64_t>, 4> shapes;
  absl::InlinedVector<Elements, 4> elements;
  uint64_t indexed = 0;
  for (const AxisIndex& index : indices) {
    shapes.push_back(index.indices.shape());
    elements.emplace_back(index.indices);
    indexed |= uint64_t{1} << index.axis;
  }
  FUSEAU_ASSIGN_OR_RETURN(const Dims wide, BroadcastShapes(shapes));
  s->first = first;
  s->width = static_cast<int>(wide.size());
  for (int d = 0; d < array.rank(); ++d) {
    if ((indexed >> d & 1) != 0) continue;
    s->shape.push_back(array.shape()[d]);
    s->strides.push_back(array.strides()[d]);
  }
  s->shape.insert(s->shape.begin() + first, wide.begin(), wide.end());
  s->strides.insert(s->strides.begin() + first, wide.size(), 0);
  Measure(array, indices, s);

  FUSEAU_RETURN_IF_ERROR(Compute(elements));
  FUSEAU_RETURN_IF_ERROR(
      MakeUninitialized(DType::kInt64, wide, nullptr, kWritable, &s->places));
  auto* places = reinterpret_cast<int64_t*>(s->places.node()->buffer->data());
  const int rank = s->width;
  absl::InlinedVector<Line, 4> lines(indices.size());
  absl::InlinedVector<Dims, 4> strides(indices.size(), Dims(rank));
  for (size_t k = 0; k < indices.size(); ++k) {
    const Array& from = indices[k].indices;
    BroadcastStrides(from.shape(), from.strides(), rank, strides[k].data());
    const int64_t stride = array.strides()[indices[k].axis];
    Line& line = lines[k];
    line.size = array.shape()[indices[k].axis];
    if (line.size > 1) {
      line.units = stride / s->unit;
      line.start = stride < 0 ? -(line.size - 1) * line.units : 0;
    }
    line.step = rank > 0 ? strides[k][rank - 1] : 0;
  }
  const int64_t length = rank > 0 ? wide[rank - 1] : 1;
  if (Count(wide) == 0) return true;
  bool right = true;
  ForEachPoint(absl::MakeConstSpan(wide).subspan(0, std::max(rank - 1, 0)),
               [&](const Dims& index) {
                 for (size_t k = 0; k < lines.size(); ++k) {
                   lines[k].data =
                       elements[k].data() +
                       Offset(index, absl::MakeConstSpan(strides[k]));
                 }
                 right = right && FillRow(lines, length, places);
                 places += length;
               });
  return right;
}

absl::Status TakeSelected(const Array& array, const Selection& s, Array* out) {
  const int rank = static_cast<int>(s.shape.size());
  if (rank + 1 > kMaxRank) {
    return absl::UnimplementedError("too many dimensions");
  }
  const auto is_index = [&](int d) {
    return d >= s.first && d < s.first + s.width;
  };
  uint8_t axes[kMaxRank];
  int n = 0;
  for (int d = 0; d < s.width; ++d) {
    axes[n++] = static_cast<uint8_t>(s.first + d);
  }
  // The other axes in the order of memory.
  for (int d = 0; d < rank; ++d) {
    if (!is_index(d)) axes[n++] = static_cast<uint8_t>(d);
  }
  SortByStride(s.strides.data(), rank - s.width, axes + s.width);

  const DType dtype = array.dtype();
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(s.shape, dtype));
  if (bytes == 0) {
    return MakeUninitialized(dtype, s.shape, axes, kWritable, out);
  }
  Dims space;
  for (int i = 0; i < rank; ++i) space.push_back(s.shape[axes[i]]);
  space.push_back(s.count);
  Node* node = NewRoutine(OpCode::kGather, dtype, space, uint64_t{1} << rank,
                          /*operands=*/2, bytes);
  Read read;
  BindValue(array, &read);
  read.offset += s.offset - array.offset();
  Read index;
  BindValue(s.places, &index);
  for (int i = 0; i < rank; ++i) {
    const int d = axes[i];
    read.strides[i] = s.strides[d];
    index.strides[i] = is_index(d) ? s.places.strides()[d - s.first] : 0;
  }
  read.strides[rank] = s.unit;
  index.strides[rank] = 0;
  AddRead(read, nullptr, 0, node);
  AddRead(index, nullptr, 1, node);
  Graph::Get().Commit(node);
  MakeArray(node, dtype, s.shape, axes, kWritable, out);
  return absl::OkStatus();
}

namespace {

// What a write goes through: the places in order, and at each of them the
// elements of the axes that are not indexed.
struct Scatter {
  char* to;
  const char* from;
  int64_t unit, item;
  const int64_t* places;
  int64_t count;                         // of places
  absl::Span<const int64_t> wide;        // their shape
  Dims wide_from;                        // the source's strides along them
  Dims sizes, to_strides, from_strides;  // of the other axes
};

// Elements at places, negative ones counted from `size`.
template <int kBytes, bool kDense>
void PutRun(char* to, int64_t size, int64_t unit, const int64_t* places,
            int64_t n, const char* from, int64_t step) {
  for (int64_t i = 0; i < n; ++i) {
    const int64_t place = places[i] + (places[i] < 0 ? size : 0);
    std::memcpy(to + place * (kDense ? kBytes : unit), from + i * step, kBytes);
  }
}

using PutFn = void (*)(char*, int64_t, int64_t, const int64_t*, int64_t,
                       const char*, int64_t);

template <int kBytes>
PutFn PutOf(bool dense) {
  return dense ? PutRun<kBytes, true> : PutRun<kBytes, false>;
}

PutFn PutOf(int64_t item, bool dense) {
  switch (item) {
    case 1:
      return PutOf<1>(dense);
    case 2:
      return PutOf<2>(dense);
    case 4:
      return PutOf<4>(dense);
    case 8:
      return PutOf<8>(dense);
    default:
      return PutOf<16>(dense);
  }
}

// All places for one element of the other axes.
void PutElements(const Scatter& s, char* to, const char* from) {
  const int rank = static_cast<int>(s.wide.size());
  const PutFn put = PutOf(s.item, s.unit == s.item);
  const int64_t* places = s.places;
  const int64_t length = rank > 0 ? s.wide[rank - 1] : 1;
  const int64_t step = rank > 0 ? s.wide_from[rank - 1] : 0;
  ForEachPoint(s.wide.subspan(0, std::max(rank - 1, 0)),
               [&](const Dims& index) {
                 put(to, 0, s.unit, places, length,
                     from + Offset(index, s.wide_from), step);
                 places += length;
               });
}

void Put(const Scatter& s) {
  if (Count(s.sizes) == 0 || s.count == 0) return;
  const int last = static_cast<int>(s.sizes.size()) - 1;
  if (last >= 0 && s.to_strides[last] == s.item) {
    // Whole rows at each place.
    const int64_t* place = s.places;
    ForEachPoint(s.wide, [&](const Dims& index) {
      runtime::CopyStrided(s.to + *place++ * s.unit, s.to_strides,
                           s.from + Offset(index, s.wide_from), s.from_strides,
                           s.sizes, s.item);
    });
    return;
  }
  ForEachPoint(s.sizes, [&](const Dims& index) {
    PutElements(s, s.to + Offset(index, s.to_strides),
                s.from + Offset(index, s.from_strides));
  });
}

}  // namespace

bool PutInVector(const Array& array, const Array& indices,
                 const Operand& source) {
  if (array.rank() != 1 || !indices.has(kCContiguous)) return false;
  absl::InlinedVector<Elements, 2> read;
  read.emplace_back(indices);
  const int64_t item = array.item_size();
  if (const Array* values = source.array) {
    const bool same =
        values->shape() == indices.shape() && values->has(kCContiguous);
    if (!same || values->dtype() != array.dtype() ||
        values->base() == array.base()) {
      return false;
    }
    read.emplace_back(*values);
  }
  Base* base = array.base();
  Node* target = base->cur;
  if (indices.base() == base ||
      (target->pending() && !Evaluate({&target, 1}).ok()) ||
      !Compute(read).ok() || base->cur != target || base->exposed != 0 ||
      target->refs != 1 || target->state != NodeState::kReady ||
      !OwnsMemory(target)) {
    return false;
  }
  const auto* places = reinterpret_cast<const int64_t*>(read[0].data());
  const int64_t count = indices.size();
  const int64_t size = array.shape()[0];
  uint64_t wrong = 0;
  for (int64_t i = 0; i < count; ++i) {
    wrong |= OutOfRange(places[i], size);
  }
  if (wrong >> 63 != 0) return false;
  Graph::Get().DropRankValue(target);
  char* to = target->buffer->data() + array.offset();
  const char* from = read.size() > 1 ? read[1].data() : source.scalar;
  PutOf(item, array.strides()[0] == item)(to, size, array.strides()[0], places,
                                          count, from,
                                          read.size() > 1 ? item : 0);
  return true;
}

absl::Status PutSelected(const Array& array, const Selection& s,
                         const Operand& source) {
  const int rank = static_cast<int>(s.shape.size());
  Array values;
  if (source.array != nullptr) {
    values = *source.array;
    if (values.dtype() != array.dtype()) {
      Array cast;
      FUSEAU_RETURN_IF_ERROR(
          AsType(values, array.dtype(), Order::kKeep, &cast));
      values = std::move(cast);
    } else if (values.base() == array.base()) {
      Array copy;
      FUSEAU_RETURN_IF_ERROR(Copy(values, Order::kKeep, &copy));
      values = std::move(copy);
    }
  }
  absl::InlinedVector<Elements, 2> elements;
  elements.emplace_back(array);
  if (values.has_base()) elements.emplace_back(values);
  FUSEAU_RETURN_IF_ERROR(Compute(elements));

  Dims from(rank, 0);
  if (values.has_base()) {
    BroadcastStrides(values.shape(), values.strides(), rank, from.data());
  }
  Scatter scatter;
  scatter.unit = s.unit;
  scatter.item = array.item_size();
  scatter.places =
      reinterpret_cast<const int64_t*>(s.places.node()->buffer->read());
  scatter.wide = s.places.shape();
  scatter.count = s.places.size();
  for (int d = 0; d < rank; ++d) {
    if (d >= s.first && d < s.first + s.width) {
      scatter.wide_from.push_back(from[d]);
      continue;
    }
    scatter.sizes.push_back(s.shape[d]);
    scatter.to_strides.push_back(s.strides[d]);
    scatter.from_strides.push_back(from[d]);
  }
  scatter.from = values.has_base() ? elements[1].data() : source.scalar;
  elements.erase(elements.begin());  // the target's value is about to change
  Base* base = array.base();
  FUSEAU_RETURN_IF_ERROR(Expose(base));
  scatter.to = base->cur->buffer->data() + s.offset;
  Put(scatter);
  Unexpose(base);
  return absl::OkStatus();
}

}  // namespace fuseau

#include "frontend/views.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// A slice of an axis of `size` elements: clips the ends as Python does and
// returns the length.
int64_t ClipSlice(int64_t size, int64_t* start, int64_t* stop, int64_t step) {
  const int64_t lowest = step < 0 ? -1 : 0;
  const int64_t highest = step < 0 ? size - 1 : size;
  const auto clip = [&](int64_t* end) {
    if (*end < 0) *end = std::max(*end + size, lowest);
    *end = std::min(*end, highest);
  };
  clip(start);
  clip(stop);
  if (step < 0) {
    return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
  }
  return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

// A view starts as what it has in common with its source.
void BeginView(const Array& array, int rank, Array* out) {
  out->SetRank(rank);
  out->set_dtype(array.dtype());
  out->set_offset(array.offset());
  out->set_flags(array.flags() & kWritable);
  out->set_base(BaseRef(array.base()));
}

std::string TupleText(absl::Span<const int64_t> shape) {
  return absl::StrCat("(", absl::StrJoin(shape, ","),
                      shape.size() == 1 ? ",)" : ")");
}

// How NumPy writes a shape that does not fit: the size to be found is called
// newaxis, and is left out in front.
std::string WantedText(absl::Span<const int64_t> shape) {
  size_t first = 0;
  while (first < shape.size() && shape[first] < 0) ++first;
  std::string text = "(";
  for (size_t d = first; d < shape.size(); ++d) {
    absl::StrAppend(&text, d > first ? "," : "",
                    shape[d] < 0 ? "newaxis" : absl::StrCat(shape[d]));
  }
  return text + (shape.size() == 1 && first == 0 ? ",)" : ")");
}

// A number of a value that is to be computed is a node of its own, so that it
// does not keep the value, unless the value is as small as this.
constexpr int64_t kSharedBytes = 1024;

// The same element of a base of its own.
void ShareValue(const Array& element, Array* out) {
  Graph& graph = Graph::Get();
  out->SetRank(0);
  out->set_dtype(element.dtype());
  out->set_offset(element.offset());
  out->set_flags(0);
  out->UpdateLayout();
  graph.Ref(element.node());
  out->set_base(BaseRef::Adopt(graph.NewBase(element.node())));
}

}  // namespace

absl::Status IndexView(const Array& array, absl::Span<const IndexItem> items,
                       Array* out) {
  int used = 0;
  int made = 0;
  bool has_ellipsis = false;
  for (const IndexItem& item : items) {
    switch (item.kind) {
      case IndexItem::kInteger:
        ++used;
        break;
      case IndexItem::kSlice:
        ++used;
        ++made;
        break;
      case IndexItem::kNewAxis:
        ++made;
        break;
      case IndexItem::kEllipsis:
        if (has_ellipsis) {
          return PythonError(
              "IndexError", "an index can only have a single ellipsis ('...')");
        }
        has_ellipsis = true;
        break;
    }
  }
  if (used > array.rank()) {
    return PythonError(
        "IndexError",
        absl::StrCat("too many indices for array: array is ", array.rank(),
                     "-dimensional, but ", used, " were indexed"));
  }
  const int rest = array.rank() - used;
  const int rank = made + rest;
  if (rank > kMaxRank) {
    return PythonError(
        "IndexError",
        absl::StrCat("number of dimensions must be within [0, 64], indexing "
                     "result would have ",
                     rank));
  }
  BeginView(array, rank, out);
  const int64_t* shape = array.shape_data();
  const int64_t* strides = array.strides_data();
  int64_t offset = array.offset();
  int from = 0;
  int to = 0;
  const auto keep = [&](int count) {
    for (; count > 0; --count, ++from, ++to) {
      out->shape_data()[to] = shape[from];
      out->strides_data()[to] = strides[from];
    }
  };
  for (const IndexItem& item : items) {
    switch (item.kind) {
      case IndexItem::kInteger: {
        const int64_t size = shape[from];
        const int64_t i = item.start < 0 ? item.start + size : item.start;
        if (i < 0 || i >= size) {
          const int axis = from;
          out->Clear();
          return PythonError(
              "IndexError",
              absl::StrCat("index ", item.start, " is out of bounds for axis ",
                           axis, " with size ", size));
        }
        offset += i * strides[from++];
        break;
      }
      case IndexItem::kSlice: {
        int64_t start = item.start;
        int64_t stop = item.stop;
        const int64_t length = ClipSlice(shape[from], &start, &stop, item.step);
        if (length > 0) offset += start * strides[from];
        out->shape_data()[to] = length;
        // Of fewer than two elements the step does not matter; a huge one could
        // overflow.
        int64_t stride;
        if (__builtin_mul_overflow(strides[from], item.step, &stride)) {
          stride = strides[from];
        }
        out->strides_data()[to++] = stride;
        ++from;
        break;
      }
      case IndexItem::kNewAxis:
        out->shape_data()[to] = 1;
        out->strides_data()[to++] = 0;
        break;
      case IndexItem::kEllipsis:
        keep(rest);
        break;
    }
  }
  keep(array.rank() - from);
  out->set_offset(offset);
  out->UpdateLayout();
  return absl::OkStatus();
}

absl::Status TakeNumber(const Array& element, Array* out) {
  const Node* node = element.node();
  const size_t size = static_cast<size_t>(element.item_size());
  char value[16] = {};
  switch (node->state) {
    case NodeState::kValue:
      std::memcpy(value, node->operands[0].scalar + element.offset(), size);
      break;
    case NodeState::kReady:
      FUSEAU_RETURN_IF_ERROR(node->buffer->Read(
          element.offset(), static_cast<int64_t>(size), value));
      break;
    case NodeState::kLost:
    case NodeState::kAway:
    case NodeState::kPending:
      if (node->bytes <= kSharedBytes) {
        ShareValue(element, out);
      } else {
        FUSEAU_RETURN_IF_ERROR(Copy(element, Order::kC, out));
      }
      out->set_flags((out->flags() & ~kWritable) | kScalarFlag);
      return absl::OkStatus();
  }
  Number(element.dtype(), value, /*scalar_flag=*/true, out);
  return absl::OkStatus();
}

absl::Status StridedView(const Array& array, int64_t offset,
                         absl::Span<const int64_t> shape,
                         absl::Span<const int64_t> strides, bool writable,
                         Array* out) {
  const int64_t start = array.offset() + offset;
  const ByteRange range = Extent(start, shape, strides, array.item_size());
  if (!range.Empty() && (range.lo < 0 || range.hi > array.node()->bytes)) {
    return PythonError("ValueError",
                       "the view would reach outside of the array's memory");
  }
  BeginView(array, static_cast<int>(shape.size()), out);
  std::copy(shape.begin(), shape.end(), out->shape_data());
  std::copy(strides.begin(), strides.end(), out->strides_data());
  out->set_offset(range.Empty() ? array.offset() : start);
  if (!writable) out->set_flags(0);
  out->UpdateLayout();
  return absl::OkStatus();
}

void TransposeView(const Array& array, absl::Span<const int> axes, Array* out) {
  BeginView(array, array.rank(), out);
  for (int i = 0; i < array.rank(); ++i) {
    out->shape_data()[i] = array.shape()[axes[i]];
    out->strides_data()[i] = array.strides()[axes[i]];
  }
  out->UpdateLayout();
}

absl::Status BroadcastView(const Array& array, absl::Span<const int64_t> shape,
                           Array* out) {
  const int rank = static_cast<int>(shape.size());
  const int missing = rank - array.rank();
  bool fits = missing >= 0;
  for (int d = 0; fits && d < array.rank(); ++d) {
    fits = array.shape()[d] == 1 || array.shape()[d] == shape[missing + d];
  }
  if (!fits) {
    return PythonError(
        "ValueError",
        absl::StrCat("operands could not be broadcast together with remapped "
                     "shapes [original->remapped]: ",
                     TupleText(array.shape()), "  and requested shape ",
                     TupleText(shape)));
  }
  BeginView(array, rank, out);
  std::copy(shape.begin(), shape.end(), out->shape_data());
  BroadcastStrides(array.shape(), array.strides(), rank, out->strides_data());
  out->set_flags(0);
  out->UpdateLayout();
  return absl::OkStatus();
}

absl::StatusOr<Dims> ResolveShape(const Array& array,
                                  absl::Span<const int64_t> shape) {
  const int64_t size = array.size();
  Dims result(shape.begin(), shape.end());
  int64_t known = 1;
  int unknown = -1;
  bool overflow = false;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] < 0) {
      if (unknown >= 0) {
        return PythonError("ValueError",
                           "can only specify one unknown dimension");
      }
      unknown = static_cast<int>(d);
    } else {
      overflow |= __builtin_mul_overflow(known, shape[d], &known);
    }
  }
  bool fits = !overflow;
  if (fits && unknown >= 0) {
    fits = known > 0 && size % known == 0;
    if (fits) result[unknown] = size / known;
  } else if (fits) {
    fits = known == size;
  }
  if (!fits) {
    return PythonError("ValueError",
                       absl::StrCat("cannot reshape array of size ", size,
                                    " into shape ", WantedText(shape)));
  }
  return result;
}

std::optional<Array> ReshapeView(const Array& array,
                                 absl::Span<const int64_t> shape,
                                 bool f_order) {
  const int rank = static_cast<int>(shape.size());
  Array view;
  const int64_t item = array.item_size();
  Dims strides(rank);
  if (array.has(f_order ? kFContiguous : kCContiguous)) {
    uint8_t axes[kMaxRank];
    for (int i = 0; i < rank; ++i) {
      axes[i] = static_cast<uint8_t>(f_order ? rank - 1 - i : i);
    }
    StridesInOrder(shape, axes, item, strides.data());
  } else {
    std::optional<Dims> found =
        ReshapeStrides(array.shape(), array.strides(), shape, item, f_order);
    if (!found.has_value()) return std::nullopt;
    strides = *std::move(found);
  }
  BeginView(array, rank, &view);
  std::copy(shape.begin(), shape.end(), view.shape_data());
  std::copy(strides.begin(), strides.end(), view.strides_data());
  view.UpdateLayout();
  return view;
}

void PartView(const Array& array, bool imaginary, Array* out) {
  BeginView(array, array.rank(), out);
  std::copy(array.shape().begin(), array.shape().end(), out->shape_data());
  std::copy(array.strides().begin(), array.strides().end(),
            out->strides_data());
  const DType part = PartType(array.dtype());
  out->set_dtype(part);
  if (imaginary) out->set_offset(array.offset() + ItemSize(part));
  out->UpdateLayout();
}

absl::Status TypeView(const Array& array, DType dtype, Array* out) {
  const int64_t from = array.item_size();
  const int64_t to = ItemSize(dtype);
  const int rank = array.rank();
  if (from != to) {
    if (rank == 0) {
      return PythonError(
          "ValueError",
          "Changing the dtype of a 0d array is only supported if the itemsize "
          "is unchanged");
    }
    const int64_t last = array.shape()[rank - 1];
    if (last != 1 && array.size() != 0 && array.strides()[rank - 1] != from) {
      return PythonError("ValueError",
                         "To change to a dtype of a different size, the last "
                         "axis must be contiguous");
    }
    if (to < from && from % to != 0) {
      return PythonError(
          "ValueError",
          "When changing to a smaller dtype, its size must be a divisor of the "
          "size of original dtype");
    }
    if (to > from && last * from % to != 0) {
      return PythonError(
          "ValueError",
          "When changing to a larger dtype, its size must be a divisor of the "
          "total size in bytes of the last axis of the array.");
    }
  }
  BeginView(array, rank, out);
  std::copy(array.shape().begin(), array.shape().end(), out->shape_data());
  std::copy(array.strides().begin(), array.strides().end(),
            out->strides_data());
  out->set_dtype(dtype);
  if (from != to) {
    out->shape_data()[rank - 1] = array.shape()[rank - 1] * from / to;
    out->strides_data()[rank - 1] = to;
  }
  out->UpdateLayout();
  return absl::OkStatus();
}

}  // namespace fuseau

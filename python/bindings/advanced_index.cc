#include "python/bindings/advanced_index.h"

#include "absl/container/inlined_vector.h"
#include "frontend/index_places.h"
#include "frontend/index_read.h"
#include "frontend/record.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"

namespace fuseau::python {
namespace {

enum class IndexKind : uint8_t {
  kIntegers,
  kMask,
  kOther,  // NumPy's business, errors included
  kError,
};

// An index object as an array of int64 or of bool.
IndexKind ToIndices(PyObject* object, Array* out) {
  if (!IsArray(object) && !PyArray_CheckExact(object) &&
      !PyList_CheckExact(object)) {
    return IndexKind::kOther;
  }
  Operand operand;
  Array copied;
  switch (ToOperand(object, &operand, &copied)) {
    case Conversion::kOperand:
      break;
    case Conversion::kError:
      // NumPy says what is wrong with it as an index.
      PyErr_Clear();
      return IndexKind::kOther;
    case Conversion::kUnsupported:
      return IndexKind::kOther;
  }
  if (operand.array == nullptr || operand.array->rank() == 0) {
    return IndexKind::kOther;
  }
  const Array& array = *operand.array;
  if (array.dtype() == DType::kBool) {
    *out = array;
    return IndexKind::kMask;
  }
  if (!IsInteger(array.dtype())) return IndexKind::kOther;
  if (array.dtype() == DType::kInt64) {
    *out = array;
    return IndexKind::kIntegers;
  }
  const absl::Status status = WidenIndices(array, out);
  if (status.ok()) return IndexKind::kIntegers;
  Raise(status);
  return IndexKind::kError;
}

// Whether arrays of indices have a common shape and NumPy visits them in C
// order there.
bool BroadcastInOrder(absl::Span<const Array* const> indices, Dims* shape) {
  absl::InlinedVector<absl::Span<const int64_t>, 4> shapes;
  for (const Array* index : indices) shapes.push_back(index->shape());
  auto common = BroadcastShapes(shapes);
  if (!common.ok()) return false;
  *shape = *std::move(common);
  const int rank = static_cast<int>(shape->size());
  absl::InlinedVector<Dims, 4> strides(indices.size(), Dims(rank));
  absl::InlinedVector<const int64_t*, 4> rows;
  for (size_t k = 0; k < indices.size(); ++k) {
    BroadcastStrides(indices[k]->shape(), indices[k]->strides(), rank,
                     strides[k].data());
    rows.push_back(strides[k].data());
  }
  uint8_t axes[kMaxRank];
  IterationOrder(rank, rows, axes);
  for (int d = 0; d < rank; ++d) {
    if (axes[d] != d) return false;
  }
  return true;
}

// Two arrays of indices with their common shape.
bool Broadcast(Array* indices) {
  auto shape = BroadcastShapes({{indices[0].shape(), indices[1].shape()}});
  if (!shape.ok()) return false;
  for (int k = 0; k < 2; ++k) {
    Array spread;
    if (!BroadcastView(indices[k], *shape, &spread).ok()) return false;
    indices[k] = std::move(spread);
  }
  return true;
}

// The axis at which the items from `place` on stand, of an array of that rank;
// integers count as axes.
int AxisOf(absl::Span<const IndexItem> items, int place, int rank) {
  int consumed = 0, axis = 0;
  for (const IndexItem& item : items) {
    consumed +=
        item.kind == IndexItem::kSlice || item.kind == IndexItem::kInteger;
  }
  for (int i = 0; i < place; ++i) {
    axis += items[i].kind == IndexItem::kEllipsis ? rank - consumed : 1;
  }
  return axis;
}

PyObject* Finish(PyObject* result, const absl::Status& status) {
  return FinishRecorded(result, status);
}

}  // namespace

namespace {

// An index whose arrays stand anywhere.
struct AnyIndex {
  absl::InlinedVector<IndexItem, 8> items;   // full slices for arrays
  absl::InlinedVector<AxisIndex, 4> arrays;  // of the axes of `view`
  absl::InlinedVector<int, 8> places;        // of each array's item
  Array view;
  int first = 0;  // where the axes of the arrays stand in the result
  Dims shape;     // theirs
};

constexpr IndexItem kAll = {IndexItem::kSlice, 0, INT64_MAX, 1};

// The coordinates of a mask in the place of the mask.
bool AddMask(const Array& mask, AnyIndex* index) {
  absl::InlinedVector<Array, 4> found(static_cast<size_t>(mask.rank()));
  if (!WhereTrue(mask, absl::MakeSpan(found)).ok()) return false;
  for (Array& coordinates : found) {
    index->places.push_back(static_cast<int>(index->items.size()));
    index->items.push_back(kAll);
    index->arrays.push_back({0, std::move(coordinates)});
  }
  return true;
}

// Whether a mask has the sizes of the axes that it covers: else NumPy says what
// is wrong. `first` is the number of its first array.
bool MaskFits(const Array& mask, const AnyIndex& index, size_t first) {
  for (int d = 0; d < mask.rank(); ++d) {
    const int axis = index.arrays[first + d].axis;
    if (index.view.shape()[axis] != mask.shape()[d]) return false;
  }
  return true;
}

// NumPy puts the axes of index arrays in their place if they are neighbours,
// integers among them, and first else. -1: NumPy's business.
int FirstOf(const AnyIndex& index, absl::Span<const bool> special, int rank) {
  const auto begin = std::find(special.begin(), special.end(), true);
  auto end = special.end();
  while (!end[-1]) --end;
  bool apart = false;
  for (auto it = begin; it != end; ++it) {
    if (*it) continue;
    if (index.items[it - special.begin()].kind == IndexItem::kEllipsis) {
      return -1;
    }
    apart = true;
  }
  if (apart) return 0;
  return AxisOf(index.items, static_cast<int>(begin - special.begin()), rank);
}

// False, without an error, for what is left to NumPy, wrong indices included.
bool ParseAny(const Array& array, absl::Span<const IndexItem> items,
              absl::Span<PyObject* const> objects, AnyIndex* index) {
  absl::InlinedVector<std::pair<Array, size_t>, 2> masks;
  absl::InlinedVector<bool, 8> special;
  for (size_t i = 0; i < items.size(); ++i) {
    if (objects[i] == nullptr) {
      index->items.push_back(items[i]);
      special.push_back(items[i].kind == IndexItem::kInteger);
      continue;
    }
    Array indices;
    switch (ToIndices(objects[i], &indices)) {
      case IndexKind::kIntegers:
        index->places.push_back(static_cast<int>(index->items.size()));
        index->items.push_back(kAll);
        index->arrays.push_back({0, std::move(indices)});
        break;
      case IndexKind::kMask:
        masks.emplace_back(indices, index->arrays.size());
        if (!AddMask(indices, index)) return false;
        break;
      case IndexKind::kError:
        PyErr_Clear();
        return false;
      case IndexKind::kOther:
        return false;
    }
    special.resize(index->items.size(), true);
  }
  if (!IndexView(array, index->items, &index->view).ok()) return false;
  // Integers among the items have no axis in the view.
  int integers = 0;
  size_t next = 0;
  for (size_t i = 0; i < index->items.size(); ++i) {
    if (index->items[i].kind == IndexItem::kInteger) ++integers;
    if (next == index->places.size() ||
        index->places[next] != static_cast<int>(i)) {
      continue;
    }
    index->arrays[next++].axis =
        AxisOf(index->items, static_cast<int>(i), array.rank()) - integers;
  }
  for (const auto& [mask, first] : masks) {
    if (!MaskFits(mask, *index, first)) return false;
  }
  absl::InlinedVector<const Array*, 4> arrays;
  for (const AxisIndex& each : index->arrays) arrays.push_back(&each.indices);
  if (!BroadcastInOrder(arrays, &index->shape)) return false;
  index->first = FirstOf(*index, special, array.rank());
  const int rank = index->view.rank() - static_cast<int>(arrays.size()) +
                   static_cast<int>(index->shape.size());
  return index->first >= 0 && rank < kMaxRank;
}

bool SelectAny(const Array& array, absl::Span<const IndexItem> items,
               absl::Span<PyObject* const> objects, AnyIndex* index,
               Selection* selection) {
  if (!ParseAny(array, items, objects, index)) return false;
  auto right = Select(index->view, index->arrays, index->first, selection);
  return right.ok() && *right;
}

bool ReadAny(PyObject* self, absl::Span<const IndexItem> items,
             absl::Span<PyObject* const> objects, PyObject** result) {
  AnyIndex index;
  Selection selection;
  if (!SelectAny(ArrayOf(self), items, objects, &index, &selection)) {
    return false;
  }
  PyObject* made = NewArrayObject();
  if (made == nullptr) return true;
  *result = Finish(made, TakeSelected(index.view, selection, &ArrayOf(made)));
  return true;
}

// Reads that keep the index arrays as they are: one or two, side by side, or a
// mask of the first axes.
bool ReadNeighbours(PyObject* self, absl::Span<const IndexItem> items,
                    absl::Span<PyObject* const> objects, PyObject** result) {
  int place = -1, count = 0;
  for (int i = 0; i < static_cast<int>(items.size()); ++i) {
    if (objects[i] == nullptr) {
      // NumPy counts integers among the index arrays.
      if (items[i].kind == IndexItem::kInteger) return false;
      continue;
    }
    if (place < 0) place = i;
    if (i != place + count || ++count > 2) return false;
  }
  Array indices[2];
  for (int k = 0; k < count; ++k) {
    switch (ToIndices(objects[place + k], &indices[k])) {
      case IndexKind::kIntegers:
        break;
      case IndexKind::kMask: {
        if (items.size() > 1) return false;
        const Array& array = ArrayOf(self);
        if (indices[0].rank() > array.rank()) return false;
        PyObject* made = NewArrayObject();
        if (made == nullptr) return true;
        *result = Finish(made, TakeWhere(array, indices[0], &ArrayOf(made)));
        return true;
      }
      case IndexKind::kOther:
        return false;
      case IndexKind::kError:
        return true;
    }
  }
  if (count == 2 && !Broadcast(indices)) return false;
  Array view;
  const absl::Status status = IndexView(ArrayOf(self), items, &view);
  if (!status.ok()) {
    Raise(status);
    return true;
  }
  if (view.rank() + indices[0].rank() > kMaxRank) return false;
  const Array* const pointers[2] = {&indices[0], &indices[1]};
  const int axis = AxisOf(items, place, ArrayOf(self).rank());
  PyObject* made = NewArrayObject();
  if (made == nullptr) return true;
  *result = Finish(
      made, TakeAt(view, axis,
                   absl::MakeConstSpan(pointers, static_cast<size_t>(count)),
                   IndexOrder::kIndicesFirst, &ArrayOf(made)));
  return true;
}

// Such a write comes with a warning.
bool DropsImaginary(PyObject* value, DType dtype) {
  if (IsComplex(dtype)) return false;
  if (IsArray(value)) return IsComplex(ArrayOf(value).dtype());
  return PyArray_Check(value) &&
         PyArray_ISCOMPLEX(reinterpret_cast<PyArrayObject*>(value));
}

bool Broadcasts(const Operand& source, const Selection& selection) {
  if (source.array == nullptr) return true;
  const Array& array = *source.array;
  const int shift = static_cast<int>(selection.shape.size()) - array.rank();
  if (shift < 0) return false;
  for (int d = 0; d < array.rank(); ++d) {
    const int64_t size = array.shape()[d];
    if (size != 1 && size != selection.shape[d + shift]) return false;
  }
  return true;
}

}  // namespace

bool ReadAdvanced(PyObject* self, absl::Span<const IndexItem> items,
                  absl::Span<PyObject* const> objects, PyObject** result) {
  *result = nullptr;
  return ReadNeighbours(self, items, objects, result) ||
         ReadAny(self, items, objects, result);
}

bool WriteAdvanced(PyObject* self, absl::Span<const IndexItem> items,
                   absl::Span<PyObject* const> objects, PyObject* value,
                   int* done) {
  const DType dtype = ArrayOf(self).dtype();
  Operand source;
  Array copied;
  if (DropsImaginary(value, dtype) ||
      ToValue(value, dtype, &source, &copied) != Conversion::kOperand) {
    PyErr_Clear();
    return false;
  }
  if (items.size() == 1 && IsArray(objects[0]) &&
      ArrayOf(objects[0]).dtype() == DType::kInt64 &&
      PutInVector(ArrayOf(self), ArrayOf(objects[0]), source)) {
    *done = 0;
    return true;
  }
  AnyIndex index;
  Selection selection;
  if (!SelectAny(ArrayOf(self), items, objects, &index, &selection) ||
      !Broadcasts(source, selection)) {
    return false;
  }
  const absl::Status status = PutSelected(index.view, selection, source);
  *done = status.ok() ? 0 : -1;
  if (!status.ok()) Raise(status);
  return true;
}

namespace {

bool CheckArrays(PyObject* a, PyObject* b) {
  if (IsArray(a) && IsArray(b)) return true;
  PyErr_SetString(PyExc_TypeError, "expected fuseau arrays");
  return false;
}

}  // namespace

PyObject* TakeFunction(PyObject*, PyObject* args) {
  PyObject* object;
  PyObject* indices;
  PyObject* axis_arg;
  int axis;
  if (!PyArg_ParseTuple(args, "OOO", &object, &indices, &axis_arg) ||
      !CheckArrays(object, indices) ||
      !ToAxis(axis_arg, ArrayOf(object).rank(), &axis)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  const Array* const pointer = &ArrayOf(indices);
  return Finish(result, TakeAt(ArrayOf(object), axis, {&pointer, 1},
                               IndexOrder::kInPlace, &ArrayOf(result)));
}

PyObject* CompressFunction(PyObject*, PyObject* args) {
  PyObject* object;
  PyObject* mask;
  if (!PyArg_ParseTuple(args, "OO", &object, &mask) ||
      !CheckArrays(object, mask)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return Finish(result,
                TakeWhere(ArrayOf(object), ArrayOf(mask), &ArrayOf(result)));
}

PyObject* NonzeroFunction(PyObject*, PyObject* object) {
  if (!CheckArrays(object, object)) return nullptr;
  const Array& mask = ArrayOf(object);
  Array found[kMaxRank];
  const int rank = mask.rank();
  const absl::Status status =
      WhereTrue(mask, absl::MakeSpan(found, static_cast<size_t>(rank)));
  if (!status.ok()) return Raise(status);
  PyRef tuple(PyTuple_New(rank));
  if (!tuple) return nullptr;
  for (int k = 0; k < rank; ++k) {
    PyObject* result = NewArrayObject();
    if (result == nullptr) return nullptr;
    ArrayOf(result) = std::move(found[k]);
    result = FinishRecorded(result);
    if (result == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), k, result);
  }
  return tuple.Release();
}

}  // namespace fuseau::python

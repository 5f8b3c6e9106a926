#include "python/bindings/advanced_index.h"

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
  const absl::Status status = AsType(array, DType::kInt64, Order::kKeep, out);
  if (status.ok()) return IndexKind::kIntegers;
  Raise(status);
  return IndexKind::kError;
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

// The axis of the view at which the items from `place` on stand.
int AxisOf(absl::Span<const IndexItem> items, int place, int rank) {
  int consumed = 0, axis = 0;
  for (const IndexItem& item : items) {
    consumed += item.kind == IndexItem::kSlice ? 1 : 0;
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

bool ReadAdvanced(PyObject* self, absl::Span<const IndexItem> items,
                  absl::Span<PyObject* const> objects, PyObject** result) {
  *result = nullptr;
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

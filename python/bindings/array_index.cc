// a[key] and a[key] = value.
#include <algorithm>
#include <cstring>

#include "frontend/ahead.h"
#include "frontend/evaluate.h"
#include "frontend/ranks.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/advanced_index.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/float_reports.h"
#include "python/bindings/frames.h"
#include "python/bindings/numpy_call.h"

namespace fuseau::python {
namespace {

constexpr int kMaxItems = 2 * kMaxRank + 1;

enum class Part : uint8_t {
  kBasic,
  kAdvanced,  // an index array, a mask or a list: NumPy's business
  kError,     // a Python error is set
};

Part RaiseInvalidIndex() {
  PyErr_SetString(PyExc_IndexError,
                  "only integers, slices (`:`), ellipsis (`...`), "
                  "numpy.newaxis (`None`) and integer or boolean arrays are "
                  "valid indices");
  return Part::kError;
}

Part ParseInteger(PyObject* object, IndexItem* item) {
  item->kind = IndexItem::kInteger;
  item->start = PyNumber_AsSsize_t(object, PyExc_IndexError);
  return item->start == -1 && PyErr_Occurred() ? Part::kError : Part::kBasic;
}

Part ParseOther(PyObject* object, IndexItem* item) {
  if (IsArray(object)) {
    const Array& array = ArrayOf(object);
    if (array.rank() != 0 || !IsInteger(array.dtype())) return Part::kAdvanced;
    return ParseInteger(object, item);
  }
  if (PyBool_Check(object) || PyArray_Check(object) ||
      PyArray_IsScalar(object, Bool) || PyList_Check(object) ||
      PyTuple_Check(object)) {
    return Part::kAdvanced;
  }
  if (PyFloat_Check(object) || PyComplex_Check(object) ||
      PyUnicode_Check(object) || PyBytes_Check(object) ||
      PyDict_Check(object)) {
    return RaiseInvalidIndex();
  }
  if (PyIndex_Check(object)) return ParseInteger(object, item);
  return Part::kAdvanced;
}

// An end of a slice; false if it takes a closer look.
inline bool PlainEnd(PyObject* object, int64_t missing, int64_t* end) {
  if (object == Py_None) {
    *end = missing;
    return true;
  }
  if (!PyLong_CheckExact(object)) return false;
  int overflow = 0;
  *end = PyLong_AsLongAndOverflow(object, &overflow);
  return overflow == 0;
}

inline Part ParseSlice(PyObject* object, IndexItem* item) {
  item->kind = IndexItem::kSlice;
  const auto* slice = reinterpret_cast<const PySliceObject*>(object);
  if (slice->step == Py_None && PlainEnd(slice->start, 0, &item->start) &&
      PlainEnd(slice->stop, PY_SSIZE_T_MAX, &item->stop)) {
    item->step = 1;
    return Part::kBasic;
  }
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(object, &start, &stop, &step) < 0) return Part::kError;
  item->start = start;
  item->stop = stop;
  item->step = step;
  return Part::kBasic;
}

inline Part ParsePart(PyObject* object, IndexItem* item) {
  if (PySlice_Check(object)) return ParseSlice(object, item);
  if (PyLong_CheckExact(object)) return ParseInteger(object, item);
  if (object == Py_None) {
    item->kind = IndexItem::kNewAxis;
    return Part::kBasic;
  }
  if (object == Py_Ellipsis) {
    item->kind = IndexItem::kEllipsis;
    return Part::kBasic;
  }
  return ParseOther(object, item);
}

struct Key {
  int count = 0;
  PyObject* advanced[kMaxItems];  // of those items; null for others
  bool integers = true;           // nothing but integers
  bool copied = false;  // an array of no dimensions among them: NumPy copies
  IndexItem items[kMaxItems];
};

Part ParseKey(PyObject* object, Key* key) {
  PyObject* const* parts = &object;
  Py_ssize_t count = 1;
  if (PyTuple_CheckExact(object)) {
    parts = &PyTuple_GET_ITEM(object, 0);
    count = PyTuple_GET_SIZE(object);
    if (count > kMaxItems) {
      PyErr_SetString(PyExc_IndexError, "too many indices for array");
      return Part::kError;
    }
  }
  Part result = Part::kBasic;
  for (Py_ssize_t i = 0; i < count; ++i) {
    const Part part = ParsePart(parts[i], &key->items[i]);
    if (part == Part::kError) return part;
    key->advanced[i] = nullptr;
    if (part == Part::kAdvanced) {
      // As far as views go, all of an axis is read.
      key->items[i] = {IndexItem::kSlice, 0, PY_SSIZE_T_MAX, 1};
      key->advanced[i] = parts[i];
      result = part;
    }
    const bool integer = key->items[i].kind == IndexItem::kInteger;
    key->integers &= integer;
    key->copied |=
        integer && IsArray(parts[i]) && !ArrayOf(parts[i]).has(kScalarFlag);
  }
  key->count = static_cast<int>(count);
  return result;
}

absl::Span<const IndexItem> Items(const Key& key) {
  return {key.items, static_cast<size_t>(key.count)};
}

// The element at full integer indices: NumPy's own scalar where the value is
// known, a lazy one else. A loop over elements makes it known: each operation
// on a known number takes less than its recording.
PyObject* Element(const Array& array, const Key& key) {
  CountHere(profile::Tally::kElementRead);
  Array element;
  absl::Status status = IndexView(array, Items(key), &element);
  if (!status.ok()) return Raise(status);
  Node* node = array.node();
  if (node->pending() && Graph::Get().ReadsElements() &&
      Ranks::active() == nullptr && !tracing_ahead) {
    status = Evaluate({&node, 1});
    if (!status.ok()) return Raise(status);
  }
  const bool argument = tracing_ahead && node->state == NodeState::kAway;
  if (!array.node()->pending() && !argument) return ScalarOf(element);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, TakeNumber(element, &ArrayOf(result)));
}

// An element of a vector that is computed, by its place from the front. Null
// without an error for anything else.
PyObject* KnownElement(const Array& array, int64_t index) {
  if (array.rank() != 1 || index < 0 || index >= array.shape()[0] ||
      array.node()->state != NodeState::kReady) {
    return nullptr;
  }
  // From a device elements come one by one, unless there are many to come.
  if (array.node()->buffer->place() == runtime::Place::kDevice &&
      (!Graph::Get().ReadsElements() || !array.node()->buffer->ToHost().ok())) {
    return nullptr;
  }
  CountHere(profile::Tally::kElementRead);
  const char* data = array.node()->buffer->read() + array.offset();
  return PyArray_Scalar(const_cast<char*>(data) + index * array.strides()[0],
                        ToDescr(array.dtype()), nullptr);
}

bool SameWindow(const Array& a, const Array& b) {
  return a.base() == b.base() && a.offset() == b.offset() &&
         a.dtype() == b.dtype() && a.shape() == b.shape() &&
         a.strides() == b.strides();
}

int Recorded(const Array& target, const absl::Status& status) {
  absl::Status result = status;
  if (result.ok()) result = python::Recorded(target.node(), /*write=*/true);
  if (result.ok()) return 0;
  Raise(result);
  return -1;
}

// a[mask] = number as a choice of each element: the mask covers the first axes.
// -2 if it is not such a write.
int SetWhere(PyObject* self, PyObject* key, PyObject* value) {
  const Array& target = ArrayOf(self);
  Operand mask, source;
  Array mask_copy, source_copy;
  if (IsArray(key)) {
    if (ArrayOf(key).dtype() != DType::kBool) return -2;
  } else if (!PyArray_CheckExact(key) ||
             PyArray_TYPE(reinterpret_cast<PyArrayObject*>(key)) != NPY_BOOL) {
    return -2;
  }
  if (ToOperand(key, &mask, &mask_copy) != Conversion::kOperand) return -1;
  const Array& covered = *mask.array;
  const int rank = covered.rank();
  if (rank == 0 || rank > target.rank() ||
      covered.shape() != target.shape().subspan(0, rank)) {
    return -2;
  }
  // NumPy casts a scalar here as it casts arrays: whatever its value.
  const Conversion c = ToValue(value, target.dtype(), &source, &source_copy,
                               /*checked=*/false);
  if (c == Conversion::kError) return -1;
  if (c == Conversion::kUnsupported) return -2;
  if (source.array != nullptr) {
    const Array& values = *source.array;
    if (values.rank() > 1 || values.size() != 1) return -2;
  }
  Array spread;
  Key axes;
  axes.count = target.rank() - rank + 1;
  axes.items[0].kind = IndexItem::kEllipsis;
  for (int i = 1; i < axes.count; ++i) {
    axes.items[i].kind = IndexItem::kNewAxis;
  }
  absl::Status status = IndexView(covered, Items(axes), &spread);
  if (status.ok()) {
    status = AssignWhere(target, Operand::Of(spread), source);
  }
  return Recorded(target, status);
}

int SetElement(const Array& array, const Key& key, PyObject* value) {
  CountHere(profile::Tally::kElementWrite);
  Array element;
  absl::Status status = IndexView(array, Items(key), &element);
  if (!status.ok()) {
    Raise(status);
    return -1;
  }
  Operand source;
  if (IsArray(value)) {
    if (ArrayOf(value).rank() > 0) {
      PyErr_SetString(PyExc_ValueError,
                      "setting an array element with a sequence.");
      return -1;
    }
    if (ToValue(value, element.dtype(), &source, nullptr) !=
        Conversion::kOperand) {
      return -1;
    }
  } else {
    source.kind = KindOf(element.dtype());
    if (!ToElement(value, element.dtype(), source.scalar)) return -1;
  }
  return Recorded(array, Assign(element, source));
}

}  // namespace

PyObject* GetItem(PyObject* self, PyObject* object) {
  const Array& array = ArrayOf(self);
  if (PyLong_CheckExact(object) && array.rank() == 1) {
    int overflow = 0;
    int64_t index = PyLong_AsLongAndOverflow(object, &overflow);
    if (index < 0) index += array.shape()[0];
    if (PyObject* known = KnownElement(array, index)) return known;
    if (PyErr_Occurred()) return nullptr;
  }
  Key key;
  switch (ParseKey(object, &key)) {
    case Part::kError:
      return nullptr;
    case Part::kAdvanced: {
      PyObject* result;
      if (ReadAdvanced(
              self, Items(key),
              absl::MakeConstSpan(key.advanced, static_cast<size_t>(key.count)),
              &result)) {
        return result;
      }
      return GetItemByNumpy(self, object);
    }
    case Part::kBasic:
      break;
  }
  if (key.integers && key.count == array.rank()) return Element(array, key);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  if (array.has(kScalarFlag)) {
    // A scalar has no memory to be seen: this is a view of an array made of it.
    PyRef copy(NewArrayObject());
    if (!copy) {
      Py_DECREF(result);
      return nullptr;
    }
    Array& whole = ArrayOf(copy.get());
    absl::Status status = Copy(array, Order::kKeep, &whole);
    if (status.ok()) status = IndexView(whole, Items(key), &ArrayOf(result));
    FinishView(result, copy.get());
    return FinishRecorded(result, status);
  }
  if (key.copied) {
    Array view;
    absl::Status status = IndexView(array, Items(key), &view);
    if (status.ok()) status = Copy(view, Order::kKeep, &ArrayOf(result));
    return FinishRecorded(result, status);
  }
  absl::Status status = IndexView(array, Items(key), &ArrayOf(result));
  if (__builtin_expect(!status.ok(), false)) {
    Py_DECREF(result);
    return Raise(status);
  }
  return FinishView(result, self);
}

PyObject* GetItemAt(PyObject* self, Py_ssize_t index) {
  // Iteration comes here for each element.
  if (PyObject* known = KnownElement(ArrayOf(self), index)) return known;
  if (PyErr_Occurred()) return nullptr;
  PyRef key(PyLong_FromSsize_t(index));
  return key ? GetItem(self, key.get()) : nullptr;
}

int SetItem(PyObject* self, PyObject* object, PyObject* value) {
  const Array& array = ArrayOf(self);
  if (value == nullptr) {
    PyErr_SetString(PyExc_ValueError, "cannot delete array elements");
    return -1;
  }
  if (!array.has(kWritable)) {
    PyErr_SetString(PyExc_ValueError, "assignment destination is read-only");
    return -1;
  }
  Key key;
  switch (ParseKey(object, &key)) {
    case Part::kError:
      return -1;
    case Part::kAdvanced: {
      int done = SetWhere(self, object, value);
      if (done != -2) return done;
      const bool written = WriteAdvanced(
          self, Items(key),
          absl::MakeConstSpan(key.advanced, static_cast<size_t>(key.count)),
          value, &done);
      return written ? done : SetItemByNumpy(self, object, value);
    }
    case Part::kBasic:
      break;
  }
  if (key.integers && key.count == array.rank()) {
    return SetElement(array, key, value);
  }
  Array target;
  absl::Status status = IndexView(array, Items(key), &target);
  if (!status.ok()) {
    Raise(status);
    return -1;
  }
  // Python ends `a[i] += x` with such a write of what was just written.
  if (IsArray(value) && SameWindow(target, ArrayOf(value))) return 0;
  Operand source;
  Array copied;
  switch (ToValue(value, target.dtype(), &source, &copied)) {
    case Conversion::kError:
      return -1;
    case Conversion::kUnsupported:
      return SetItemByNumpy(self, object, value);
    case Conversion::kOperand:
      break;
  }
  return Recorded(target, Assign(target, source));
}

}  // namespace fuseau::python

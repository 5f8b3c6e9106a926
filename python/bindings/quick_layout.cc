// Quick forms of functions that join arrays, and of those that give views.
#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/functions.h"
#include "python/bindings/quick_arguments.h"
#include "python/bindings/quick_forms.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

using Parts = absl::InlinedVector<Array, 4>;

// The arrays of a list or tuple: plain or lists of numbers, in C order, of one
// type and rank.
bool ParseParts(PyObject* object, Parts* parts) {
  if (object == nullptr ||
      (!PyList_CheckExact(object) && !PyTuple_CheckExact(object))) {
    return false;
  }
  PyObject** const items = PySequence_Fast_ITEMS(object);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(object); ++i) {
    PyRef made(PyList_CheckExact(items[i]) ? ArrayOfNumbers(items[i])
                                           : Py_NewRef(items[i]));
    if (!made) PyErr_Clear();
    const Array* array = made ? PlainArray(made.get()) : nullptr;
    if (array == nullptr || array->rank() == 0 || !array->has(kCContiguous)) {
      return false;
    }
    if (i > 0 && (array->dtype() != parts->front().dtype() ||
                  array->rank() != parts->front().rank())) {
      return false;
    }
    parts->push_back(*array);
  }
  return !parts->empty();
}

PyObject* Join(const Parts& parts, int axis) {
  absl::InlinedVector<const Array*, 4> arrays;
  const Array& first = parts.front();
  for (const Array& part : parts) {
    for (int d = 0; d < first.rank(); ++d) {
      if (d != axis && part.shape()[d] != first.shape()[d]) return nullptr;
    }
    arrays.push_back(&part);
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, Concatenate(arrays, axis, first.dtype(), &ArrayOf(result)));
}

PyObject* QuickConcatenate(PyObject* const* args) {
  Parts parts;
  int axis;
  if (!ParseParts(args[0], &parts) ||
      !PlainAxis(args[1], parts.front().rank(), 0, &axis)) {
    return nullptr;
  }
  return Join(parts, axis);
}

PyObject* QuickHstack(PyObject* const* args) {
  Parts parts;
  if (!ParseParts(args[0], &parts)) return nullptr;
  return Join(parts, parts.front().rank() == 1 ? 0 : 1);
}

// append(a, b) of vectors
PyObject* QuickAppend(PyObject* const* args) {
  Parts parts;
  for (int k = 0; k < 2; ++k) {
    const Array* array = PlainArray(args[k]);
    if (array == nullptr || array->rank() != 1 || !array->has(kCContiguous)) {
      return nullptr;
    }
    parts.push_back(*array);
  }
  return parts[0].dtype() == parts[1].dtype() ? Join(parts, 0) : nullptr;
}

// The array with a new axis of length 1.
absl::Status Widen(const Array& array, int axis, Array* out) {
  absl::InlinedVector<IndexItem, 8> items(
      static_cast<size_t>(axis), {IndexItem::kSlice, 0, PY_SSIZE_T_MAX, 1});
  items.push_back({IndexItem::kNewAxis, 0, 0, 0});
  return IndexView(array, items, out);
}

PyObject* JoinWidened(const Parts& parts, int axis) {
  Parts wide;
  for (const Array& part : parts) {
    // Joined along another axis they would not lie in memory in its order.
    if (part.shape() != parts.front().shape()) return nullptr;
    const absl::Status status = Widen(part, axis, &wide.emplace_back());
    if (!status.ok()) return Raise(status);
  }
  return Join(wide, axis);
}

PyObject* QuickStack(PyObject* const* args) {
  Parts parts;
  if (!ParseParts(args[0], &parts)) return nullptr;
  int64_t axis = 0;
  if (args[1] != nullptr && !PlainInt(args[1], 0, 0, &axis)) return nullptr;
  return JoinWidened(parts, 0);
}

PyObject* QuickVstack(PyObject* const* args) {
  Parts parts;
  if (!ParseParts(args[0], &parts)) return nullptr;
  return parts.front().rank() == 1 ? JoinWidened(parts, 0) : Join(parts, 0);
}

PyObject* ViewObject(const absl::Status& status, PyObject* result,
                     PyObject* source) {
  if (status.ok()) return FinishView(result, source);
  Py_DECREF(result);
  return Raise(status);
}

// NumPy reshapes here: the new axis has the stride of a dense array.
PyObject* QuickExpandDims(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int axis;
  if (array == nullptr || array->rank() == kMaxRank ||
      !array->has(kCContiguous) ||
      !PlainAxis(args[1], array->rank() + 1, 0, &axis)) {
    return nullptr;
  }
  Dims shape(array->shape().begin(), array->shape().end());
  shape.insert(shape.begin() + axis, 1);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  ArrayOf(result) = *ReshapeView(*array, shape, /*f_order=*/false);
  return FinishView(result, args[0]);
}

// flip(a): all axes.
PyObject* QuickFlip(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr) return nullptr;
  absl::InlinedVector<IndexItem, 8> items(
      static_cast<size_t>(array->rank()),
      {IndexItem::kSlice, PY_SSIZE_T_MAX, PY_SSIZE_T_MIN, -1});
  items.push_back({IndexItem::kEllipsis, 0, 0, 0});
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return ViewObject(IndexView(*array, items, &ArrayOf(result)), result,
                    args[0]);
}

// roll(a, shift) of a vector
PyObject* QuickRoll(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int64_t shift;
  if (array == nullptr || array->rank() != 1 || !array->has(kCContiguous) ||
      array->size() == 0 ||
      !PlainInt(args[1], INT64_MIN + 1, INT64_MAX, &shift)) {
    return nullptr;
  }
  const int64_t length = array->size();
  const int64_t moved = (shift % length + length) % length;
  const IndexItem tail = {IndexItem::kSlice, length - moved, PY_SSIZE_T_MAX, 1};
  const IndexItem head = {IndexItem::kSlice, 0, length - moved, 1};
  Parts parts(2);
  absl::Status status = IndexView(*array, {&tail, 1}, &parts[0]);
  if (status.ok()) status = IndexView(*array, {&head, 1}, &parts[1]);
  return status.ok() ? Join(parts, 0) : Raise(status);
}

// A vector over two axes, one of them new and of length `count`, as a dense
// vector: repeat and tile.
PyObject* Multiply(const Array& vector, int new_axis, int64_t count) {
  const int64_t length = vector.size();
  int64_t shape[2] = {length, length};
  shape[new_axis] = count;
  Array wide, spread, dense;
  absl::Status status = Widen(vector, new_axis, &wide);
  if (status.ok()) status = BroadcastView(wide, shape, &spread);
  if (status.ok()) status = Copy(spread, Order::kC, &dense);
  if (!status.ok()) return Raise(status);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  const int64_t flat[1] = {length * count};
  ArrayOf(result) = *ReshapeView(dense, flat, /*f_order=*/false);
  return FinishRecorded(result);
}

template <int new_axis>
PyObject* Repeated(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int64_t count;
  if (array == nullptr || array->rank() != 1 ||
      !PlainInt(args[1], 0, int64_t{1} << 40, &count)) {
    return nullptr;
  }
  return Multiply(*array, new_axis, count);
}

// The main diagonal of a matrix as a read-only view.
absl::Status MainDiagonal(const Array& matrix, Array* out) {
  const int64_t length[1] = {std::min(matrix.shape()[0], matrix.shape()[1])};
  const int64_t stride[1] = {matrix.strides()[0] + matrix.strides()[1]};
  return StridedView(matrix, 0, length, stride, /*writable=*/false, out);
}

PyObject* QuickDiagonal(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || array->rank() != 2) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return ViewObject(MainDiagonal(*array, &ArrayOf(result)), result, args[0]);
}

PyObject* QuickTrace(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || array->rank() != 2) return nullptr;
  Array diagonal;
  const absl::Status status = MainDiagonal(*array, &diagonal);
  if (!status.ok()) return Raise(status);
  return ReduceArray(OpCode::kSum, false, diagonal, Py_None,
                     /*keep_dims=*/false, Py_None);
}

// outer(a, b) of vectors
PyObject* QuickOuter(PyObject* const* args) {
  PyRef views[2];
  for (int k = 0; k < 2; ++k) {
    const Array* array = PlainArray(args[k]);
    if (array == nullptr || array->rank() != 1) return nullptr;
    views[k] = PyRef(NewArrayObject());
    if (!views[k]) return nullptr;
    const absl::Status status =
        Widen(*array, k == 0 ? 1 : 0, &ArrayOf(views[k].get()));
    if (!status.ok()) return Raise(status);
  }
  return CallBinary(OpCode::kMultiply, views[0].get(), views[1].get());
}

constexpr QuickForm kForms[] = {
    {"concatenate", {"", "axis"}, 2, 1, QuickConcatenate},
    {"hstack", {"tup"}, 1, 1, QuickHstack},
    {"vstack", {"tup"}, 1, 1, QuickVstack},
    {"stack", {"arrays", "axis"}, 2, 1, QuickStack},
    {"append", {"arr", "values"}, 2, 2, QuickAppend},
    {"expand_dims", {"a", "axis"}, 2, 2, QuickExpandDims},
    {"flip", {"m"}, 1, 1, QuickFlip},
    {"roll", {"a", "shift"}, 2, 2, QuickRoll},
    {"repeat", {"a", "repeats"}, 2, 2, Repeated<1>},
    {"tile", {"A", "reps"}, 2, 2, Repeated<0>},
    {"diag", {"v"}, 1, 1, QuickDiagonal},
    {"diagonal", {"a"}, 1, 1, QuickDiagonal},
    {"trace", {"a"}, 1, 1, QuickTrace},
    {"outer", {"a", "b"}, 2, 2, QuickOuter},
};

}  // namespace

absl::Span<const QuickForm> LayoutForms() { return kForms; }

}  // namespace fuseau::python

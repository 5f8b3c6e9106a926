// Quick forms of functions that work along an axis, of products and of choices.
#include <algorithm>
#include <cstring>

#include "frontend/evaluate.h"
#include "frontend/index_read.h"
#include "frontend/record.h"
#include "frontend/reduce.h"
#include "frontend/routine.h"
#include "frontend/views.h"
#include "python/bindings/advanced_index.h"
#include "python/bindings/exchange.h"
#include "python/bindings/functions.h"
#include "python/bindings/quick_arguments.h"
#include "python/bindings/quick_forms.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

// The axis of a function whose default is all elements: those of a vector.
bool AxisOfAll(PyObject* object, int rank, int* axis) {
  return PlainAxis(object == Py_None ? nullptr : object, rank,
                   rank == 1 ? 0 : rank, axis);
}

template <OpCode op>
PyObject* Running(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int axis;
  if (array == nullptr || !AxisOfAll(args[1], array->rank(), &axis)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result,
      Accumulate(op, *array, axis, SumType(array->dtype()), &ArrayOf(result)));
}

template <OpCode op>
PyObject* Place(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int axis;
  if (array == nullptr || !AxisOfAll(args[1], array->rank(), &axis) ||
      array->shape()[axis] == 0) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result,
                        PlaceOfExtreme(op, *array, axis, &ArrayOf(result)));
}

// NumPy's default sort has vector code that its types' functions lack: it sorts
// our copy.
PyObject* QuickSort(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int axis;
  if (array == nullptr || !PlainAxis(args[1], array->rank(), -1, &axis)) {
    return nullptr;
  }
  PyRef result(NewArrayObject());
  if (!result) return nullptr;
  Array* out = &ArrayOf(result.get());
  const absl::Status status = Copy(*array, Order::kKeep, out);
  if (!status.ok()) return Raise(status);
  PyRef values(ToNumpy(*out));
  if (!values || PyArray_Sort(values.array(), axis, NPY_QUICKSORT) < 0) {
    return nullptr;
  }
  return result.Release();
}

PyObject* QuickArgsort(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  int axis;
  if (array == nullptr || !PlainAxis(args[1], array->rank(), -1, &axis)) {
    return nullptr;
  }
  PyRef values(SnapshotToNumpy(*array));
  PyRef places(values ? PyArray_ArgSort(values.array(), axis, NPY_QUICKSORT)
                      : nullptr);
  return places ? CopyFromNumpy(places.array()) : nullptr;
}

// Products of real vectors and matrices of one type.
bool IsRealMatrix(const Array* array) {
  return array != nullptr && array->rank() >= 1 && array->rank() <= 2 &&
         array->size() > 0 && !IsComplex(array->dtype());
}

PyObject* QuickDot(PyObject* const* args) {
  const Array* a = PlainArray(args[0]);
  const Array* b = PlainArray(args[1]);
  if (!IsRealMatrix(a) || !IsRealMatrix(b) || a->dtype() != b->dtype() ||
      a->shape()[a->rank() - 1] != b->shape()[0]) {
    return nullptr;
  }
  // Single numbers are not added to 0.0.
  if (a->size() == 1 && b->size() == 1) return nullptr;
  return Dot(args[0], args[1]);
}

PyObject* QuickInner(PyObject* const* args) {
  const Array* b = PlainArray(args[1]);
  return b != nullptr && b->rank() == 1 ? QuickDot(args) : nullptr;
}

// take(a, indices, axis)
PyObject* QuickTake(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  const Array* indices = PlainArray(args[1]);
  int axis;
  if (array == nullptr || indices == nullptr ||
      indices->dtype() != DType::kInt64 || indices->rank() == 0 ||
      !AxisOfAll(args[2], array->rank(), &axis) || array->shape()[axis] == 0) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, TakeAt(*array, axis, {&indices, 1},
                                       IndexOrder::kInPlace, &ArrayOf(result)));
}

PyObject* QuickNonzero(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || array->rank() != 1) return nullptr;
  if (array->dtype() == DType::kBool) return NonzeroFunction(nullptr, args[0]);
  PyRef zero(PyLong_FromLong(0));
  PyRef mask(zero ? CallBinary(OpCode::kNotEqual, args[0], zero.get())
                  : nullptr);
  return mask ? NonzeroFunction(nullptr, mask.get()) : nullptr;
}

bool IsChoice(PyObject* object) {
  return IsArray(object) || PyFloat_CheckExact(object);
}

// where(condition, x, y)
PyObject* QuickWhere(PyObject* const* args) {
  if (args[1] == nullptr) return QuickNonzero(args);
  if (!IsArray(args[0]) || !IsChoice(args[1]) || args[2] == nullptr ||
      !IsChoice(args[2])) {
    return nullptr;
  }
  return WhereFunction(nullptr, args, 3);
}

// bincount(x) of int64
PyObject* QuickBincount(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || array->rank() != 1 || array->size() == 0 ||
      array->dtype() != DType::kInt64) {
    return nullptr;
  }
  PyRef values(SnapshotToNumpy(*array));
  if (!values) return nullptr;
  const char* data = PyArray_BYTES(values.array());
  const int64_t step = array->strides()[0];
  int64_t least = 0, most = 0;
  for (int64_t i = 0; i < array->size(); ++i) {
    int64_t value;
    std::memcpy(&value, data + i * step, sizeof(value));
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (least < 0 || most == INT64_MAX) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, BinCount(*array, most + 1, &ArrayOf(result)));
}

// compress(condition, a) of vectors of one length
PyObject* QuickCompress(PyObject* const* args) {
  const Array* mask = PlainArray(args[0]);
  const Array* array = PlainArray(args[1]);
  if (mask == nullptr || array == nullptr || mask->rank() != 1 ||
      array->rank() != 1 || mask->dtype() != DType::kBool ||
      mask->shape()[0] != array->shape()[0]) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, TakeWhere(*array, *mask, &ArrayOf(result)));
}

bool IsZero(PyObject* number) {
  return PyFloat_CheckExact(number) ? PyFloat_AS_DOUBLE(number) == 0
                                    : PyObject_IsTrue(number) == 0;
}

// The array with a number in place of what lies beyond it. `extreme` is not it
// where the number is a zero: NumPy keeps zeros of the other sign.
PyObject* Limited(PyObject* array, PyObject* number, OpCode beyond,
                  OpCode extreme) {
  if (!IsZero(number)) return CallBinary(extreme, array, number);
  PyRef mask(CallBinary(beyond, array, number));
  PyObject* const choice[3] = {mask.get(), number, array};
  return mask ? WhereFunction(nullptr, choice, 3) : nullptr;
}

// clip(a, low, high): floats between Python's numbers.
PyObject* QuickClip(PyObject* const* args) {
  const auto is_number = [](PyObject* object) {
    return PyFloat_CheckExact(object) || PyLong_CheckExact(object);
  };
  if (PlainArray(args[0]) == nullptr || !IsFloat(ArrayOf(args[0]).dtype()) ||
      !is_number(args[1]) || !is_number(args[2])) {
    return nullptr;
  }
  PyRef raised(Limited(args[0], args[1], OpCode::kLess, OpCode::kMaximum));
  return raised ? Limited(raised.get(), args[2], OpCode::kGreater,
                          OpCode::kMinimum)
                : nullptr;
}

// diff(a) along the last axis.
PyObject* QuickDiff(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || array->rank() == 0 ||
      array->dtype() == DType::kBool) {
    return nullptr;
  }
  PyObject* parts[2];
  PyRef owned[2];
  for (int k = 0; k < 2; ++k) {
    const IndexItem items[2] = {
        {IndexItem::kEllipsis, 0, 0, 0},
        {IndexItem::kSlice, k == 0 ? 1 : 0, k == 0 ? INT64_MAX : -1, 1}};
    owned[k] = PyRef(NewArrayObject());
    if (!owned[k]) return nullptr;
    parts[k] = owned[k].get();
    const absl::Status status = IndexView(*array, items, &ArrayOf(parts[k]));
    if (!status.ok()) return Raise(status);
  }
  return CallBinary(OpCode::kSubtract, parts[0], parts[1]);
}

constexpr QuickForm kForms[] = {
    {"cumsum", {"a", "axis"}, 2, 1, Running<OpCode::kCumsum>},
    {"cumprod", {"a", "axis"}, 2, 1, Running<OpCode::kCumprod>},
    {"argmax", {"a", "axis"}, 2, 1, Place<OpCode::kArgmax>},
    {"argmin", {"a", "axis"}, 2, 1, Place<OpCode::kArgmin>},
    {"sort", {"a", "axis"}, 2, 1, QuickSort},
    {"argsort", {"a", "axis"}, 2, 1, QuickArgsort},
    {"dot", {"a", "b"}, 2, 2, QuickDot},
    {"inner", {"", ""}, 2, 2, QuickInner},
    {"take", {"a", "indices", "axis"}, 3, 2, QuickTake},
    {"where", {"", "", ""}, 3, 1, QuickWhere},
    {"nonzero", {"a"}, 1, 1, QuickNonzero},
    {"bincount", {""}, 1, 1, QuickBincount},
    {"compress", {"condition", "a"}, 2, 2, QuickCompress},
    {"clip", {"a", "a_min", "a_max"}, 3, 3, QuickClip},
    {"diff", {"a"}, 1, 1, QuickDiff},
};

}  // namespace

absl::Span<const QuickForm> LineForms() { return kForms; }

}  // namespace fuseau::python

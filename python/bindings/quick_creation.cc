// Quick forms of functions that make arrays.
#include <algorithm>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/arguments.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "python/bindings/functions.h"
#include "python/bindings/quick_arguments.h"
#include "python/bindings/quick_forms.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 62;

// Clears the error of a conversion: the function in Python has its own words.
bool Declined() {
  PyErr_Clear();
  return false;
}

// Shape, type and order of a new array.
struct NewArguments {
  Dims shape;
  DType dtype = DType::kFloat64;
  Order order = Order::kC;
};

bool ParseShape(PyObject* object, Dims* shape) {
  int64_t size;
  if (PlainInt(object, 0, kMaxSize, &size)) {
    shape->push_back(size);
    return true;
  }
  if (!PyTuple_CheckExact(object)) return false;
  const Py_ssize_t rank = PyTuple_GET_SIZE(object);
  if (rank > kMaxRank) return false;
  for (Py_ssize_t d = 0; d < rank; ++d) {
    if (!PlainInt(PyTuple_GET_ITEM(object, d), 0, kMaxSize, &size)) {
      return false;
    }
    shape->push_back(size);
  }
  return true;
}

bool ParseNew(PyObject* shape, PyObject* dtype, PyObject* order,
              NewArguments* out) {
  if (order != nullptr) {
    if (!PyUnicode_Check(order) ||
        PyUnicode_CompareWithASCIIString(order, "C") != 0) {
      return false;
    }
  }
  return ParseShape(shape, &out->shape) &&
         (IsMissing(dtype) || ToDType(dtype, &out->dtype) || Declined());
}

using Maker = absl::Status (*)(absl::Span<const int64_t>, DType, Order, Array*);

absl::Status Ones(absl::Span<const int64_t> shape, DType dtype, Order order,
                  Array* out) {
  Operand one;
  one.kind = KindOf(DType::kBool);
  one.scalar[0] = 1;
  return Full(shape, dtype, one, order, out);
}

template <Maker maker>
PyObject* Make(PyObject* const* args) {
  NewArguments given;
  if (!ParseNew(args[0], args[1], args[2], &given)) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, maker(given.shape, given.dtype, given.order, &ArrayOf(result)));
}

// The type that NumPy gives a number, and its element.
bool ParseNumber(PyObject* object, DType* dtype, Operand* number) {
  *dtype = PyFloat_CheckExact(object) ? DType::kFloat64
           : PyBool_Check(object)     ? DType::kBool
                                      : DType::kInt64;
  int64_t value;
  if (*dtype == DType::kInt64 &&
      !PlainInt(object, INT64_MIN, INT64_MAX, &value)) {
    return false;
  }
  number->kind = KindOf(*dtype);
  return ToElement(object, *dtype, number->scalar) || Declined();
}

PyObject* Filled(absl::Span<const int64_t> shape, DType dtype,
                 const Operand& number) {
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, Full(shape, dtype, number, Order::kC, &ArrayOf(result)));
}

// full(shape, number, dtype): the type is missing, or that of floats.
PyObject* QuickFull(PyObject* const* args) {
  NewArguments given;
  Operand number;
  DType natural;
  if (!ParseNew(args[0], args[2], args[3], &given) ||
      !ParseNumber(args[1], &natural, &number)) {
    return nullptr;
  }
  if (IsMissing(args[2])) given.dtype = natural;
  if (given.dtype != natural && given.dtype != DType::kFloat64) return nullptr;
  return Filled(given.shape, given.dtype, number);
}

template <Maker maker>
PyObject* MakeLike(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  if (array == nullptr || !array->has(kCContiguous)) return nullptr;
  DType dtype = array->dtype();
  if (!IsMissing(args[1]) && !ToDType(args[1], &dtype) && !Declined()) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, maker(array->shape(), dtype, Order::kC, &ArrayOf(result)));
}

PyObject* QuickFullLike(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  Operand number;
  DType natural;
  if (array == nullptr || !array->has(kCContiguous) ||
      !ParseNumber(args[1], &natural, &number) ||
      (array->dtype() != natural && array->dtype() != DType::kFloat64)) {
    return nullptr;
  }
  return Filled(array->shape(), array->dtype(), number);
}

// arange(stop) and arange(start, stop) of Python integers.
PyObject* QuickArange(PyObject* const* args) {
  int64_t start = 0, stop;
  if (args[1] == nullptr) {
    if (!PlainInt(args[0], 0, kMaxSize, &stop)) return nullptr;
  } else if (!PlainInt(args[0], -kMaxSize, kMaxSize, &start) ||
             !PlainInt(args[1], start, kMaxSize, &stop)) {
    return nullptr;
  }
  PyRef result(NewArrayObject());
  if (!result) return nullptr;
  const absl::Status status =
      Iota(stop - start, DType::kInt64, &ArrayOf(result.get()));
  result = PyRef(FinishRecorded(result.Release(), status));
  if (!result || start == 0) return result.Release();
  return CallBinary(OpCode::kAdd, result.get(), args[0]);
}

PyObject* CopyOf(PyObject* object) {
  return AsTypeObject(object, ArrayOf(object).dtype(), Order::kKeep,
                      Casting::kUnsafe, /*copy=*/true, /*keep_scalar=*/false);
}

// A number of Python as a double, if it is one to the last bit.
bool PlainDouble(PyObject* object, double* value) {
  if (PyFloat_CheckExact(object)) {
    *value = PyFloat_AS_DOUBLE(object);
    return true;
  }
  constexpr int64_t kExact = int64_t{1} << 53;
  int64_t integer;
  if (!PlainInt(object, -kExact, kExact, &integer)) return false;
  *value = static_cast<double>(integer);
  return true;
}

// A list of our numbers of one type; among float64 also Python's.
PyObject* QuickVector(PyObject* list) {
  constexpr Py_ssize_t kLongest = 64;
  if (!PyList_CheckExact(list) && !PyTuple_CheckExact(list)) return nullptr;
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(list);
  if (n == 0 || n > kLongest) return nullptr;
  PyObject** const items = PySequence_Fast_ITEMS(list);
  const Array* first = nullptr;
  for (Py_ssize_t i = 0; i < n && first == nullptr; ++i) {
    if (IsArray(items[i])) first = &ArrayOf(items[i]);
  }
  if (first == nullptr) return nullptr;
  const DType dtype = first->dtype();
  absl::InlinedVector<Operand, 8> numbers(n);
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (IsArray(items[i])) {
      const Array& number = ArrayOf(items[i]);
      if (number.rank() != 0 || number.dtype() != dtype) return nullptr;
      numbers[i] = Operand::Of(number);
      continue;
    }
    double value;
    if (dtype != DType::kFloat64 || !PlainDouble(items[i], &value)) {
      return nullptr;
    }
    numbers[i].kind = KindOf(dtype);
    std::memcpy(numbers[i].scalar, &value, sizeof(value));
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, VectorOf(numbers, dtype, &ArrayOf(result)));
}

PyObject* QuickArray(PyObject* const* args) {
  if (IsArray(args[0])) return CopyOf(args[0]);
  if (PyArray_CheckExact(args[0])) {
    auto* const values = reinterpret_cast<PyArrayObject*>(args[0]);
    DType dtype;
    return FromDescr(PyArray_DESCR(values), &dtype) ? CopyFromNumpy(values)
                                                    : nullptr;
  }
  PyRef made(ArrayOfNumbers(args[0]));
  return made.get() != Py_None ? made.Release() : QuickVector(args[0]);
}

PyObject* QuickAsArray(PyObject* const* args) {
  if (PlainArray(args[0]) != nullptr) return Py_NewRef(args[0]);
  return QuickArray(args);
}

PyObject* QuickCopy(PyObject* const* args) {
  return IsArray(args[0]) ? CopyOf(args[0]) : nullptr;
}

PyObject* QuickContiguous(PyObject* const* args) {
  const Array* array = PlainArray(args[0]);
  return array != nullptr && array->rank() > 0 && array->has(kCContiguous)
             ? Py_NewRef(args[0])
             : nullptr;
}

// eye(n) and identity(n)
PyObject* QuickEye(PyObject* const* args) {
  int64_t n;
  // No view starts behind the end of an array without elements.
  if (!PlainInt(args[0], 1, int64_t{1} << 30, &n)) return nullptr;
  constexpr DType kType = DType::kFloat64;
  const int64_t shape[2] = {n, n};
  const int64_t length[1] = {n};
  const int64_t stride[1] = {(n + 1) * ItemSize(kType)};
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  absl::Status status = Zeros(shape, kType, Order::kC, out);
  Array diagonal;
  if (status.ok()) {
    status = StridedView(*out, 0, length, stride, /*writable=*/true, &diagonal);
  }
  Operand one;
  one.kind = KindOf(DType::kBool);
  one.scalar[0] = 1;
  if (status.ok()) status = Assign(diagonal, one);
  return FinishRecorded(result, status);
}

constexpr QuickForm kForms[] = {
    {"empty", {"shape", "dtype", "order"}, 3, 1, Make<Empty>},
    {"zeros", {"shape", "dtype", "order"}, 3, 1, Make<Zeros>},
    {"ones", {"shape", "dtype", "order"}, 3, 1, Make<Ones>},
    {"full", {"shape", "fill_value", "dtype", "order"}, 4, 2, QuickFull},
    {"empty_like", {"prototype", "dtype"}, 2, 1, MakeLike<Empty>},
    {"zeros_like", {"a", "dtype"}, 2, 1, MakeLike<Zeros>},
    {"ones_like", {"a", "dtype"}, 2, 1, MakeLike<Ones>},
    {"full_like", {"a", "fill_value"}, 2, 2, QuickFullLike},
    {"arange", {"", ""}, 2, 1, QuickArange},
    {"array", {"object"}, 1, 1, QuickArray},
    {"asarray", {"a"}, 1, 1, QuickAsArray},
    {"asanyarray", {"a"}, 1, 1, QuickAsArray},
    {"ascontiguousarray", {"a"}, 1, 1, QuickContiguous},
    {"copy", {"a"}, 1, 1, QuickCopy},
    {"eye", {"N"}, 1, 1, QuickEye},
    {"identity", {"n"}, 1, 1, QuickEye},
};

}  // namespace

absl::Span<const QuickForm> CreationForms() { return kForms; }

}  // namespace fuseau::python

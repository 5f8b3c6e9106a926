// Operators and conversions of ndarray.
#include <cstring>

#include "frontend/float_errors.h"
#include "frontend/record.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

bool IsSubclass(PyObject* object) {
  return PyArray_Check(object) && !PyArray_CheckExact(object);
}

// Whether an operand is of a subclass of NumPy's array, such as a matrix, which
// has operators of its own.
bool HasSubclass(PyObject* x, PyObject* y) {
  return __builtin_expect(!IsArray(x) || !IsArray(y), false) &&
         (IsSubclass(x) || IsSubclass(y));
}

// Python's operator on NumPy's arrays. `name` is that of the module `operator`.
PyObject* WithNumpy(const char* name, PyObject* x, PyObject* y) {
  PyRef module(PyImport_ImportModule("operator"));
  PyRef function(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
  if (!function) return nullptr;
  return CallFallback(name, function.get(), PyRef(PyTuple_Pack(2, x, y)),
                      nullptr);
}

constexpr const char* OperatorName(OpCode op) {
  switch (op) {
    case OpCode::kAdd:
      return "add";
    case OpCode::kSubtract:
      return "sub";
    case OpCode::kMultiply:
      return "mul";
    case OpCode::kDivide:
      return "truediv";
    case OpCode::kFloorDivide:
      return "floordiv";
    case OpCode::kRemainder:
      return "mod";
    case OpCode::kPower:
      return "pow";
    case OpCode::kBitwiseAnd:
      return "and_";
    case OpCode::kBitwiseOr:
      return "or_";
    case OpCode::kBitwiseXor:
      return "xor";
    case OpCode::kLeftShift:
      return "lshift";
    case OpCode::kRightShift:
      return "rshift";
    case OpCode::kMatmul:
      return "matmul";
    default:
      return nullptr;
  }
}

bool IsScalar(PyObject* object) {
  return IsArray(object) && ArrayOf(object).has(kScalarFlag);
}

// NumPy has arithmetic of its own for operators of scalars.
bool IsScalarOrNumber(PyObject* object) {
  return IsArray(object) ? ArrayOf(object).has(kScalarFlag)
                         : PyNumber_Check(object) && !PyArray_Check(object);
}

template <OpCode op>
PyObject* Binary(PyObject* x, PyObject* y) {
  constexpr const char* kName = OperatorName(op);
  static_assert(kName != nullptr, "not an operator");
  if (HasSubclass(x, y)) return WithNumpy(kName, x, y);
  const WatchFor kinds(
      BySecondWord(IsScalarOrNumber(x) && IsScalarOrNumber(y)));
  return CallBinary(op, x, y);
}
template <OpCode op>
PyObject* InPlace(PyObject* x, PyObject* y) {
  return CallInPlace(op, x, y);
}
template <OpCode op>
PyObject* Unary(PyObject* x) {
  const WatchFor kinds(BySecondWord(IsScalar(x)));
  return CallUnary(op, x);
}

bool IsSequenceToRepeat(PyObject* object) {
  return PyList_Check(object) || PyTuple_Check(object) ||
         PyUnicode_Check(object) || PyBytes_Check(object) ||
         PyByteArray_Check(object);
}

// NumPy's scalars repeat Python's sequences, as Python's own integers do.
PyObject* Repeat(PyObject* sequence, PyObject* scalar) {
  const DType dtype = ArrayOf(scalar).dtype();
  if (!IsInteger(dtype)) {
    return PyErr_Format(PyExc_TypeError,
                        "can't multiply sequence by non-int of type '%s'",
                        ToDescr(dtype)->typeobj->tp_name);
  }
  PyRef count(ItemOf(ArrayOf(scalar)));
  if (!count) return nullptr;
  const Py_ssize_t n = PyNumber_AsSsize_t(count.get(), PyExc_OverflowError);
  if (n == -1 && PyErr_Occurred()) return nullptr;
  return PySequence_Repeat(sequence, n);
}

PyObject* Multiply(PyObject* x, PyObject* y) {
  if (__builtin_expect(!IsArray(x) || !IsArray(y), false)) {
    if (IsScalar(x) && IsSequenceToRepeat(y)) return Repeat(y, x);
    if (IsScalar(y) && IsSequenceToRepeat(x)) return Repeat(x, y);
  }
  return Binary<OpCode::kMultiply>(x, y);
}

PyObject* Power(PyObject* x, PyObject* y, PyObject* modulo) {
  if (modulo != Py_None) Py_RETURN_NOTIMPLEMENTED;
  if (IsScalarOrNumber(x) && IsScalarOrNumber(y)) return CallScalarPower(x, y);
  return Binary<OpCode::kPower>(x, y);
}

PyObject* InPlacePower(PyObject* x, PyObject* y, PyObject*) {
  if (IsScalar(x)) return Power(x, y, Py_None);
  return CallInPlace(OpCode::kPower, x, y);
}

PyObject* DivMod(PyObject* x, PyObject* y) {
  PyRef quotient(Binary<OpCode::kFloorDivide>(x, y));
  if (!quotient || quotient.get() == Py_NotImplemented) {
    return quotient.Release();
  }
  PyRef rest(Binary<OpCode::kRemainder>(x, y));
  return rest ? PyTuple_Pack(2, quotient.get(), rest.get()) : nullptr;
}

int Bool(PyObject* self) {
  const Array& array = ArrayOf(self);
  const int64_t size = array.size();
  if (size == 1) {
    PyRef item(ItemOf(array));
    return item ? PyObject_IsTrue(item.get()) : -1;
  }
  PyErr_SetString(
      PyExc_ValueError,
      size == 0
          ? "The truth value of an empty array is ambiguous. Use `array.size > "
            "0` to check that an array is not empty."
          : "The truth value of an array with more than one element is "
            "ambiguous. Use a.any() or a.all()");
  return -1;
}

// The element of an array without dimensions; `convert` is Python's conversion.
PyObject* Convert(PyObject* self, PyObject* (*convert)(PyObject*)) {
  const Array& array = ArrayOf(self);
  if (array.rank() != 0) {
    PyErr_SetString(PyExc_TypeError,
                    "only 0-dimensional arrays can be converted to Python "
                    "scalars");
    return nullptr;
  }
  if (IsComplex(array.dtype()) && array.has(kScalarFlag)) {
    // NumPy's complex scalars convert, with a warning.
    PyRef values(SnapshotToNumpy(array));
    if (!values) return nullptr;
    PyRef scalar(
        PyArray_ToScalar(PyArray_DATA(values.array()), values.array()));
    return scalar ? convert(scalar.get()) : nullptr;
  }
  PyRef item(ItemOf(array));
  return item ? convert(item.get()) : nullptr;
}

PyObject* Float(PyObject* self) { return Convert(self, PyNumber_Float); }
PyObject* Int(PyObject* self) { return Convert(self, PyNumber_Long); }

PyObject* Index(PyObject* self) {
  const Array& array = ArrayOf(self);
  if (array.rank() != 0 || !IsInteger(array.dtype())) {
    PyErr_SetString(PyExc_TypeError,
                    "only integer scalar arrays can be converted to a scalar "
                    "index");
    return nullptr;
  }
  return ItemOf(array);
}

PyObject* Concatenate(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError,
                  "Concatenation operation is not implemented for NumPy "
                  "arrays, use np.concatenate() instead. Please do not rely on "
                  "this error; it may not be given on all Python "
                  "implementations.");
  return nullptr;
}

PyObject* Compare(PyObject* x, PyObject* y, int comparison) {
  return CallCompare(x, y, comparison);
}

}  // namespace

#define FUSEAU_SLOT(slot, function) {slot, reinterpret_cast<void*>(function)}

PyType_Slot number_slots[] = {
    FUSEAU_SLOT(Py_nb_add, Binary<OpCode::kAdd>),
    FUSEAU_SLOT(Py_nb_subtract, Binary<OpCode::kSubtract>),
    FUSEAU_SLOT(Py_nb_multiply, Multiply),
    FUSEAU_SLOT(Py_nb_true_divide, Binary<OpCode::kDivide>),
    FUSEAU_SLOT(Py_nb_floor_divide, Binary<OpCode::kFloorDivide>),
    FUSEAU_SLOT(Py_nb_remainder, Binary<OpCode::kRemainder>),
    FUSEAU_SLOT(Py_nb_divmod, DivMod),
    FUSEAU_SLOT(Py_nb_power, Power),
    FUSEAU_SLOT(Py_nb_and, Binary<OpCode::kBitwiseAnd>),
    FUSEAU_SLOT(Py_nb_or, Binary<OpCode::kBitwiseOr>),
    FUSEAU_SLOT(Py_nb_xor, Binary<OpCode::kBitwiseXor>),
    FUSEAU_SLOT(Py_nb_lshift, Binary<OpCode::kLeftShift>),
    FUSEAU_SLOT(Py_nb_rshift, Binary<OpCode::kRightShift>),
    FUSEAU_SLOT(Py_nb_inplace_add, InPlace<OpCode::kAdd>),
    FUSEAU_SLOT(Py_nb_inplace_subtract, InPlace<OpCode::kSubtract>),
    FUSEAU_SLOT(Py_nb_inplace_multiply, InPlace<OpCode::kMultiply>),
    FUSEAU_SLOT(Py_nb_inplace_true_divide, InPlace<OpCode::kDivide>),
    FUSEAU_SLOT(Py_nb_inplace_floor_divide, InPlace<OpCode::kFloorDivide>),
    FUSEAU_SLOT(Py_nb_inplace_remainder, InPlace<OpCode::kRemainder>),
    FUSEAU_SLOT(Py_nb_inplace_power, InPlacePower),
    FUSEAU_SLOT(Py_nb_inplace_and, InPlace<OpCode::kBitwiseAnd>),
    FUSEAU_SLOT(Py_nb_inplace_or, InPlace<OpCode::kBitwiseOr>),
    FUSEAU_SLOT(Py_nb_inplace_xor, InPlace<OpCode::kBitwiseXor>),
    FUSEAU_SLOT(Py_nb_inplace_lshift, InPlace<OpCode::kLeftShift>),
    FUSEAU_SLOT(Py_nb_inplace_rshift, InPlace<OpCode::kRightShift>),
    FUSEAU_SLOT(Py_nb_matrix_multiply, Binary<OpCode::kMatmul>),
    FUSEAU_SLOT(Py_nb_inplace_matrix_multiply, InPlace<OpCode::kMatmul>),
    FUSEAU_SLOT(Py_nb_negative, Unary<OpCode::kNegative>),
    FUSEAU_SLOT(Py_nb_positive, Unary<OpCode::kPositive>),
    FUSEAU_SLOT(Py_nb_absolute, Unary<OpCode::kAbsolute>),
    FUSEAU_SLOT(Py_nb_invert, Unary<OpCode::kInvert>),
    FUSEAU_SLOT(Py_nb_bool, Bool),
    FUSEAU_SLOT(Py_nb_float, Float),
    FUSEAU_SLOT(Py_nb_int, Int),
    FUSEAU_SLOT(Py_nb_index, Index),
    FUSEAU_SLOT(Py_sq_concat, Concatenate),
    FUSEAU_SLOT(Py_tp_richcompare, Compare),
    {0, nullptr},
};

#undef FUSEAU_SLOT

}  // namespace fuseau::python

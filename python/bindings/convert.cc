#include "python/bindings/convert.h"

#include <complex>
#include <cstring>

#include "frontend/convert.h"
#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "python/bindings/arguments.h"
#include "python/bindings/exchange.h"
#include "python/bindings/frames.h"

namespace fuseau::python {
namespace {

// A Python int as int64 or uint64; kUnsupported if it fits neither.
Conversion FromInt(PyObject* object, Operand* operand) {
  operand->kind = kPyInt;
  int overflow = 0;
  const int64_t value = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow == 0) {
    if (value == -1 && PyErr_Occurred()) return Conversion::kError;
    std::memcpy(operand->scalar, &value, sizeof(value));
    return Conversion::kOperand;
  }
  if (overflow > 0) {
    const uint64_t bits = PyLong_AsUnsignedLongLong(object);
    if (bits != UINT64_MAX || !PyErr_Occurred()) {
      operand->is_uint64 = true;
      std::memcpy(operand->scalar, &bits, sizeof(bits));
      return Conversion::kOperand;
    }
    PyErr_Clear();
  }
  return Conversion::kUnsupported;
}

Conversion FromArray(PyArrayObject* array, Operand* operand, Array* copied) {
  DType dtype;
  if (!FromDescr(PyArray_DESCR(array), &dtype)) return Conversion::kUnsupported;
  if (!CopyOperand(array, dtype, copied)) return Conversion::kError;
  *operand = Operand::Of(*copied);
  return Conversion::kOperand;
}

// A NumPy scalar keeps its type.
Conversion FromScalar(PyObject* object, Operand* operand) {
  PyRef descr(reinterpret_cast<PyObject*>(PyArray_DescrFromScalar(object)));
  DType dtype;
  if (!descr) return Conversion::kError;
  if (!FromDescr(reinterpret_cast<PyArray_Descr*>(descr.get()), &dtype)) {
    return Conversion::kUnsupported;
  }
  operand->kind = KindOf(dtype);
  PyArray_ScalarAsCtype(object, operand->scalar);
  return Conversion::kOperand;
}

}  // namespace

Conversion ToOperandSlow(PyObject* object, Operand* out, Array* copied) {
  Operand& operand = *out;
  if (PyBool_Check(object)) {
    operand.kind = KindOf(DType::kBool);
    operand.scalar[0] = object == Py_True ? 1 : 0;
    return Conversion::kOperand;
  }
  if (PyLong_CheckExact(object)) return FromInt(object, &operand);
  if (PyComplex_CheckExact(object)) {
    const Py_complex value = PyComplex_AsCComplex(object);
    operand.kind = kPyComplex;
    std::memcpy(operand.scalar, &value, sizeof(value));
    return Conversion::kOperand;
  }
  if (PyArray_CheckScalar(object) && !PyArray_Check(object)) {
    return FromScalar(object, &operand);
  }
  if (PyArray_CheckExact(object)) {
    return FromArray(reinterpret_cast<PyArrayObject*>(object), out, copied);
  }
  if (PyArray_Check(object)) return Conversion::kUnsupported;
  // Subclasses of Python's numbers count as such.
  if (PyFloat_Check(object)) {
    const double value = PyFloat_AS_DOUBLE(object);
    operand.kind = kPyFloat;
    std::memcpy(operand.scalar, &value, sizeof(value));
    return Conversion::kOperand;
  }
  if (PyLong_Check(object)) return FromInt(object, &operand);
  // Lists have neither of these, and to find that out takes an exception.
  if (!PyList_CheckExact(object) && !PyTuple_CheckExact(object)) {
    // What has an answer of its own to ufuncs gives it: NumPy asks for it.
    PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(object));
    if (PyObject_HasAttr(type, G().array_ufunc))
      return Conversion::kUnsupported;
    // An object that makes its array by this package, where NumPy would see no
    // array.
    if (PyObject_HasAttrString(object, "__array__")) {
      PyRef own(PyObject_CallMethod(object, "__array__", nullptr));
      if (!own) return Conversion::kError;
      if (IsArray(own.get())) {
        *copied = ArrayOf(own.get());
        *out = Operand::Of(*copied);
        return Conversion::kOperand;
      }
    }
  }
  PyRef made(PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr));
  if (!made) return Conversion::kError;
  if (!PyArray_CheckExact(made.get())) return Conversion::kUnsupported;
  return FromArray(made.array(), out, copied);
}

bool ToElement(PyObject* object, DType dtype, char out[16]) {
  std::memset(out, 0, 16);
  // The conversions that cannot fail; NumPy has the words for all others.
  Operand operand;
  const bool inexact = IsFloat(dtype) || IsComplex(dtype);
  if (PyFloat_CheckExact(object) && inexact) {
    const double value = PyFloat_AS_DOUBLE(object);
    operand.kind = kPyFloat;
    std::memcpy(operand.scalar, &value, sizeof(value));
  } else if (PyBool_Check(object)) {
    operand.kind = KindOf(DType::kBool);
    operand.scalar[0] = object == Py_True ? 1 : 0;
  } else if (PyLong_CheckExact(object)) {
    const Conversion c = FromInt(object, &operand);
    if (c == Conversion::kError) return false;
    if (c == Conversion::kUnsupported) operand.kind = kPyFloat;
    if (c == Conversion::kOperand) {
      const absl::Status status = ConvertScalar(operand, dtype, out);
      if (status.ok()) return true;
      Raise(status);
      return false;
    }
    return PyArray_Pack(ToDescr(dtype), out, object) == 0;
  } else {
    return PyArray_Pack(ToDescr(dtype), out, object) == 0;
  }
  return ConvertScalar(operand, dtype, out).ok();
}

Conversion ToValue(PyObject* object, DType dtype, Operand* out, Array* copied,
                   bool checked) {
  if (IsArray(object)) {
    const Array& array = ArrayOf(object);
    if (checked && array.has(kScalarFlag) &&
        ClassOf(dtype) == DTypeClass::kSigned &&
        (IsInteger(array.dtype()) || IsFloat(array.dtype())) &&
        !CanCast(array.dtype(), dtype, Casting::kSafe)) {
      // NumPy checks the value of a scalar, so it must be known now. (It does
      // not for unsigned types.)
      PyRef item(ItemOf(array));
      if (!item) return Conversion::kError;
      out->kind = KindOf(dtype);
      return ToElement(item.get(), dtype, out->scalar) ? Conversion::kOperand
                                                       : Conversion::kError;
    }
    *out = Operand::Of(array);
    return WarnComplexCast(array.dtype(), dtype) ? Conversion::kOperand
                                                 : Conversion::kError;
  }
  if (PyFloat_CheckExact(object) || PyLong_CheckExact(object) ||
      PyBool_Check(object) || PyComplex_CheckExact(object)) {
    out->kind = KindOf(dtype);
    return ToElement(object, dtype, out->scalar) ? Conversion::kOperand
                                                 : Conversion::kError;
  }
  if (!PyArray_Check(object) && PyArray_CheckScalar(object)) {
    if (!checked) {
      PyRef array(PyArray_FromScalar(object, nullptr));
      return array ? ToValue(array.get(), dtype, out, copied, checked)
                   : Conversion::kError;
    }
    // As an element: NumPy checks the value.
    DType from;
    PyRef descr(reinterpret_cast<PyObject*>(PyArray_DescrFromScalar(object)));
    if (!descr) return Conversion::kError;
    if (FromDescr(reinterpret_cast<PyArray_Descr*>(descr.get()), &from) &&
        !WarnComplexCast(from, dtype)) {
      return Conversion::kError;
    }
    out->kind = KindOf(dtype);
    return PyArray_Pack(ToDescr(dtype), out->scalar, object) == 0
               ? Conversion::kOperand
               : Conversion::kError;
  }
  if (PyArray_Check(object)) {
    const Conversion c =
        FromArray(reinterpret_cast<PyArrayObject*>(object), out, copied);
    if (c == Conversion::kOperand &&
        !WarnComplexCast(static_cast<DType>(out->kind), dtype)) {
      return Conversion::kError;
    }
    return c;
  }
  // Lists and other objects: NumPy reads them as elements of the type.
  PyArray_Descr* descr = ToDescr(dtype);
  Py_INCREF(descr);
  PyRef made(
      PyArray_FromAny(object, descr, 0, 0, NPY_ARRAY_FORCECAST, nullptr));
  if (!made) return Conversion::kError;
  return FromArray(made.array(), out, copied);
}

PyObject* NumberFrom(DType dtype, const char* element) {
  return VisitDType(dtype, [&](auto tag) -> PyObject* {
    using T = typename decltype(tag)::type;
    T value;
    std::memcpy(&value, element, sizeof(T));
    if constexpr (std::is_same_v<T, bool>) {
      return PyBool_FromLong(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return PyFloat_FromDouble(value);
    } else if constexpr (std::is_same_v<T, uint64_t>) {
      return PyLong_FromUnsignedLongLong(value);
    } else if constexpr (std::is_integral_v<T>) {
      return PyLong_FromLongLong(value);
    } else {
      return PyComplex_FromDoubles(value.real(), value.imag());
    }
  });
}

PyObject* ItemOf(const Array& array) {
  CountHere(profile::Tally::kElementRead);
  char element[16];
  if (absl::Status s = ReadElement(array, element); !s.ok()) return Raise(s);
  return NumberFrom(array.dtype(), element);
}

PyObject* ScalarOf(const Array& array) {
  char element[16];
  if (absl::Status s = ReadElement(array, element); !s.ok()) return Raise(s);
  return PyArray_Scalar(element, ToDescr(array.dtype()), nullptr);
}

}  // namespace fuseau::python

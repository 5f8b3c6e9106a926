// Operands of operations from Python objects, and Python numbers from arrays.
#pragma once

#include "frontend/promotion.h"
#include "python/bindings/array_object.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// What became of an object that should be an operand.
enum class Conversion : uint8_t {
  kOperand,
  kError,        // a Python error is set
  kUnsupported,  // its values are of a type that we do not have
};

// Makes an operand of an object, which must stay alive. The values of a foreign
// array go to `copied`, as they are now.
Conversion ToOperandSlow(PyObject* object, Operand* operand, Array* copied);

// Arrays of ours and Python floats take no call.
inline Conversion ToOperand(PyObject* object, Operand* operand, Array* copied) {
  if (IsArray(object)) {
    const Array& array = ArrayOf(object);
    operand->array = &array;
    operand->kind = KindOf(array.dtype());
    return Conversion::kOperand;
  }
  if (PyFloat_CheckExact(object)) {
    const double value = PyFloat_AS_DOUBLE(object);
    operand->kind = kPyFloat;
    __builtin_memcpy(operand->scalar, &value, sizeof(value));
    return Conversion::kOperand;
  }
  return ToOperandSlow(object, operand, copied);
}

// The same for a value that is stored in an array of type `dtype`: numbers and
// lists are converted as NumPy's assignment converts them.
Conversion ToValue(PyObject* object, DType dtype, Operand* operand,
                   Array* copied, bool checked = true);
// A single number converted so. False with a Python error set.
bool ToElement(PyObject* object, DType dtype, char out[16]);

// The element of an array of size 1 as a Python number; computes it. Null with
// an error set.
PyObject* ItemOf(const Array& array);
// The same as NumPy's scalar.
PyObject* ScalarOf(const Array& array);
PyObject* NumberFrom(DType dtype, const char* element);

}  // namespace fuseau::python

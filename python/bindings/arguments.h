// Conversion of arguments. The functions return false with a Python error set.
#pragma once

#include "frontend/layout.h"
#include "frontend/promotion.h"
#include "python/bindings/python.h"
#include "runtime/base/dims.h"

namespace fuseau::python {

// A NumPy type number as one of our types; false, without an error, for others.
bool FromTypeNumber(int number, DType* dtype);
int ToTypeNumber(DType dtype);
// False, without an error, for a type or byte order that we do not have.
bool FromDescr(PyArray_Descr* descr, DType* dtype);
// NumPy's object of the type; borrowed, lives for ever.
PyArray_Descr* ToDescr(DType dtype);

// Anything that numpy.dtype takes. A type that we do not have is a TypeError.
bool ToDType(PyObject* object, DType* dtype);
bool ToOrder(PyObject* object, Order* order);
bool ToCasting(PyObject* object, Casting* casting);
const char* CastingName(Casting casting);
// An integer, also one in an array without dimensions; no truth value.
bool ToIndex(PyObject* object, int64_t* index);
// An integer or a sequence of integers.
bool ToDims(PyObject* object, Dims* dims);
// The same; negative numbers are NumPy's ValueError.
bool ToShape(PyObject* object, Dims* shape);
// None (all), an integer or a tuple of them; as a set of bits.
bool ToAxes(PyObject* object, int rank, uint64_t* axes);
// A single axis with NumPy's AxisError.
bool ToAxis(PyObject* object, int rank, int* axis);

PyObject* TupleOf(absl::Span<const int64_t> numbers);

// The TypeError of a cast that a rule forbids. `what` is "array data" or
// "scalar".
PyObject* RaiseCast(const char* what, DType from, DType to, Casting casting);
// numpy.exceptions.ComplexWarning if a cast drops imaginary parts. False if the
// warning is an error.
bool WarnComplexCast(DType from, DType to);

}  // namespace fuseau::python

// Functions of the module `_fuseau`.
#pragma once

#include "frontend/layout.h"
#include "frontend/promotion.h"
#include "python/bindings/python.h"

namespace fuseau::python {

extern PyMethodDef module_functions[];

// A reduction of the table over `axis`: None, an integer or a tuple. `mean`
// divides the sum by the number of elements. `dtype` is the result's type, or
// None for NumPy's; `into` the array that the result will be put into, or null.
PyObject* ReduceArray(OpCode op, bool mean, const Array& array, PyObject* axis,
                      bool keep_dims, PyObject* dtype,
                      const Array* into = nullptr);

// The product of two of our arrays that fit each other, of one dimension or
// two: with the bits and the reports of NumPy's dot, which are not all
// matmul's.
PyObject* Dot(PyObject* a, PyObject* b);

// Whether it is an array of ours; else false with a TypeError set.
bool CheckArray(PyObject* object);

// where(condition, x, y)
PyObject* WhereFunction(PyObject* module, PyObject* const* args,
                        Py_ssize_t count);

// search_sorted(line, keys, right) and transform(name, a, axis, count, factor)
PyObject* SearchSortedFunction(PyObject* module, PyObject* args);
PyObject* TransformFunction(PyObject* module, PyObject* args);

// An array from a nested list of numbers; None if it is anything else, or
// wrong.
PyObject* ArrayOfNumbers(PyObject* object);

// `self` cast to a type: itself if nothing has to be done and `copy` is false.
PyObject* AsTypeObject(PyObject* self, DType dtype, Order order,
                       Casting casting, bool copy, bool keep_scalar);

}  // namespace fuseau::python

// Arrays to and from NumPy and other libraries.
//
// While foreign code can see the bytes of a base, the base is exposed
// (frontend/evaluate.h): nothing about it is lazy then.
#pragma once

#include "frontend/array.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// A NumPy array over the array's own memory; the base is exposed for as long as
// it, or a view of it, lives. Null with an error set.
PyObject* ToNumpy(const Array& array);
// A read-only NumPy array of the present values. The base is not exposed:
// later writes go to another buffer.
PyObject* SnapshotToNumpy(const Array& array);
// The same for a routine of NumPy that only reads it: not marked read-only,
// since many of them copy what is.
PyObject* LendToNumpy(const Array& array);

// Copies the values of a NumPy array of a supported type, keeping the order of
// its axes in memory. False with an error set.
bool CopyValues(PyArrayObject* source, DType dtype, Array* out);
// The same for an array that is only read: what NumPy's array repeats by a
// stride of 0 is repeated by one here. The order of sums and the layout of
// results depend on it.
bool CopyOperand(PyArrayObject* source, DType dtype, Array* out);
// A new object with the values, by either of both; TypeError for unsupported
// types.
PyObject* CopyFromNumpy(PyArrayObject* source, bool operand = false);

// An object with the values of an array that NumPy made for us, in the memory
// that NumPy gave it where nobody else has it. The array itself if we have no
// arrays of its type.
PyObject* TakeFromNumpy(PyRef source);

// _unpickle(values, flags): an array from NumPy's, as `__reduce__` asks for it.
PyObject* Unpickle(PyObject*, PyObject* args);

// Methods of ndarray.
PyObject* ArrayMethod(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* DlpackMethod(PyObject* self, PyObject* args, PyObject* kwargs);
PyObject* DlpackDevice(PyObject* self, PyObject*);
PyObject* ArrayInterface(PyObject* self, void*);

}  // namespace fuseau::python

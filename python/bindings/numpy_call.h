// NumPy's own routines on computed arrays.
//
// What depends on values and not on formulas (writes at indices, searches,
// selections) NumPy's routines do as well as any loop of ours could. Such a
// call computes its arrays together, gives NumPy views of them, and makes
// arrays of ours of its results, which keep the memory that NumPy made.
#pragma once

#include <cstdint>

#include "python/bindings/python.h"

namespace fuseau::python {

// Calls a function of NumPy. Bit i of `written` says that argument i is written
// to; so is `out`, and any argument by name where `written` is not 0. False,
// without an error and before anything is done, if an argument takes a closer
// look; else `*result` is the result, or null with an error set.
bool CallOnComputed(PyObject* function, PyObject* const* args, Py_ssize_t count,
                    PyObject* names, uint64_t written, PyObject** result);

// self[key] and self[key] = value by NumPy, for whatever key.
PyObject* GetItemByNumpy(PyObject* self, PyObject* key);
int SetItemByNumpy(PyObject* self, PyObject* key, PyObject* value);

// Makes the type `computed` of the module: computed(name, function, written),
// a function of NumPy (or a method of its arrays) that is called so.
bool AddComputedType(PyObject* module);

}  // namespace fuseau::python

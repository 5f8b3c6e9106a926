// Functions that, like Python's built-in ones, are no methods of a class that
// has them as attributes.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// NumPy's `array` is built in, so `class C: make = np.array` works with it. A
// Python function would be bound there. Null with an error set.
PyTypeObject* MakeBuiltinFunctionType(PyObject* module);

}  // namespace fuseau::python

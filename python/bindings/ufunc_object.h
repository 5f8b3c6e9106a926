// The Python type `ufunc`.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

PyTypeObject* MakeUfuncType(PyObject* module);
// A dict of all ufuncs by NumPy name.
PyObject* MakeUfuncs();

}  // namespace fuseau::python

// Compiling ahead of time: not hot, so bound by pybind11.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds the class `AheadBuilder` and the functions that trace. False with an
// exception set on an error.
bool AddAhead(PyObject* module);

}  // namespace fuseau::python

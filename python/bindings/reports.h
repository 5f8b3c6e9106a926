// Questions about the work behind arrays: not hot, so bound by pybind11.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds the functions to the module. False with an exception set on an error.
bool AddReports(PyObject* module);

}  // namespace fuseau::python

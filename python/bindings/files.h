// Arrays in parts, to and from files.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds the functions to the module. False with an exception set on an error.
bool AddFiles(PyObject* module);

}  // namespace fuseau::python

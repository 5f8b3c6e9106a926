// Profiles, for the package.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

bool AddProfile(PyObject* module);

}  // namespace fuseau::python

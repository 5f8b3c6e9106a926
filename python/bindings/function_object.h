// The Python type `function`: NumPy's functions as this package has them.
//
// A call of the ordinary form is answered by C++ where there is a QuickForm,
// any other by a function written in Python, and what that one has no form for
// (it raises NotNative) by NumPy. As an attribute of a class it is a method.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds `function` and `NotNative` to the module. False with an error set.
bool AddFunctionType(PyObject* module);

// True, with NotNative set, inside a definition.
bool LeaveDefinition();

}  // namespace fuseau::python

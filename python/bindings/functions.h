// Functions of the module `_fuseau`.
#pragma once

#include "frontend/layout.h"
#include "frontend/promotion.h"
#include "python/bindings/python.h"

namespace fuseau::python {

extern PyMethodDef module_functions[];

// `self` cast to a type: itself if nothing has to be done and `copy` is false.
PyObject* AsTypeObject(PyObject* self, DType dtype, Order order,
                       Casting casting, bool copy, bool keep_scalar);

}  // namespace fuseau::python

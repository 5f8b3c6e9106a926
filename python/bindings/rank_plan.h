// Plans of jobs of many ranks.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

bool AddRankPlan(PyObject* module);

}  // namespace fuseau::python

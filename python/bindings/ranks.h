// The job of many ranks that this process belongs to.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds the functions to the module. False with an exception set on an error.
bool AddRanks(PyObject* module);

// Sets fuseau.RankFailure for a status that tells of a lost rank; false without
// an exception for any other.
bool RaiseRankFailure(const absl::Status& status);

}  // namespace fuseau::python

// Statuses as exceptions, for files that bind with pybind11.
#pragma once

#include <pybind11/pybind11.h>

#include "absl/status/status.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// Throws the exception that the status stands for, unless it is OK.
inline void Check(const absl::Status& status) {
  if (status.ok()) return;
  Raise(status);
  throw pybind11::error_already_set();
}

}  // namespace fuseau::python

// On what the operations of a thread are computed, for Python.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Adds `set_device`, `set_process_device` and `describe_devices` to the
// extension module.
bool AddDevices(PyObject* module);

}  // namespace fuseau::python

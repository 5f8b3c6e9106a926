#include "python/bindings/reports.h"

#include <pybind11/pybind11.h>

#include "frontend/reports.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;

py::list Kernels() {
  py::list kernels;
  for (const KernelReport& report : KernelReports()) {
    py::dict kernel;
    kernel["name"] = report.name;
    kernel["launches"] = report.launches;
    kernel["bytes"] = report.bytes;
    kernels.append(kernel);
  }
  return kernels;
}

}  // namespace

bool AddReports(PyObject* module) {
  try {
    auto m = py::reinterpret_borrow<py::module_>(module);
    m.def(
        "kernels", &Kernels,
        "The compiled kernels in memory, the one with the most memory traffic "
        "first: a list of dicts with `name`, `launches` and `bytes` (moved by "
        "all launches, at least).");
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return false;
  }
  return true;
}

}  // namespace fuseau::python

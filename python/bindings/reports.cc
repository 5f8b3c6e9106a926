#include "python/bindings/reports.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "absl/strings/str_cat.h"
#include "frontend/reports.h"
#include "python/bindings/array_object.h"
#include "python/bindings/python.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

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

py::list AuditFolder(const std::string& folder) {
  py::list entries;
  for (const AuditedKernel& e : AuditKernels(folder)) {
    entries.append(py::dict("file"_a = e.file, "bytes"_a = e.bytes,
                            "used"_a = e.used, "key"_a = e.key,
                            "damage"_a = e.damage));
  }
  return entries;
}

py::dict Machine() {
  const MachineReport report = ReportMachine();
  return py::dict("threads"_a = report.threads, "cpu"_a = report.cpu,
                  "vector_bits"_a = report.vector_bits,
                  "masks"_a = report.masks, "llvm"_a = report.llvm,
                  "cache_folder"_a = report.cache_folder);
}

NodeRef NodeOf(const py::object& array, absl::string_view function) {
  if (!IsArray(array.ptr())) {
    throw py::type_error(absl::StrCat(function, "() takes a fuseau array, not ",
                                      Py_TYPE(array.ptr())->tp_name));
  }
  return NodeRef(ArrayOf(array.ptr()).node());
}

template <typename T>
T ValueOrRaise(absl::StatusOr<T> made) {
  if (made.ok()) return *std::move(made);
  Raise(made.status());
  throw py::error_already_set();
}

std::string ShowArrayKernels(const py::object& array, bool with_prelude) {
  const NodeRef alive = NodeOf(array, "show_kernel");
  return ValueOrRaise(ShowKernels(alive.get(), with_prelude));
}

py::dict ExplainArray(const py::object& array) {
  const NodeRef alive = NodeOf(array, "explain");
  const Explanation made = ValueOrRaise(Explain(alive.get()));
  py::list values, steps;
  for (const ValueReport& v : made.plan.values) {
    values.append(py::dict("operation"_a = v.operation, "type"_a = v.type,
                           "inputs"_a = v.inputs, "stored"_a = v.stored,
                           "copied"_a = v.copied));
  }
  for (const StepReport& s : made.plan.steps) {
    steps.append(py::dict("what"_a = s.what, "kernel"_a = s.kernel,
                          "values"_a = s.values, "sizes"_a = s.sizes,
                          "schedule"_a = s.schedule, "bytes"_a = s.bytes,
                          "flops"_a = s.flops));
  }
  const Program::State& program = made.program;
  return py::dict(
      "pending"_a = made.pending, "runs"_a = program.runs,
      "compiled"_a = program.compiled, "compiling"_a = program.compiling,
      "failed"_a = program.failed, "seconds"_a = program.seconds,
      "values"_a = values, "steps"_a = steps, "bytes"_a = made.plan.bytes,
      "least_bytes"_a = made.plan.least_bytes,
      "temporary_bytes"_a = made.plan.temporary_bytes);
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
    m.def("machine", &Machine,
          "What this process computes with, as a dict; `cache_folder` is empty "
          "if no kernels are kept on disk.");
    m.def("audit_kernels", &AuditFolder,
          "The entries of a folder of the disk cache, as a list of dicts with "
          "`file`, `bytes`, `used`, `key` and `damage` (empty: none). Every "
          "byte is read.");
    m.def("explain", &ExplainArray);
    m.def("show_kernel", &ShowArrayKernels);
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

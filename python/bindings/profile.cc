#include "python/bindings/profile.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "frontend/host.h"
#include "frontend/profile.h"
#include "python/bindings/throw_status.h"
#include "runtime/bandwidth.h"
#include "runtime/base/profile.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

py::tuple Stop() {
  const absl::StatusOr<Profiles> profiles = StopProfile();
  Check(profiles.status());
  return py::make_tuple(profiles->ranks, profiles->graphs);
}

double Bandwidth() {
  absl::StatusOr<double> measured = 0.0;
  {
    const Released released;
    measured = runtime::MeasureBandwidth();
  }
  Check(measured.status());
  return *measured;
}

void NoteNumpy(const std::string& name, int64_t begin) {
  if (!profile::On()) return;
  profile::Event event;
  event.kind = profile::Kind::kNumpy;
  event.name = profile::Intern(name);
  event.begin = begin;
  event.end = profile::Now();
  event.line = evaluation_host.line();
  profile::Note(event);
}

}  // namespace

bool AddProfile(PyObject* object) {
  try {
    auto module = py::reinterpret_borrow<py::module_>(object);
    module.def("start_profile", [] { Check(StartProfile()); });
    module.def(
        "stop_profile", &Stop,
        "Ends the profile: a list of texts of JSON, one for each rank, and "
        "one for the graphs that were evaluated here.");
    module.def("profiling", [] { return profile::On(); });
    module.def("note_numpy", &NoteNumpy, "name"_a, "begin"_a,
               "NumPy has computed something since `begin`, a time of "
               "time.monotonic_ns().");
    module.def("measure_bandwidth", &Bandwidth,
               "Bytes a second that all threads together read and write.");
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

}  // namespace fuseau::python

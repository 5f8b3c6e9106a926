#include "frontend/rank_plan.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <vector>

#include "python/bindings/rank_plan.h"
#include "python/bindings/throw_status.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

py::list Messages(const std::vector<PlannedMessage>& messages) {
  py::list list;
  for (const PlannedMessage& m : messages) {
    list.append(py::make_tuple(m.peer, m.bytes));
  }
  return list;
}

py::dict Work(const PlannedWork& work) {
  py::list steps, exchanges, copies;
  for (const codegen::StepReport& s : work.steps) {
    steps.append(py::dict("what"_a = s.what, "kernel"_a = s.kernel,
                          "sizes"_a = s.sizes, "schedule"_a = s.schedule,
                          "together"_a = s.together, "bytes"_a = s.bytes,
                          "flops"_a = s.flops));
  }
  for (const PlannedExchange& e : work.exchanges) {
    exchanges.append(
        py::dict("number"_a = e.number, "sends"_a = Messages(e.sends),
                 "receives"_a = Messages(e.receives), "copied"_a = e.copied));
  }
  for (const PlannedWork::Copied& c : work.copies) {
    copies.append(py::make_tuple(c.operation, c.why));
  }
  return py::dict("rank"_a = work.rank, "steps"_a = steps,
                  "exchanges"_a = exchanges, "copies"_a = copies,
                  "least_bytes"_a = work.least_bytes);
}

py::dict Take() {
  absl::StatusOr<PlannedJob> job = TakePlan();
  Check(job.status());
  py::list programs;
  for (const PlannedProgram& program : job->programs) {
    py::list work;
    for (const PlannedWork& w : program.work) work.append(Work(w));
    programs.append(py::dict("runs"_a = program.runs,
                             "gathered"_a = program.gathered, "work"_a = work));
  }
  return py::dict("programs"_a = programs, "commands"_a = job->commands,
                  "command_bytes"_a = job->command_bytes);
}

}  // namespace

bool AddRankPlan(PyObject* object) {
  try {
    auto module = py::reinterpret_borrow<py::module_>(object);
    module.def("begin_plan", [](int ranks, const std::vector<int>& of) {
      Check(BeginPlan(ranks, of));
    });
    module.def("take_plan", &Take);
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

}  // namespace fuseau::python

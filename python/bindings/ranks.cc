#include "python/bindings/ranks.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "frontend/host.h"
#include "frontend/job.h"
#include "frontend/ranks.h"
#include "python/bindings/throw_status.h"
#include "runtime/thread_pool.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

py::object AboutRanks() {
  const Ranks* ranks = Ranks::active();
  if (ranks == nullptr) return py::none();
  const bool spmd = ranks->mode() == Ranks::Mode::kSpmd;
  return py::dict("rank"_a = ranks->rank(), "size"_a = ranks->size(),
                  "mode"_a = spmd ? "spmd" : "controller");
}

}  // namespace

bool RaiseRankFailure(const absl::Status& status) {
  const std::optional<LostRank> lost = LostRankOf(status);
  if (!lost.has_value()) return false;
  const std::string message(status.message().data(), status.message().size());
  PyRef module(PyImport_ImportModule("fuseau._ranks"));
  if (!module) return true;
  PyRef type(PyObject_GetAttrString(module.get(), "RankFailure"));
  if (!type) return true;
  PyRef error(PyObject_CallFunction(type.get(), "siss", message.c_str(),
                                    lost->rank, lost->host.c_str(),
                                    lost->phase.c_str()));
  if (error) PyErr_SetObject(type.get(), error.get());
  return true;
}

bool AddRanks(PyObject* object) {
  try {
    py::module_ module = py::reinterpret_borrow<py::module_>(object);
    module.def("join_ranks", [](const Variables& given) {
      absl::StatusOr<bool> joined = JoinJob(given);
      Check(joined.status());
      return *joined;
    });
    module.def("serve_ranks", [] { Check(ServeJob()); });
    module.def(
        "leave_ranks", [](bool fetch) { Check(LeaveJob(fetch)); },
        "fetch"_a = false);
    module.def("ranks", &AboutRanks);
    module.def("set_thread_count", [](int threads) {
      const Released released;
      runtime::ThreadPool::Global().SetThreadCount(threads);
    });
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

}  // namespace fuseau::python

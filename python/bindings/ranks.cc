#include "python/bindings/ranks.h"

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "distrib/environment.h"
#include "distrib/join.h"
#include "frontend/evaluate.h"
#include "frontend/host.h"
#include "frontend/rank_worker.h"
#include "frontend/ranks.h"
#include "frontend/thread_ranks.h"
#include "runtime/base/settings.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  Raise(status);
  throw py::error_already_set();
}

// The group that the environment tells of, or null if it tells of none.
std::unique_ptr<distrib::Group> JoinGroup(distrib::JoinOptions* options) {
  auto read = distrib::ReadEnvironment();
  Check(read.status());
  if (!read->has_value()) return nullptr;
  *options = **read;
  absl::StatusOr<std::unique_ptr<distrib::Group>> group;
  {
    const Released released;
    group = distrib::Join(*options);
  }
  Check(group.status());
  return *std::move(group);
}

bool JoinRanks() {
  if (Ranks::active() != nullptr) {
    throw py::value_error("this process belongs to a job already");
  }
  if (const int64_t threads = SettingInt("FUSEAU_THREAD_RANKS", 0)) {
    Check(EvaluateAll());
    JoinThreadRanks(static_cast<int>(threads));
    return Ranks::active() != nullptr;
  }
  distrib::JoinOptions options;
  auto group = JoinGroup(&options);
  if (group == nullptr) return false;
  if (group->rank() != 0 && !options.spmd) {
    throw py::value_error(
        "rank " + std::to_string(group->rank()) +
        " runs no program of its own; it has to run fuseau._worker");
  }
  Check(EvaluateAll());
  Ranks::Join(std::move(group), options.spmd ? Ranks::Mode::kSpmd
                                             : Ranks::Mode::kController);
  return Ranks::active() != nullptr;
}

int ServeRanks() {
  distrib::JoinOptions options;
  std::unique_ptr<distrib::Group> group = JoinGroup(&options);
  if (group == nullptr) {
    throw py::value_error("the environment tells of no job to serve");
  }
  absl::Status status;
  {
    const Released released;
    status = RankWorker(group.get()).Serve();
    group.reset();
  }
  Check(status);
  return 0;
}

// `fetch`: brings what the ranks hold into this process first.
void LeaveRanks(bool fetch) {
  if (Ranks::active() == nullptr) return;
  if (fetch) {
    Check(EvaluateAll());
    Check(FetchAllAway());
  }
  const absl::Status status = Ranks::Leave();
  {
    const Released released;
    AwaitThreadRanks();
  }
  Check(status);
}

py::object AboutRanks() {
  const Ranks* ranks = Ranks::active();
  if (ranks == nullptr) return py::none();
  return py::dict(
      "rank"_a = ranks->rank(), "size"_a = ranks->size(),
      "mode"_a =
          ranks->mode() == Ranks::Mode::kSpmd ? "spmd" : "controller");
}

}  // namespace

bool RaiseRankFailure(const absl::Status& status) {
  const auto payload = status.GetPayload(distrib::kRankFailurePayload);
  if (!payload.has_value()) return false;
  std::vector<std::string> parts =
      absl::StrSplit(std::string(payload->Flatten()), '\t');
  parts.resize(3);
  const std::string message(status.message().data(), status.message().size());
  PyRef module(PyImport_ImportModule("fuseau._ranks"));
  if (!module) return true;
  PyRef type(PyObject_GetAttrString(module.get(), "RankFailure"));
  if (!type) return true;
  PyRef error(PyObject_CallFunction(type.get(), "siss", message.c_str(),
                                    std::atoi(parts[0].c_str()),
                                    parts[1].c_str(), parts[2].c_str()));
  if (error) PyErr_SetObject(type.get(), error.get());
  return true;
}

bool AddRanks(PyObject* object) {
  try {
    py::module_ module = py::reinterpret_borrow<py::module_>(object);
    module.def("join_ranks", &JoinRanks);
    module.def("serve_ranks", &ServeRanks);
    module.def("leave_ranks", &LeaveRanks, "fetch"_a = false);
    module.def("ranks", &AboutRanks);
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

}  // namespace fuseau::python

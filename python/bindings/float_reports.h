// How floating-point errors reach the program, and when it listens for them.
//
// A lazy operation warns when it is computed. Where errors raise, call or
// print, operations are computed at once; and also where the program's filters
// show every RuntimeWarning or make it an exception, since then somebody waits
// for it at this statement: pytest.warns, simplefilter("error").
#pragma once

#include "frontend/evaluate.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// False with a Python error set.
bool ConnectFloatReports();

// watch_float_errors(kinds, act): the kinds of errors that operations are
// watched for from now on, and whether one does more than warn.
PyObject* WatchFloatErrors(PyObject*, PyObject* args);

// What the filters were when they were last read.
struct Filters {
  PyObject* module = nullptr;  // the namespace of `warnings`
  uint64_t version = 0;        // its own
  PyObject* list = nullptr;
  Py_ssize_t size = 0;
  PyObject* first = nullptr;  // only compared
};
extern Filters filters;
void ReadFilters();

inline uint64_t VersionOf(PyObject* dict) {
#if PY_VERSION_HEX < 0x030C0000
  return reinterpret_cast<PyDictObject*>(dict)->ma_version_tag;
#else
  return reinterpret_cast<uint64_t>(PyDict_GetItemString(dict, "filters"));
#endif
}

// `catch_warnings` gives the module another list; filters are put in front.
inline bool FiltersChanged() {
  return VersionOf(filters.module) != filters.version ||
         PyList_GET_SIZE(filters.list) != filters.size ||
         (filters.size > 0 &&
          PyList_GET_ITEM(filters.list, 0) != filters.first);
}

// To be called after each recorded operation, as AfterRecord. Reports what the
// conversion of its numbers met.
inline absl::Status Recorded(Node* node, bool write = false) {
  if (__builtin_expect(FiltersChanged(), false)) ReadFilters();
  const absl::Status status = AfterRecord(node, write);
  if (__builtin_expect(!status.ok(), false)) return status;
  return ReportFloatErrors();
}

}  // namespace fuseau::python

#include "python/bindings/float_reports.h"

#include "frontend/float_errors.h"
#include "python/bindings/frames.h"

namespace fuseau::python {

Filters filters;

namespace {

thread_local bool act = false;  // an error does more than warn
int acting = 0;                 // threads of which that is so
bool listens = false;           // somebody waits for warnings

void Follow() {
  const bool at_once = acting > 0 || listens;
  if (at_once == float_errors_at_once) return;
  static const int64_t usual = window.operations;
  window.operations = at_once ? 0 : usual;
  float_errors_at_once = at_once;
  RestartWindow(Graph::Get());
}

bool IsTold(PyObject* action) {
  if (!PyUnicode_Check(action)) return false;
  for (const char* told : {"error", "always", "all"}) {
    if (PyUnicode_CompareWithASCIIString(action, told) == 0) return true;
  }
  return false;
}

// Whether a filter that may be the first to fit a RuntimeWarning lets each one
// through: a tuple of action, message, category, module and line.
bool Listens() {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(filters.list); ++i) {
    PyObject* filter = PyList_GET_ITEM(filters.list, i);
    if (!PyTuple_Check(filter) || PyTuple_GET_SIZE(filter) != 5) continue;
    const int fits =
        PyObject_IsSubclass(PyExc_RuntimeWarning, PyTuple_GET_ITEM(filter, 2));
    if (fits < 0) PyErr_Clear();
    if (fits <= 0) continue;
    if (IsTold(PyTuple_GET_ITEM(filter, 0))) return true;
    const bool fits_all = PyTuple_GET_ITEM(filter, 1) == Py_None &&
                          PyTuple_GET_ITEM(filter, 3) == Py_None;
    if (fits_all) return false;
  }
  PyObject* usual = PyDict_GetItemString(filters.module, "defaultaction");
  return usual != nullptr && IsTold(usual);
}

Py_ssize_t StackLevel() {
  Py_ssize_t level = 1;
  PyRef frame(Py_XNewRef(reinterpret_cast<PyObject*>(PyEval_GetFrame())));
  while (frame) {
    auto* here = reinterpret_cast<PyFrameObject*>(frame.get());
    if (!IsOurs(here)) return level;
    ++level;
    frame = PyRef(reinterpret_cast<PyObject*>(PyFrame_GetBack(here)));
  }
  return 1;
}

bool Warn(const char* where, int flags) {
  struct Text {
    FloatFlag flag;
    const char* text;
  };
  constexpr Text kTexts[] = {{kDivideFlag, "divide by zero"},
                             {kOverflowFlag, "overflow"},
                             {kUnderflowFlag, "underflow"},
                             {kInvalidFlag, "invalid value"}};
  for (const Text& t : kTexts) {
    if ((flags & t.flag) != 0 &&
        PyErr_WarnFormat(PyExc_RuntimeWarning, StackLevel(),
                         "%s encountered in %s", t.text, where) < 0) {
      return false;
    }
  }
  return true;
}

// Operations that do more than warn are computed under their own error state,
// so NumPy can see what to do. Others were recorded to warn, whatever the state
// is by now.
bool Handle(const char* where, int flags) {
  return act ? PyUFunc_GiveFloatingpointErrors(where, flags) == 0
             : Warn(where, flags);
}

}  // namespace

void ReadFilters() {
  PyObject* list = PyDict_GetItemString(filters.module, "filters");
  if (list == nullptr || !PyList_Check(list)) return;
  Py_INCREF(list);
  Py_XSETREF(filters.list, list);
  filters.version = VersionOf(filters.module);
  filters.size = PyList_GET_SIZE(list);
  filters.first = filters.size > 0 ? PyList_GET_ITEM(list, 0) : nullptr;
  listens = Listens();
  Follow();
}

PyObject* WatchFloatErrors(PyObject*, PyObject* args) {
  int kinds, more;
  if (!PyArg_ParseTuple(args, "ip", &kinds, &more)) return nullptr;
  float_watch = static_cast<uint8_t>(kinds);
  acting += (more != 0 ? 1 : 0) - (act ? 1 : 0);
  act = more != 0;
  Follow();
  Py_RETURN_NONE;
}

bool ConnectFloatReports() {
  PyRef module(PyImport_ImportModule("warnings"));
  if (!module) return false;
  filters.module = Py_NewRef(PyModule_GetDict(module.get()));
  filters.list = PyList_New(0);
  if (filters.list == nullptr) return false;
  ReadFilters();
  SetFloatErrorHandler(Handle);
  return true;
}

}  // namespace fuseau::python

// The module `fuseau._fuseau`.
#define FUSEAU_IMPORT_NUMPY
#include <unistd.h>

#include <string>

#include "frontend/compile_queue.h"
#include "frontend/device.h"
#include "frontend/evaluate.h"
#include "frontend/host.h"
#include "python/bindings/ahead.h"
#include "python/bindings/array_object.h"
#include "python/bindings/builtin_function.h"
#include "python/bindings/device.h"
#include "python/bindings/files.h"
#include "python/bindings/float_reports.h"
#include "python/bindings/frames.h"
#include "python/bindings/function_object.h"
#include "python/bindings/functions.h"
#include "python/bindings/interrupt.h"
#include "python/bindings/numpy_call.h"
#include "python/bindings/profile.h"
#include "python/bindings/python.h"
#include "python/bindings/rank_plan.h"
#include "python/bindings/ranks.h"
#include "python/bindings/reports.h"
#include "python/bindings/ufunc_call.h"
#include "python/bindings/ufunc_object.h"
#include "runtime/base/settings.h"

namespace fuseau::python {
namespace {

// Once the interpreter has ended, Python ends a thread that wants its lock by
// unwinding its stack. Our destructors would then work on the graph without the
// lock, or end the process, so such a thread stays here until the process ends.
class StayForGood {
 public:
  StayForGood() = default;
  ~StayForGood() {
    while (!dismissed_) pause();
  }
  StayForGood(const StayForGood&) = delete;
  StayForGood& operator=(const StayForGood&) = delete;
  void Dismiss() { dismissed_ = true; }

 private:
  bool dismissed_ = false;
};

void* ReleaseLock() { return PyEval_SaveThread(); }
void AcquireLock(void* state) {
  StayForGood stay;
  PyEval_RestoreThread(static_cast<PyThreadState*>(state));
  stay.Dismiss();
}

PyObject* BeforeFork(PyObject*, PyObject*) {
  HoldEvaluations();
  const absl::Status status = EvaluateAll();
  LeaveDevices();
  return status.ok() ? Py_NewRef(Py_None) : Raise(status);
}
PyObject* AfterFork(PyObject*, PyObject*) {
  LetEvaluationsGo();
  return Py_NewRef(Py_None);
}
PyMethodDef before_fork = {"before_fork", BeforeFork, METH_NOARGS, nullptr};
PyMethodDef after_fork = {"after_fork", AfterFork, METH_NOARGS, nullptr};

// A child process has none of the threads that may be computing, so everything
// is computed before it is made, and nothing is begun until it is.
bool WatchForks() {
  PyRef os(PyImport_ImportModule("os"));
  if (!os) return false;
  PyRef before(PyCFunction_New(&before_fork, nullptr));
  PyRef after(PyCFunction_New(&after_fork, nullptr));
  PyRef method(PyObject_GetAttrString(os.get(), "register_at_fork"));
  PyRef none(PyTuple_New(0));
  if (!before || !after || !method || !none) return false;
  PyRef kwargs(Py_BuildValue("{s:O,s:O}", "before", before.get(),
                             "after_in_parent", after.get()));
  return kwargs && PyRef(PyObject_Call(method.get(), none.get(), kwargs.get()));
}

// What we keep in static memory belongs to one interpreter, and NumPy cannot be
// loaded by two.
bool InMainInterpreter() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return true;
  PyErr_SetString(PyExc_ImportError,
                  "fuseau works in the main interpreter of a process only, not "
                  "in a subinterpreter");
  return false;
}

bool SettingsMakeSense() {
  const std::string problem = CheckSettings();
  if (problem.empty()) return true;
  PyErr_SetString(PyExc_ValueError, problem.c_str());
  return false;
}

// For the package: a second interpreter that loads this module gets a copy of
// it without a call of PyInit.
PyObject* RequireMainInterpreter(PyObject*, PyObject*) {
  return InMainInterpreter() ? Py_NewRef(Py_None) : nullptr;
}
PyMethodDef require_main = {"require_main_interpreter", RequireMainInterpreter,
                            METH_NOARGS, nullptr};

bool Fill(PyObject* module) {
  PyRef require(PyCFunction_New(&require_main, nullptr));
  if (!require ||
      PyModule_AddObjectRef(module, require_main.ml_name, require.get()) < 0) {
    return false;
  }
  if (!InMainInterpreter() || !SettingsMakeSense() ||
      PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0 ||
      !InitGlobals() || !ConnectToNumpy() || MakeArrayType(module) == nullptr ||
      MakeUfuncType(module) == nullptr || !AddFunctionType(module) ||
      !AddComputedType(module)) {
    return false;
  }
  PyRef ufuncs(MakeUfuncs());
  if (!ufuncs) return false;
  PyRef builtin(reinterpret_cast<PyObject*>(MakeBuiltinFunctionType(module)));
  if (!builtin ||
      PyModule_AddObjectRef(module, "builtin_function", builtin.get()) < 0) {
    return false;
  }
  PyRef ufunc_type(Py_NewRef(reinterpret_cast<PyObject*>(
      Py_TYPE(PyDict_GetItemString(ufuncs.get(), "add")))));
  if (PyModule_AddObjectRef(module, "ndarray",
                            reinterpret_cast<PyObject*>(array_type)) < 0 ||
      PyModule_AddObjectRef(module, "ufunc", ufunc_type.get()) < 0 ||
      PyModule_AddObjectRef(module, "UFUNCS", ufuncs.get()) < 0 ||
      PyModule_AddObjectRef(module, "hooks", G().hooks) < 0) {
    return false;
  }
  evaluation_host = {ReleaseLock, AcquireLock, BeginInterruptible,
                     EndInterruptible};
  ReadWindowLimits();
  device_of_process = DeviceModeOfSettings();
  ConnectPlaces();
  if (!ConnectFloatReports()) return false;
  if (Py_AtExit([] {
        FinishDevices();
        CompileQueue::Global().Stop();
      }) < 0) {
    return false;
  }
  return WatchForks() && AddReports(module) && AddDevices(module) &&
         AddRanks(module) && AddFiles(module) && AddRankPlan(module) &&
         AddAhead(module) && AddProfile(module);
}

PyModuleDef module_def = {PyModuleDef_HEAD_INIT,
                          "fuseau._fuseau",
                          "The compiled part of fuseau.",
                          -1,
                          module_functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace
}  // namespace fuseau::python

PyMODINIT_FUNC PyInit__fuseau() {
  PyObject* module = PyModule_Create(&fuseau::python::module_def);
  if (module != nullptr && !fuseau::python::Fill(module)) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}

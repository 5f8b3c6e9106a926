// The module `fuseau._fuseau`.
#define FUSEAU_IMPORT_NUMPY
#include "frontend/compile_queue.h"
#include "frontend/evaluate.h"
#include "frontend/float_errors.h"
#include "python/bindings/array_object.h"
#include "python/bindings/builtin_function.h"
#include "python/bindings/function_object.h"
#include "python/bindings/functions.h"
#include "python/bindings/interrupt.h"
#include "python/bindings/python.h"
#include "python/bindings/reports.h"
#include "python/bindings/ufunc_call.h"
#include "python/bindings/ufunc_object.h"

namespace fuseau::python {
namespace {

void* ReleaseLock() { return PyEval_SaveThread(); }
void AcquireLock(void* state) {
  PyEval_RestoreThread(static_cast<PyThreadState*>(state));
}

// A child process has none of the threads that may be computing, so everything
// is computed before it is made.
bool SynchronizeBeforeFork(PyObject* module) {
  PyRef os(PyImport_ImportModule("os"));
  if (!os) return false;
  PyRef before(PyObject_GetAttrString(module, "synchronize"));
  PyRef method(PyObject_GetAttrString(os.get(), "register_at_fork"));
  PyRef none(PyTuple_New(0));
  if (!before || !method || !none) return false;
  PyRef kwargs(Py_BuildValue("{s:O}", "before", before.get()));
  return kwargs && PyRef(PyObject_Call(method.get(), none.get(), kwargs.get()));
}

bool Fill(PyObject* module) {
  if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0 ||
      !InitGlobals() || !ConnectToNumpy() || MakeArrayType(module) == nullptr ||
      MakeUfuncType(module) == nullptr || !AddFunctionType(module)) {
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
  EvaluationHost host;
  host.release = ReleaseLock;
  host.acquire = AcquireLock;
  host.begin_interruptible = BeginInterruptible;
  host.end_interruptible = EndInterruptible;
  SetEvaluationHost(host);
  SetFloatErrorHandler([](const char* where, int flags) {
    return PyUFunc_GiveFloatingpointErrors(where, flags) == 0;
  });
  ReadWindowLimits();
  if (Py_AtExit([] { CompileQueue::Global().Stop(); }) < 0) return false;
  return SynchronizeBeforeFork(module) && AddReports(module);
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

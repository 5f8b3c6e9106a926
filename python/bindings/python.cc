#include "python/bindings/python.h"

#include <string>

#include "python/bindings/function_object.h"
#include "python/bindings/ranks.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::python {
namespace {

std::string Message(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

// The exception class of a payload: a builtin one or one of numpy.exceptions.
PyRef ExceptionNamed(const std::string& name) {
  PyRef builtins(PyImport_ImportModule("builtins"));
  if (!builtins) return PyRef();
  PyRef found(PyObject_GetAttrString(builtins.get(), name.c_str()));
  if (found) return found;
  PyErr_Clear();
  PyRef module(PyImport_ImportModule("numpy.exceptions"));
  if (!module) return PyRef();
  return PyRef(PyObject_GetAttrString(module.get(), name.c_str()));
}

}  // namespace

PyObject* Raise(const absl::Status& status) {
  // A warning that became an exception is set already.
  if (status.code() == absl::StatusCode::kAborted && PyErr_Occurred()) {
    return nullptr;
  }
  if (RaiseRankFailure(status)) return nullptr;
  if (auto payload = status.GetPayload(kPythonExceptionUrl)) {
    PyRef type = ExceptionNamed(std::string(payload->Flatten()));
    if (type) PyErr_SetString(type.get(), Message(status).c_str());
    return nullptr;
  }
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      PyErr_SetString(PyExc_MemoryError, Message(status).c_str());
      break;
    case absl::StatusCode::kCancelled:
      // The interrupt is Python's to report.
      if (PyErr_CheckSignals() == 0) PyErr_SetNone(PyExc_KeyboardInterrupt);
      break;
    default:
      PyErr_SetString(PyExc_RuntimeError, Message(status).c_str());
  }
  return nullptr;
}

PyObject* RaiseNumpy(const char* module, const char* name, PyRef args) {
  PyRef mod(PyImport_ImportModule(module));
  if (!mod || !args) return nullptr;
  PyRef type(PyObject_GetAttrString(mod.get(), name));
  if (!type) return nullptr;
  PyRef error(PyObject_CallObject(type.get(), args.get()));
  if (error) PyErr_SetObject(type.get(), error.get());
  return nullptr;
}

PyObject* RaiseAxisError(long axis, long rank) {
  return RaiseNumpy("numpy.exceptions", "AxisError",
                    PyRef(Py_BuildValue("(ll)", axis, rank)));
}

Globals& G() {
  static Globals globals;
  return globals;
}

bool InitGlobals() {
  Globals& g = G();
  g.numpy = PyImport_ImportModule("numpy");
  g.hooks = PyDict_New();
  g.array_ufunc = PyUnicode_InternFromString("__array_ufunc__");
  g.array_priority = PyUnicode_InternFromString("__array_priority__");
  if (g.numpy == nullptr) return false;
  g.no_value = PyObject_GetAttrString(g.numpy, "_NoValue");
  return g.no_value != nullptr && g.hooks != nullptr &&
         g.array_ufunc != nullptr && g.array_priority != nullptr;
}

PyObject* Hook(const char* name) {
  PyObject* hook = PyDict_GetItemString(G().hooks, name);
  if (hook == nullptr && !PyErr_Occurred()) {
    PyErr_Format(PyExc_NotImplementedError, "no hook \"%s\" is set", name);
  }
  return hook;
}

PyObject* PackArguments(PyObject* const* args, Py_ssize_t count) {
  PyObject* packed = PyTuple_New(count);
  for (Py_ssize_t i = 0; packed != nullptr && i < count; ++i) {
    PyTuple_SET_ITEM(packed, i, Py_NewRef(args[i]));
  }
  return packed;
}

PyObject* PackKeywords(PyObject* const* values, PyObject* names) {
  PyRef packed(PyDict_New());
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; packed && i < named; ++i) {
    PyObject* const name = PyTuple_GET_ITEM(names, i);
    if (PyDict_SetItem(packed.get(), name, values[i]) < 0) return nullptr;
  }
  return packed.Release();
}

PyObject* CallFallback(const char* name, PyObject* callable, PyRef args,
                       PyObject* kwargs) {
  if (LeaveDefinition()) return nullptr;
  PyObject* hook = Hook("fallback");
  if (hook == nullptr || !args) return nullptr;
  runtime::Increment(runtime::Counter::kFallbacks);
  PyRef empty(kwargs == nullptr ? PyDict_New() : nullptr);
  PyRef text(PyUnicode_FromString(name));
  if (!text) return nullptr;
  return PyObject_CallFunctionObjArgs(
      hook, text.get(), callable != nullptr ? callable : Py_None, args.get(),
      kwargs != nullptr ? kwargs : empty.get(), nullptr);
}

PyObject* CallFallback(const char* name, PyObject* const* args,
                       Py_ssize_t count, PyObject* names) {
  PyRef keywords(PackKeywords(args + count, names));
  if (!keywords) return nullptr;
  return CallFallback(name, nullptr, PyRef(PackArguments(args, count)),
                      keywords.get());
}

}  // namespace fuseau::python

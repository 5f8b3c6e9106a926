// Python and NumPy headers, and small helpers that every binding file needs.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL fuseau_array_api
#define PY_UFUNC_UNIQUE_SYMBOL fuseau_ufunc_api
#ifndef FUSEAU_IMPORT_NUMPY
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>

#include <utility>

#include "absl/status/status.h"

namespace fuseau::python {

// An owned reference to a Python object, or none.
class PyRef {
 public:
  PyRef() = default;
  // Takes over a reference; null is allowed.
  explicit PyRef(PyObject* owned) : object_(owned) {}
  static PyRef Borrow(PyObject* object) {
    Py_XINCREF(object);
    return PyRef(object);
  }
  PyRef(const PyRef&) = delete;
  PyRef& operator=(const PyRef&) = delete;
  PyRef(PyRef&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)) {}
  PyRef& operator=(PyRef&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~PyRef() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* Release() { return std::exchange(object_, nullptr); }
  PyArrayObject* array() const {
    return reinterpret_cast<PyArrayObject*>(object_);
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// Raises the exception that a status stands for. Returns null, for `return`.
PyObject* Raise(const absl::Status& status);
// NumPy's own exception classes, by module and name.
PyObject* RaiseNumpy(const char* module, const char* name, PyRef args);
PyObject* RaiseAxisError(long axis, long rank);

// Objects that are looked up once.
struct Globals {
  PyObject* numpy = nullptr;        // the module
  PyObject* hooks = nullptr;        // dict of set_hooks
  PyObject* array_ufunc = nullptr;  // "__array_ufunc__"
  PyObject* array_priority = nullptr;
  PyObject* no_value = nullptr;  // NumPy's mark of arguments that are not given
};
Globals& G();
// False with a Python error set.
bool InitGlobals();

// A hook set by the Python layer; null with an error set if there is none.
PyObject* Hook(const char* name);  // borrowed
// The arguments of a vectorcall as a tuple, and its keywords as a dict.
PyObject* PackArguments(PyObject* const* args, Py_ssize_t count);
PyObject* PackKeywords(PyObject* const* values, PyObject* names);

// hooks["fallback"](name, callable or None, args, kwargs); takes over `args`;
// `kwargs` may be null.
PyObject* CallFallback(const char* name, PyObject* callable, PyRef args,
                       PyObject* kwargs);
// The same for the arguments of a vectorcall.
PyObject* CallFallback(const char* name, PyObject* const* args,
                       Py_ssize_t count, PyObject* names);

}  // namespace fuseau::python

#include "python/bindings/builtin_function.h"

#include <cstddef>

namespace fuseau::python {
namespace {

struct FunctionObject {
  PyObject_HEAD vectorcallfunc call;
  PyObject* function;
};

PyObject* FunctionOf(PyObject* self) {
  return reinterpret_cast<FunctionObject*>(self)->function;
}

PyObject* Call(PyObject* self, PyObject* const* args, size_t flags,
               PyObject* names) {
  return PyObject_Vectorcall(FunctionOf(self), args, flags, names);
}

PyObject* New(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* function;
  if (!PyArg_ParseTuple(args, "O", &function)) return nullptr;
  auto* self = PyObject_New(FunctionObject, type);
  if (self == nullptr) return nullptr;
  self->call = Call;
  self->function = Py_NewRef(function);
  return reinterpret_cast<PyObject*>(self);
}

void Dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_CLEAR(reinterpret_cast<FunctionObject*>(self)->function);
  PyObject_Free(self);
  Py_DECREF(type);
}

// Whatever is asked is asked of the function.
PyObject* GetAttribute(PyObject* self, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found != nullptr || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
    return found;
  }
  PyErr_Clear();
  return PyObject_GetAttr(FunctionOf(self), name);
}

PyObject* GetDoc(PyObject* self, void*) {
  return PyObject_GetAttrString(FunctionOf(self), "__doc__");
}

PyObject* Repr(PyObject* self) {
  PyRef name(PyObject_GetAttrString(FunctionOf(self), "__name__"));
  return name ? PyUnicode_FromFormat("<built-in function %U>", name.get())
              : nullptr;
}

PyObject* Compare(PyObject* self, PyObject* other, int comparison) {
  if (Py_TYPE(other) == Py_TYPE(self)) other = FunctionOf(other);
  return PyObject_RichCompare(FunctionOf(self), other, comparison);
}

Py_hash_t Hash(PyObject* self) { return PyObject_Hash(FunctionOf(self)); }

// By name, as a global of the package.
PyObject* ReduceForPickle(PyObject* self, PyObject*) {
  return PyObject_GetAttrString(FunctionOf(self), "__name__");
}

}  // namespace

PyTypeObject* MakeBuiltinFunctionType(PyObject* module) {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, call),
       READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  static PyGetSetDef getset[] = {{"__doc__", GetDoc, nullptr, nullptr, nullptr},
                                 {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyMethodDef methods[] = {
      {"__reduce__", ReduceForPickle, METH_NOARGS, nullptr},
      {nullptr, nullptr, 0, nullptr}};
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(New)},
      {Py_tp_dealloc, reinterpret_cast<void*>(Dealloc)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_getattro, reinterpret_cast<void*>(GetAttribute)},
      {Py_tp_repr, reinterpret_cast<void*>(Repr)},
      {Py_tp_richcompare, reinterpret_cast<void*>(Compare)},
      {Py_tp_hash, reinterpret_cast<void*>(Hash)},
      {Py_tp_members, members},
      {Py_tp_getset, getset},
      {Py_tp_methods, methods},
      {0, nullptr},
  };
  PyType_Spec spec = {"fuseau.builtin_function", sizeof(FunctionObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, slots};
  return reinterpret_cast<PyTypeObject*>(
      PyType_FromModuleAndSpec(module, &spec, nullptr));
}

}  // namespace fuseau::python

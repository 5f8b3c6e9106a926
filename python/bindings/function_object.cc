#include "python/bindings/function_object.h"

#include <cstddef>
#include <string>

#include "python/bindings/array_object.h"
#include "python/bindings/quick_forms.h"

namespace fuseau::python {
namespace {

struct FunctionObject {
  PyObject_HEAD vectorcallfunc call;
  PyObject* name;  // NumPy's
  PyObject* body;  // the function in Python
  PyObject*
      otherwise;  // what is called where the body declines; null: the door
  // NumPy's function, or None. Programs find what they registered under ours by
  // the one that NumPy's protocols pass on, so both are equal.
  PyObject* numpys;
  const QuickForm* quick;
  bool view;        // its results are views of its argument
  bool definition;  // the body is NumPy's own
  PyObject* parameters[QuickForm::kMaxParameters];  // names, interned
  PyObject* dict;
  PyObject* weakrefs;
};

PyObject* not_native = nullptr;
// How many definitions this thread is inside of.
thread_local int definitions = 0;

FunctionObject* Of(PyObject* self) {
  return reinterpret_cast<FunctionObject*>(self);
}

// Lays out the arguments by parameter. False if the quick form has no room for
// them.
bool Arrange(const FunctionObject& function, PyObject* const* args,
             Py_ssize_t count, PyObject* names, PyObject** out) {
  const QuickForm& form = *function.quick;
  if (count > form.count) return false;
  for (Py_ssize_t i = 0; i < count; ++i) out[i] = args[i];
  for (Py_ssize_t i = count; i < form.count; ++i) out[i] = nullptr;
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* const name = PyTuple_GET_ITEM(names, i);
    int k = 0;
    while (k < form.count && function.parameters[k] != name) ++k;
    if (k == form.count || out[k] != nullptr) return false;
    out[k] = args[count + i];
  }
  for (int k = 0; k < form.required; ++k) {
    if (out[k] == nullptr) return false;
  }
  return true;
}

// Whether NumPy makes the view: only its own can share the memory of its array.
bool IsNumpysView(PyObject* const* args, Py_ssize_t count) {
  if (count == 0 || !PyArray_CheckExact(args[0])) return false;
  for (Py_ssize_t i = 1; i < count; ++i) {
    if (IsArray(args[i])) return false;
  }
  return true;
}

PyObject* CallNumpy(const FunctionObject& function, PyObject* const* args,
                    Py_ssize_t count, PyObject* names) {
  PyRef target(PyObject_GetAttr(G().numpy, function.name));
  if (!target) return nullptr;
  return PyObject_Vectorcall(target.get(), args, static_cast<size_t>(count),
                             names);
}

PyObject* Fallback(const FunctionObject& function, PyObject* const* args,
                   Py_ssize_t count, PyObject* names) {
  const char* name = PyUnicode_AsUTF8(function.name);
  if (name == nullptr) return nullptr;
  return CallFallback(name, args, count, names);
}

// What NumPy makes of a call whose definition raised an error: an error of its
// own, or a result after all.
PyObject* AskNumpy(const FunctionObject& function, PyObject* const* args,
                   Py_ssize_t count, PyObject* names) {
  PyObject* hook = Hook("ask_numpy");
  PyRef arguments(PackArguments(args, count));
  PyRef keywords(PackKeywords(args + count, names));
  if (hook == nullptr || !arguments || !keywords) return nullptr;
  return PyObject_CallFunctionObjArgs(hook, function.name, arguments.get(),
                                      keywords.get(), nullptr);
}

// Whether an argument is of a subclass of NumPy's array, whose results are too.
bool HasSubclass(PyObject* const* args, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (PyArray_Check(args[i]) && !PyArray_CheckExact(args[i])) return true;
  }
  return false;
}

PyObject* CallDefinition(const FunctionObject& function, PyObject* const* args,
                         Py_ssize_t count, PyObject* names) {
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  if (HasSubclass(args, count + named)) {
    return Fallback(function, args, count, names);
  }
  ++definitions;
  PyObject* result = PyObject_Vectorcall(function.body, args,
                                         static_cast<size_t>(count), names);
  --definitions;
  if (result != nullptr || definitions > 0) return result;
  if (PyErr_ExceptionMatches(not_native)) {
    PyErr_Clear();
    return Fallback(function, args, count, names);
  }
  if (!PyErr_ExceptionMatches(PyExc_Exception) ||
      PyErr_ExceptionMatches(PyExc_MemoryError)) {
    return nullptr;
  }
  PyErr_Clear();
  return AskNumpy(function, args, count, names);
}

PyObject* Call(PyObject* self, PyObject* const* args, size_t flags,
               PyObject* names) {
  const FunctionObject& function = *Of(self);
  const Py_ssize_t count = PyVectorcall_NARGS(flags);
  if (function.definition) {
    return CallDefinition(function, args, count, names);
  }
  if (function.quick != nullptr) {
    PyObject* arguments[QuickForm::kMaxParameters];
    if (Arrange(function, args, count, names, arguments)) {
      PyObject* result = function.quick->call(arguments);
      if (result != nullptr || PyErr_Occurred()) return result;
    }
  }
  if (function.view && IsNumpysView(args, count)) {
    return CallNumpy(function, args, count, names);
  }
  PyObject* result = PyObject_Vectorcall(function.body, args,
                                         static_cast<size_t>(count), names);
  if (result != nullptr || !PyErr_ExceptionMatches(not_native)) return result;
  if (function.otherwise == nullptr && definitions > 0) return nullptr;
  PyErr_Clear();
  if (function.otherwise != nullptr) {
    return PyObject_Vectorcall(function.otherwise, args,
                               static_cast<size_t>(count), names);
  }
  return Fallback(function, args, count, names);
}

int Traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(Of(self)->body);
  Py_VISIT(Of(self)->otherwise);
  Py_VISIT(Of(self)->numpys);
  Py_VISIT(Of(self)->dict);
  return 0;
}

int Clear(PyObject* self) {
  Py_CLEAR(Of(self)->body);
  Py_CLEAR(Of(self)->otherwise);
  Py_CLEAR(Of(self)->numpys);
  Py_CLEAR(Of(self)->dict);
  return 0;
}

void Dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (Of(self)->weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  Clear(self);
  Py_CLEAR(Of(self)->name);
  for (PyObject*& name : Of(self)->parameters) Py_CLEAR(name);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

// function(name, body, view, numpys, otherwise=None, definition=False)
PyObject* New(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {
      "name", "body", "view", "numpys", "otherwise", "definition", nullptr};
  PyObject* name;
  PyObject* body;
  PyObject* numpys;
  int view, definition = 0;
  PyObject* otherwise = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UOpO|Op",
                                   const_cast<char**>(names), &name, &body,
                                   &view, &numpys, &otherwise, &definition)) {
    return nullptr;
  }
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) return nullptr;
  PyRef made(type->tp_alloc(type, 0));
  if (!made) return nullptr;
  FunctionObject& function = *Of(made.get());
  function.call = Call;
  function.name = Py_NewRef(name);
  function.body = Py_NewRef(body);
  function.numpys = Py_NewRef(numpys);
  function.view = view != 0;
  if (otherwise != Py_None) function.otherwise = Py_NewRef(otherwise);
  function.definition = definition != 0;
  function.quick = definition != 0 ? nullptr : FindQuickForm(text);
  if (function.quick != nullptr) {
    for (int k = 0; k < function.quick->count; ++k) {
      const char* parameter = function.quick->parameters[k];
      function.parameters[k] = PyUnicode_InternFromString(parameter);
      if (function.parameters[k] == nullptr) return nullptr;
    }
  }
  return made.Release();
}

PyObject* Bind(PyObject* self, PyObject* instance, PyObject*) {
  if (instance == nullptr || instance == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, instance);
}

PyObject* Repr(PyObject* self) {
  return PyUnicode_FromFormat("<function %U>", Of(self)->name);
}

PyObject* ReduceForPickle(PyObject* self, PyObject*) {
  // By name, as a global of its module.
  return PyObject_GetAttrString(self, "__qualname__");
}

PyObject* LeaveDefinitionFunction(PyObject*, PyObject*) {
  return LeaveDefinition() ? nullptr : Py_NewRef(Py_None);
}

PyMethodDef module_functions[] = {
    {"leave_definition", LeaveDefinitionFunction, METH_NOARGS,
     "Raises NotNative inside a definition."},
    {nullptr, nullptr, 0, nullptr},
};

// What stands for a function in comparisons: NumPy's if there is one.
PyObject* Identity(PyObject* self) {
  PyObject* numpys = Of(self)->numpys;
  return numpys != nullptr && numpys != Py_None ? numpys : self;
}

PyObject* Compare(PyObject* self, PyObject* other, int comparison) {
  if (comparison != Py_EQ && comparison != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  PyObject* theirs = Py_TYPE(other) == Py_TYPE(self) ? Identity(other) : other;
  if (Identity(self) != theirs) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong(comparison == Py_EQ);
}

Py_hash_t Hash(PyObject* self) {
  PyObject* identity = Identity(self);
  return identity == self ? _Py_HashPointer(self) : PyObject_Hash(identity);
}

PyMethodDef methods[] = {
    {"__reduce__", ReduceForPickle, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr,
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"body", T_OBJECT, offsetof(FunctionObject, body), READONLY,
     "What answers where no quick form does, without the door."},
    {"otherwise", T_OBJECT, offsetof(FunctionObject, otherwise), READONLY,
     "What is called where the body declines; None: the door."},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, call),
     READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(FunctionObject, dict), READONLY,
     nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(FunctionObject, weakrefs),
     READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

bool LeaveDefinition() {
  if (definitions == 0) return false;
  PyErr_SetNone(not_native);
  return true;
}

bool AddFunctionType(PyObject* module) {
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(New)},
      {Py_tp_dealloc, reinterpret_cast<void*>(Dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(Traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(Clear)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_descr_get, reinterpret_cast<void*>(Bind)},
      {Py_tp_repr, reinterpret_cast<void*>(Repr)},
      {Py_tp_richcompare, reinterpret_cast<void*>(Compare)},
      {Py_tp_hash, reinterpret_cast<void*>(Hash)},
      {Py_tp_members, members},
      {Py_tp_getset, getset},
      {Py_tp_methods, methods},
      {0, nullptr},
  };
  PyType_Spec spec = {"fuseau.function", sizeof(FunctionObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                          Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_HAVE_GC,
                      slots};
  PyRef type(PyType_FromModuleAndSpec(module, &spec, nullptr));
  not_native = PyErr_NewExceptionWithDoc(
      "fuseau.NotNative",
      "Raised inside a native function when only NumPy can answer; the call "
      "then goes there.",
      nullptr, nullptr);
  return type && not_native != nullptr &&
         PyModule_AddFunctions(module, module_functions) == 0 &&
         PyModule_AddObjectRef(module, "function", type.get()) == 0 &&
         PyModule_AddObjectRef(module, "NotNative", not_native) == 0;
}

}  // namespace fuseau::python

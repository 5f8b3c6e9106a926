#include "python/bindings/array_object.h"

#include <cstddef>
#include <new>
#include <vector>

#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "python/bindings/arguments.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "python/bindings/float_reports.h"
#include "python/bindings/frames.h"

namespace fuseau::python {

PyTypeObject* array_type = nullptr;

namespace {

// Freed objects are kept for the next result.
constexpr int kMaxFree = 256;
ArrayObject* free_objects[kMaxFree];
int free_count = 0;

void Dealloc(PyObject* self) {
  auto* object = reinterpret_cast<ArrayObject*>(self);
  if (object->weakrefs != nullptr) PyObject_ClearWeakRefs(self);
  PyTypeObject* type = Py_TYPE(self);
  object->array.Clear();
  Py_CLEAR(object->owner);
  if (free_count < kMaxFree) {
    free_objects[free_count++] = object;
  } else {
    object->array.~Array();
    PyObject_Free(self);
  }
  Py_DECREF(type);
}

Py_hash_t Hash(PyObject* self) {
  if (!ArrayOf(self).has(kScalarFlag)) {
    PyErr_SetString(PyExc_TypeError, "unhashable type: 'numpy.ndarray'");
    return -1;
  }
  PyRef item(ItemOf(ArrayOf(self)));
  return item ? PyObject_Hash(item.get()) : -1;
}

Py_ssize_t Length(PyObject* self) {
  const Array& array = ArrayOf(self);
  if (array.rank() == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of unsized object");
    return -1;
  }
  return array.shape()[0];
}

PyObject* Iterate(PyObject* self) {
  CountHere(profile::Tally::kIteration);
  const Array& array = ArrayOf(self);
  if (array.rank() == 0) {
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d array");
    return nullptr;
  }
  if (array.rank() == 1) {
    // Its elements are numbers, and whoever goes through them wants to know
    // them.
    Node* node = array.node();
    if (absl::Status s = Evaluate({&node, 1}); !s.ok()) return Raise(s);
  }
  return PySeqIter_New(self);
}

int Contains(PyObject* self, PyObject* value) {
  PyRef equal(PyObject_RichCompare(self, value, Py_EQ));
  if (!equal) return -1;
  PyRef any(PyObject_CallMethod(equal.get(), "any", nullptr));
  return any ? PyObject_IsTrue(any.get()) : -1;
}

PyObject* CallHook(const char* name, PyObject* self) {
  PyObject* hook = Hook(name);
  return hook != nullptr ? PyObject_CallOneArg(hook, self) : nullptr;
}

PyObject* Repr(PyObject* self) { return CallHook("repr", self); }
PyObject* Str(PyObject* self) { return CallHook("str", self); }

PyObject* New(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  return MakeArray(args, kwargs);
}

}  // namespace

PyObject* MakeArray(PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"shape",   "dtype", "buffer", "offset",
                                      "strides", "order", nullptr};
  PyObject* shape = nullptr;
  PyObject* dtype = Py_None;
  PyObject* buffer = Py_None;
  PyObject* offset = Py_None;
  PyObject* strides = Py_None;
  PyObject* order = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOOOO",
                                   const_cast<char**>(names), &shape, &dtype,
                                   &buffer, &offset, &strides, &order)) {
    return nullptr;
  }
  DType element = DType::kFloat64;
  Order memory = Order::kC;
  Dims sizes;
  const bool plain = buffer == Py_None && strides == Py_None;
  if (!plain || (dtype != Py_None && !ToDType(dtype, &element))) {
    PyErr_Clear();
    PyRef numpy_type(PyObject_GetAttrString(G().numpy, "ndarray"));
    if (!numpy_type) return nullptr;
    return PyObject_Call(numpy_type.get(), args, kwargs);
  }
  if (order != Py_None && !ToOrder(order, &memory)) return nullptr;
  if (!ToShape(shape, &sizes)) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result,
                        Empty(sizes, element, memory, &ArrayOf(result)));
}

PyObject* NewArrayObject() {
  ArrayObject* object;
  if (free_count > 0) {
    object = free_objects[--free_count];
    PyObject_Init(reinterpret_cast<PyObject*>(object), array_type);
  } else {
    object = PyObject_New(ArrayObject, array_type);
    if (object == nullptr) return nullptr;
    new (&object->array) Array;
  }
  object->owner = nullptr;
  object->weakrefs = nullptr;
  return reinterpret_cast<PyObject*>(object);
}

PyObject* FinishRecorded(PyObject* object) {
  const absl::Status status = Recorded(ArrayOf(object).node());
  if (__builtin_expect(status.ok(), true)) return object;
  Py_DECREF(object);
  return Raise(status);
}

PyObject* FinishRecorded(PyObject* object, const absl::Status& status) {
  if (__builtin_expect(status.ok(), true)) return FinishRecorded(object);
  Py_DECREF(object);
  return Raise(status);
}

PyObject* FinishView(PyObject* object, PyObject* source) {
  PyObject* owner = reinterpret_cast<ArrayObject*>(source)->owner;
  if (owner == nullptr) owner = source;
  reinterpret_cast<ArrayObject*>(object)->owner = Py_NewRef(owner);
  return object;
}

PyTypeObject* MakeArrayType(PyObject* module) {
  static PyMemberDef members[] = {
      {"__weaklistoffset__", T_PYSSIZET, offsetof(ArrayObject, weakrefs),
       READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  std::vector<PyType_Slot> slots = {
      {Py_tp_dealloc, reinterpret_cast<void*>(Dealloc)},
      {Py_tp_new, reinterpret_cast<void*>(New)},
      {Py_tp_hash, reinterpret_cast<void*>(Hash)},
      {Py_tp_iter, reinterpret_cast<void*>(Iterate)},
      {Py_tp_repr, reinterpret_cast<void*>(Repr)},
      {Py_tp_str, reinterpret_cast<void*>(Str)},
      {Py_tp_members, members},
      {Py_tp_getset, array_getset},
      {Py_tp_methods, array_methods},
      {Py_sq_contains, reinterpret_cast<void*>(Contains)},
      {Py_sq_item, reinterpret_cast<void*>(GetItemAt)},
      {Py_mp_length, reinterpret_cast<void*>(Length)},
      {Py_sq_length, reinterpret_cast<void*>(Length)},
      {Py_mp_subscript, reinterpret_cast<void*>(GetItem)},
      {Py_mp_ass_subscript, reinterpret_cast<void*>(SetItem)},
      {Py_bf_getbuffer, reinterpret_cast<void*>(GetBuffer)},
      {Py_tp_doc,
       const_cast<char*>("ndarray(shape, dtype=None, buffer=None, offset=0, "
                         "strides=None, order=None)\n--\n\n"
                         "A lazy array of numbers with NumPy's behaviour.")},
  };
  for (const PyType_Slot* s = number_slots; s->slot != 0; ++s) {
    slots.push_back(*s);
  }
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"fuseau.ndarray", sizeof(ArrayObject), 0,
                      Py_TPFLAGS_DEFAULT, slots.data()};
  array_type = reinterpret_cast<PyTypeObject*>(
      PyType_FromModuleAndSpec(module, &spec, nullptr));
  return array_type;
}

}  // namespace fuseau::python

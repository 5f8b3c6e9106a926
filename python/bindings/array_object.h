// The Python type `ndarray`.
#pragma once

#include "frontend/array.h"
#include "python/bindings/python.h"

namespace fuseau::python {

struct ArrayObject {
  PyObject_HEAD Array array;
  PyObject* owner;  // what `.base` gives: the array that this is a view of
  PyObject* weakrefs;
};

extern PyTypeObject* array_type;

inline bool IsArray(PyObject* object) { return Py_TYPE(object) == array_type; }
inline Array& ArrayOf(PyObject* object) {
  return reinterpret_cast<ArrayObject*>(object)->array;
}

// An object whose array is still empty. Null with an error set.
PyObject* NewArrayObject();
// ndarray(shape, dtype=float, order=None): not set elements. What has a buffer
// or strides is NumPy's, since somebody else has the memory too.
PyObject* MakeArray(PyObject* args, PyObject* kwargs);
// The object of a recorded result: may compute, as AfterRecord says. Takes over
// the reference; null if it fails.
PyObject* FinishRecorded(PyObject* object);
// The same with the status of the recording.
PyObject* FinishRecorded(PyObject* object, const absl::Status& status);
// The object of a view of `source`.
PyObject* FinishView(PyObject* object, PyObject* source);

// Makes the type from the slots of the array_*.cc files.
PyTypeObject* MakeArrayType(PyObject* module);

// array_number.cc
extern PyType_Slot number_slots[];
// array_index.cc
PyObject* GetItem(PyObject* self, PyObject* key);
int SetItem(PyObject* self, PyObject* key, PyObject* value);
PyObject* GetItemAt(PyObject* self, Py_ssize_t index);
// array_attributes.cc
extern PyGetSetDef array_getset[];
// array_methods.cc
extern PyMethodDef array_methods[];
// exchange.cc
int GetBuffer(PyObject* self, Py_buffer* view, int flags);

}  // namespace fuseau::python

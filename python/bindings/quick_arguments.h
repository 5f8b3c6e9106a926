// Arguments of quick forms: nothing here sets a Python error.
#pragma once

#include "python/bindings/array_object.h"
#include "python/bindings/python.h"

namespace fuseau::python {

inline bool IsMissing(PyObject* object) {
  return object == nullptr || object == Py_None;
}

// An array of ours, and no scalar.
inline const Array* PlainArray(PyObject* object) {
  if (!IsArray(object) || ArrayOf(object).has(kScalarFlag)) return nullptr;
  return &ArrayOf(object);
}

// A Python int in the range [least, most].
inline bool PlainInt(PyObject* object, int64_t least, int64_t most,
                     int64_t* value) {
  if (object == nullptr || !PyLong_CheckExact(object)) return false;
  int overflow = 0;
  *value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return overflow == 0 && *value >= least && *value <= most;
}

// An axis of an array; `missing` where none is given.
inline bool PlainAxis(PyObject* object, int rank, int missing, int* axis) {
  int64_t value = missing;
  if (object != nullptr && !PlainInt(object, -rank, rank - 1, &value)) {
    return false;
  }
  *axis = static_cast<int>(value < 0 ? value + rank : value);
  return *axis >= 0 && *axis < rank;
}

}  // namespace fuseau::python

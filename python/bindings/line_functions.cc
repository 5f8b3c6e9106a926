// Functions of the module over lines of arrays: searches and transforms.
#include "frontend/routine.h"
#include "python/bindings/array_object.h"
#include "python/bindings/functions.h"

namespace fuseau::python {

// search_sorted(line, keys, right): arrays of one type.
PyObject* SearchSortedFunction(PyObject*, PyObject* args) {
  PyObject* line;
  PyObject* keys;
  int right;
  if (!PyArg_ParseTuple(args, "OOp", &line, &keys, &right) ||
      !CheckArray(line) || !CheckArray(keys)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, SearchSorted(ArrayOf(line), ArrayOf(keys),
                                             right != 0, &ArrayOf(result)));
}

// transform(name, a, axis, count, factor): the name of the table's row.
PyObject* TransformFunction(PyObject*, PyObject* args) {
  const char* name;
  PyObject* object;
  int axis;
  Py_ssize_t count;
  double factor;
  if (!PyArg_ParseTuple(args, "sOind", &name, &object, &axis, &count,
                        &factor) ||
      !CheckArray(object)) {
    return nullptr;
  }
  const auto op = ir::FindOp(name);
  if (!op.has_value()) {
    return PyErr_Format(PyExc_ValueError, "no routine \"%s\"", name);
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, TransformLines(*op, ArrayOf(object), axis, count, factor,
                             &ArrayOf(result)));
}

}  // namespace fuseau::python

#include "python/bindings/arguments.h"

#include <cstring>

namespace fuseau::python {
namespace {

constexpr int kTypeNumbers[kDTypeCount] = {
    NPY_BOOL,   NPY_BYTE,   NPY_UBYTE,  NPY_SHORT, NPY_USHORT,
    NPY_INT,    NPY_UINT,   NPY_LONG,   NPY_ULONG, NPY_FLOAT,
    NPY_DOUBLE, NPY_CFLOAT, NPY_CDOUBLE};
static_assert(sizeof(long) == 8, "NumPy's long is int64");

}  // namespace

bool ToIndex(PyObject* object, int64_t* index) {
  if (PyBool_Check(object) || PyArray_IsScalar(object, Bool)) {
    PyErr_SetString(PyExc_TypeError, "an integer is required");
    return false;
  }
  *index = PyNumber_AsSsize_t(object, PyExc_OverflowError);
  return *index != -1 || !PyErr_Occurred();
}

bool FromTypeNumber(int number, DType* dtype) {
  if (number == NPY_LONGLONG) number = NPY_LONG;
  if (number == NPY_ULONGLONG) number = NPY_ULONG;
  for (int t = 0; t < kDTypeCount; ++t) {
    if (kTypeNumbers[t] == number) {
      *dtype = static_cast<DType>(t);
      return true;
    }
  }
  return false;
}

int ToTypeNumber(DType dtype) { return kTypeNumbers[static_cast<int>(dtype)]; }

bool FromDescr(PyArray_Descr* descr, DType* dtype) {
  return FromTypeNumber(descr->type_num, dtype) &&
         PyArray_ISNBO(descr->byteorder);
}

PyArray_Descr* ToDescr(DType dtype) {
  static PyArray_Descr* descrs[kDTypeCount] = {};
  PyArray_Descr*& descr = descrs[static_cast<int>(dtype)];
  if (descr == nullptr) descr = PyArray_DescrFromType(ToTypeNumber(dtype));
  return descr;
}

bool ToDType(PyObject* object, DType* dtype) {
  if (PyArray_DescrCheck(object) &&
      FromDescr(reinterpret_cast<PyArray_Descr*>(object), dtype)) {
    return true;
  }
  PyArray_Descr* descr = nullptr;
  if (PyArray_DescrConverter(object, &descr) != NPY_SUCCEED) return false;
  const bool known = FromDescr(descr, dtype);
  if (!known) {
    PyErr_Format(PyExc_TypeError, "fuseau has no arrays of type %S", descr);
  }
  Py_DECREF(descr);
  return known;
}

bool ToOrder(PyObject* object, Order* order) {
  NPY_ORDER value = NPY_KEEPORDER;
  if (!PyArray_OrderConverter(object, &value)) return false;
  switch (value) {
    case NPY_CORDER:
      *order = Order::kC;
      break;
    case NPY_FORTRANORDER:
      *order = Order::kF;
      break;
    case NPY_ANYORDER:
      *order = Order::kA;
      break;
    case NPY_KEEPORDER:
      *order = Order::kKeep;
      break;
  }
  return true;
}

bool ToCasting(PyObject* object, Casting* casting) {
  if (PyUnicode_Check(object) &&
      PyUnicode_CompareWithASCIIString(object, "same_value") == 0) {
    *casting = Casting::kSameValue;
    return true;
  }
  NPY_CASTING value = NPY_SAFE_CASTING;
  if (!PyArray_CastingConverter(object, &value)) return false;
  *casting = value == NPY_NO_CASTING          ? Casting::kNo
             : value == NPY_EQUIV_CASTING     ? Casting::kEquiv
             : value == NPY_SAFE_CASTING      ? Casting::kSafe
             : value == NPY_SAME_KIND_CASTING ? Casting::kSameKind
                                              : Casting::kUnsafe;
  return true;
}

const char* CastingName(Casting casting) {
  switch (casting) {
    case Casting::kNo:
      return "no";
    case Casting::kEquiv:
      return "equiv";
    case Casting::kSafe:
      return "safe";
    case Casting::kSameKind:
      return "same_kind";
    case Casting::kUnsafe:
      return "unsafe";
    case Casting::kSameValue:
      return "same_value";
  }
  return "";
}

namespace {

// Arrays without dimensions are sequences by their type, but have no length.
bool HasLength(PyObject* object) {
  if (!PySequence_Check(object)) return false;
  if (!PyIndex_Check(object) || PySequence_Size(object) >= 0) return true;
  PyErr_Clear();
  return false;
}

}  // namespace

bool ToDims(PyObject* object, Dims* dims) {
  dims->clear();
  if (PyLong_CheckExact(object) || PyFloat_Check(object) ||
      (PyIndex_Check(object) && !HasLength(object))) {
    int64_t n;
    if (!ToIndex(object, &n)) return false;
    dims->push_back(n);
    return true;
  }
  PyRef items(PySequence_Fast(object,
                              "expected a sequence of integers or a "
                              "single integer"));
  if (!items) return false;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(items.get());
  if (count > kMaxRank) {
    PyErr_Format(PyExc_ValueError,
                 "maximum supported dimension for an ndarray is currently 64, "
                 "found %zd",
                 count);
    return false;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    int64_t n;
    if (!ToIndex(PySequence_Fast_GET_ITEM(items.get(), i), &n)) return false;
    dims->push_back(n);
  }
  return true;
}

bool ToShape(PyObject* object, Dims* shape) {
  if (!ToDims(object, shape)) return false;
  for (int64_t n : *shape) {
    if (n < 0) {
      PyErr_SetString(PyExc_ValueError, "negative dimensions are not allowed");
      return false;
    }
  }
  return true;
}

bool ToAxis(PyObject* object, int rank, int* axis) {
  int64_t n;
  if (!ToIndex(object, &n)) return false;
  if (n < -rank || n >= rank) {
    RaiseAxisError(n, rank);
    return false;
  }
  *axis = static_cast<int>(n < 0 ? n + rank : n);
  return true;
}

bool ToAxes(PyObject* object, int rank, uint64_t* axes) {
  *axes = 0;
  if (object == Py_None) {
    *axes = rank == 64 ? ~uint64_t{0} : (uint64_t{1} << rank) - 1;
    return true;
  }
  PyRef items(PyTuple_Check(object) ? Py_NewRef(object)
                                    : PyTuple_Pack(1, object));
  if (!items) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.get()); ++i) {
    PyObject* item = PyTuple_GET_ITEM(items.get(), i);
    int axis;
    // NumPy takes axis 0 and -1 of an array without dimensions, in no tuple.
    if (rank == 0 && !PyTuple_Check(object)) {
      if (!ToAxis(item, 1, &axis)) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return false;
        PyErr_Clear();
        return ToAxis(item, 0, &axis);
      }
      return true;
    }
    if (!ToAxis(item, rank, &axis)) return false;
    if ((*axes >> axis & 1) != 0) {
      PyErr_SetString(PyExc_ValueError, "duplicate value in 'axis'");
      return false;
    }
    *axes |= uint64_t{1} << axis;
  }
  return true;
}

PyObject* TupleOf(absl::Span<const int64_t> numbers) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(numbers.size()));
  if (tuple == nullptr) return nullptr;
  for (size_t i = 0; i < numbers.size(); ++i) {
    PyObject* number = PyLong_FromLongLong(numbers[i]);
    if (number == nullptr) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), number);
  }
  return tuple;
}

PyObject* RaiseCast(const char* what, DType from, DType to, Casting casting) {
  return PyErr_Format(PyExc_TypeError,
                      "Cannot cast %s from %R to %R according to the rule '%s'",
                      what, ToDescr(from), ToDescr(to), CastingName(casting));
}

bool WarnComplexCast(DType from, DType to) {
  if (!IsComplex(from) || IsComplex(to) || to == DType::kBool) return true;
  PyRef module(PyImport_ImportModule("numpy.exceptions"));
  if (!module) return false;
  PyRef category(PyObject_GetAttrString(module.get(), "ComplexWarning"));
  return category &&
         PyErr_WarnEx(category.get(),
                      "Casting complex values to real discards the imaginary "
                      "part",
                      1) == 0;
}

}  // namespace fuseau::python

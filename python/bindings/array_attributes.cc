// Attributes of ndarray.
#include <algorithm>

#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"

namespace fuseau::python {
namespace {

PyObject* GetShape(PyObject* self, void*) {
  return TupleOf(ArrayOf(self).shape());
}

int SetShape(PyObject* self, PyObject* value, void*) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "Cannot delete array shape");
    return -1;
  }
  Array& array = ArrayOf(self);
  Dims wanted;
  if (!ToDims(value, &wanted)) return -1;
  auto shape = ResolveShape(array, wanted);
  if (!shape.ok()) {
    Raise(shape.status());
    return -1;
  }
  std::optional<Array> view = ReshapeView(array, *shape, /*f_order=*/false);
  if (!view.has_value()) {
    PyErr_SetString(PyExc_AttributeError,
                    "Incompatible shape for in-place modification. Use "
                    "`.reshape()` to make a copy with the desired shape.");
    return -1;
  }
  array = *std::move(view);
  return 0;
}

PyObject* GetStrides(PyObject* self, void*) {
  return TupleOf(ArrayOf(self).strides());
}

PyObject* GetDType(PyObject* self, void*) {
  return Py_NewRef(reinterpret_cast<PyObject*>(ToDescr(ArrayOf(self).dtype())));
}

// The array becomes the view of itself that one of its methods gives.
int BecomeView(PyObject* self, PyObject* value, const char* method,
               const char* attribute) {
  if (value == nullptr) {
    PyErr_Format(PyExc_AttributeError, "Cannot delete array %s", attribute);
    return -1;
  }
  PyRef view(PyObject_CallMethod(self, method, "(O)", value));
  if (!view) return -1;
  if (!IsArray(view.get())) {
    PyErr_Format(PyExc_TypeError, "fuseau has no arrays of type %S", value);
    return -1;
  }
  Array& array = ArrayOf(self);
  // The view says how it lies, the array what may be done with it.
  const int kept = array.flags() & ~kLayoutFlags;
  array = ArrayOf(view.get());
  array.set_flags(static_cast<uint8_t>((array.flags() & kLayoutFlags) | kept));
  return 0;
}

int SetDType(PyObject* self, PyObject* value, void*) {
  return BecomeView(self, value, "view", "dtype");
}

int SetStrides(PyObject* self, PyObject* value, void*) {
  return BecomeView(self, value, "_with_strides", "strides");
}

PyObject* GetRank(PyObject* self, void*) {
  return PyLong_FromLong(ArrayOf(self).rank());
}

PyObject* GetSize(PyObject* self, void*) {
  return PyLong_FromLongLong(ArrayOf(self).size());
}

PyObject* GetItemSize(PyObject* self, void*) {
  return PyLong_FromLongLong(ArrayOf(self).item_size());
}

PyObject* GetBytes(PyObject* self, void*) {
  return PyLong_FromLongLong(ArrayOf(self).size() * ArrayOf(self).item_size());
}

PyObject* View(PyObject* self, absl::Span<const int> axes) {
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  TransposeView(ArrayOf(self), axes, &ArrayOf(result));
  return FinishView(result, self);
}

PyObject* GetTransposed(PyObject* self, void*) {
  const int rank = ArrayOf(self).rank();
  int axes[kMaxRank];
  for (int i = 0; i < rank; ++i) axes[i] = rank - 1 - i;
  return View(self, absl::MakeConstSpan(axes, static_cast<size_t>(rank)));
}

PyObject* GetMatrixTransposed(PyObject* self, void*) {
  const int rank = ArrayOf(self).rank();
  if (rank < 2) {
    PyErr_SetString(PyExc_ValueError,
                    "matrix transpose with ndim < 2 is undefined");
    return nullptr;
  }
  int axes[kMaxRank];
  for (int i = 0; i < rank; ++i) axes[i] = i;
  std::swap(axes[rank - 2], axes[rank - 1]);
  return View(self, absl::MakeConstSpan(axes, static_cast<size_t>(rank)));
}

PyObject* GetBase(PyObject* self, void*) {
  PyObject* owner = reinterpret_cast<ArrayObject*>(self)->owner;
  return Py_NewRef(owner != nullptr ? owner : Py_None);
}

PyObject* GetFlags(PyObject* self, void*) {
  PyObject* hook = Hook("flags");
  return hook != nullptr ? PyObject_CallOneArg(hook, self) : nullptr;
}

PyObject* Part(PyObject* self, bool imaginary) {
  const Array& array = ArrayOf(self);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  if (IsComplex(array.dtype())) {
    PartView(array, imaginary, out);
    if (array.has(kScalarFlag)) {
      Array element = std::move(*out);
      return FinishRecorded(result, TakeNumber(element, out));
    }
    return FinishView(result, self);
  }
  if (!imaginary) {
    Py_DECREF(result);
    return Py_NewRef(self);
  }
  Operand zero;
  zero.kind = KindOf(DType::kBool);
  const absl::Status status =
      Full(array.shape(), array.dtype(), zero, Order::kC, out);
  if (status.ok()) {
    out->set_flags((out->flags() & ~kWritable) | (array.flags() & kScalarFlag));
  }
  return FinishRecorded(result, status);
}

PyObject* GetReal(PyObject* self, void*) { return Part(self, false); }
PyObject* GetImag(PyObject* self, void*) { return Part(self, true); }

int SetPart(PyObject* self, PyObject* value, bool imaginary) {
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "Cannot delete array part");
    return -1;
  }
  if (imaginary && !IsComplex(ArrayOf(self).dtype())) {
    PyErr_SetString(PyExc_TypeError,
                    "array does not have imaginary part to set");
    return -1;
  }
  PyRef part(Part(self, imaginary));
  return part ? SetItem(part.get(), Py_Ellipsis, value) : -1;
}

int SetReal(PyObject* self, PyObject* value, void*) {
  return SetPart(self, value, false);
}
int SetImag(PyObject* self, PyObject* value, void*) {
  return SetPart(self, value, true);
}

PyObject* GetData(PyObject* self, void*) {
  return PyMemoryView_FromObject(self);
}

PyObject* GetPriority(PyObject*, void*) { return PyFloat_FromDouble(0); }

// isinstance() asks for this where the type itself does not answer. Who asks
// whether a result is a number wants the number: it is computed, so that what
// looks like NumPy's scalar has a value as one has.
PyObject* GetClass(PyObject* self, void*) {
  const Array& array = ArrayOf(self);
  if (array.has(kScalarFlag)) {
    Node* node = array.node();
    if (absl::Status s = Evaluate({&node, 1}); !s.ok()) return Raise(s);
  }
  PyTypeObject* type =
      array.has(kScalarFlag) ? ToDescr(array.dtype())->typeobj : Py_TYPE(self);
  return Py_NewRef(reinterpret_cast<PyObject*>(type));
}

PyObject* GetIsScalar(PyObject* self, void*) {
  return PyBool_FromLong(ArrayOf(self).has(kScalarFlag));
}

PyObject* GetPending(PyObject* self, void*) {
  return PyBool_FromLong(ArrayOf(self).node()->pending());
}

PyObject* GetWritable(PyObject* self, void*) {
  return PyBool_FromLong(ArrayOf(self).has(kWritable));
}

// As NumPy's setflags: an array may become writable again if its base's owner
// is.
int SetWritable(PyObject* self, PyObject* value, void*) {
  const int wanted = value != nullptr ? PyObject_IsTrue(value) : -1;
  if (wanted < 0) return -1;
  Array& array = ArrayOf(self);
  PyObject* owner = reinterpret_cast<ArrayObject*>(self)->owner;
  if (wanted && (array.has(kScalarFlag) || array.has(kForeign) ||
                 (owner != nullptr && !ArrayOf(owner).has(kWritable)))) {
    PyErr_SetString(PyExc_ValueError,
                    "cannot set WRITEABLE flag to True of this array");
    return -1;
  }
  array.set_flags(wanted ? array.flags() | kWritable
                         : array.flags() & ~kWritable);
  return 0;
}

PyObject* GetForeign(PyObject* self, void*) {
  return PyBool_FromLong(ArrayOf(self).has(kForeign));
}

int SetForeign(PyObject* self, PyObject* value, void*) {
  const int wanted = value != nullptr ? PyObject_IsTrue(value) : -1;
  if (wanted < 0) return -1;
  Array& array = ArrayOf(self);
  array.set_flags(wanted ? array.flags() | kForeign
                         : array.flags() & ~kForeign);
  return 0;
}

// Whether every element lies at a multiple of what its type wants.
PyObject* GetAligned(PyObject* self, void*) {
  const Array& array = ArrayOf(self);
  const int64_t want =
      IsComplex(array.dtype()) ? array.item_size() / 2 : array.item_size();
  bool aligned = array.offset() % want == 0;
  for (int d = 0; d < array.rank(); ++d) {
    aligned &= array.shape()[d] <= 1 || array.strides()[d] % want == 0;
  }
  return PyBool_FromLong(aligned || array.size() == 0);
}

}  // namespace

PyGetSetDef array_getset[] = {
    {"shape", GetShape, SetShape, "Sizes of the dimensions.", nullptr},
    {"strides", GetStrides, SetStrides, "Bytes from element to element.",
     nullptr},
    {"dtype", GetDType, SetDType, "Type of the elements.", nullptr},
    {"ndim", GetRank, nullptr, "Number of dimensions.", nullptr},
    {"size", GetSize, nullptr, "Number of elements.", nullptr},
    {"itemsize", GetItemSize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", GetBytes, nullptr, "Bytes of all elements.", nullptr},
    {"T", GetTransposed, nullptr, "View with the axes reversed.", nullptr},
    {"mT", GetMatrixTransposed, nullptr,
     "View with the last two axes interchanged.", nullptr},
    {"base", GetBase, nullptr, "The array that this is a view of.", nullptr},
    {"flags", GetFlags, nullptr, "Facts about the memory.", nullptr},
    {"real", GetReal, SetReal, "The real part.", nullptr},
    {"imag", GetImag, SetImag, "The imaginary part.", nullptr},
    {"data", GetData, nullptr, "A memoryview of the elements.", nullptr},
    {"__class__", GetClass, nullptr, nullptr, nullptr},
    {"is_scalar", GetIsScalar, nullptr,
     "Whether the array stands for one of NumPy's scalars.", nullptr},
    {"is_pending", GetPending, nullptr, "Whether it is still to be computed.",
     nullptr},
    {"_aligned", GetAligned, nullptr, nullptr, nullptr},
    {"_writeable", GetWritable, SetWritable, nullptr, nullptr},
    {"_foreign", GetForeign, SetForeign, nullptr, nullptr},
    {"__array_interface__", ArrayInterface, nullptr, nullptr, nullptr},
    {"__array_priority__", GetPriority, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace fuseau::python

#include "python/bindings/exchange.h"

#include <algorithm>
#include <cstring>

#include "frontend/evaluate.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "runtime/buffer.h"

namespace fuseau::python {
namespace {

constexpr char kExposureName[] = "fuseau.exposure";
constexpr char kBufferName[] = "fuseau.buffer";

void EndExposure(PyObject* capsule) {
  auto* base = static_cast<Base*>(PyCapsule_GetPointer(capsule, kExposureName));
  LetGo(base);
  Graph::Get().Unref(base);
}

void DropBuffer(PyObject* capsule) {
  runtime::BufferRef::Adopt(static_cast<runtime::Buffer*>(
      PyCapsule_GetPointer(capsule, kBufferName)));
}

// A NumPy array over memory that `keeper` keeps alive.
PyObject* NumpyOver(const Array& array, char* data, bool writable,
                    PyRef keeper) {
  if (!keeper) return nullptr;
  npy_intp shape[kMaxRank];
  npy_intp strides[kMaxRank];
  for (int d = 0; d < array.rank(); ++d) {
    shape[d] = array.shape()[d];
    strides[d] = array.strides()[d];
  }
  PyArray_Descr* descr = ToDescr(array.dtype());
  Py_INCREF(descr);
  PyObject* result = PyArray_NewFromDescr(
      &PyArray_Type, descr, array.rank(), shape, strides, data + array.offset(),
      writable ? NPY_ARRAY_WRITEABLE : 0, nullptr);
  if (result == nullptr) return nullptr;
  if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(result),
                            keeper.Release()) < 0) {
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

// A NumPy array of its own for one known number.
PyObject* NumpyNumber(const Array& array) {
  PyArray_Descr* descr = ToDescr(array.dtype());
  Py_INCREF(descr);
  PyRef result(PyArray_NewFromDescr(&PyArray_Type, descr, 0, nullptr, nullptr,
                                    nullptr, 0, nullptr));
  if (!result) return nullptr;
  char element[16];
  if (absl::Status s = ReadElement(array, element); !s.ok()) return Raise(s);
  std::memcpy(PyArray_DATA(result.array()), element,
              static_cast<size_t>(array.item_size()));
  return result.Release();
}

}  // namespace

PyObject* ToNumpy(const Array& array) {
  if (array.has(kScalarFlag)) return NumpyNumber(array);
  Base* base = array.base();
  if (absl::Status s = Expose(base); !s.ok()) return Raise(s);
  PyRef keeper(PyCapsule_New(base, kExposureName, EndExposure));
  if (!keeper) {
    Unexpose(base);
    return nullptr;
  }
  Graph::Get().Ref(base);
  return NumpyOver(array, base->cur->buffer->data(), array.has(kWritable),
                   std::move(keeper));
}

namespace {

PyObject* ValuesToNumpy(const Array& array, bool writable) {
  if (array.rank() == 0) return NumpyNumber(array);
  const NodeRef node(array.node());
  Node* root = node.get();
  absl::Status status = Evaluate({&root, 1});
  if (status.ok()) status = EnsureBuffer(root);
  if (!status.ok()) return Raise(status);
  runtime::BufferRef buffer = node->buffer;
  char* data = buffer->data();
  PyRef keeper(PyCapsule_New(buffer.get(), kBufferName, DropBuffer));
  if (!keeper) return nullptr;
  buffer.Release();
  return NumpyOver(array, data, writable, std::move(keeper));
}

}  // namespace

PyObject* SnapshotToNumpy(const Array& array) {
  return ValuesToNumpy(array, /*writable=*/false);
}

PyObject* LendToNumpy(const Array& array) {
  return ValuesToNumpy(array, /*writable=*/true);
}

bool CopyValues(PyArrayObject* source, DType dtype, Array* out) {
  const int rank = PyArray_NDIM(source);
  Dims shape(rank), strides(rank);
  for (int d = 0; d < rank; ++d) {
    shape[d] = PyArray_DIM(source, d);
    strides[d] = PyArray_STRIDE(source, d);
  }
  if (rank == 0) {
    char element[16] = {};
    if (PyArray_ISALIGNED(source)) {
      std::memcpy(element, PyArray_DATA(source), ItemSize(dtype));
      Number(dtype, element, /*scalar_flag=*/false, out);
      return true;
    }
  }
  uint8_t axes[kMaxRank];
  CopyOrder(shape, strides, PyArray_IS_C_CONTIGUOUS(source),
            PyArray_IS_F_CONTIGUOUS(source), Order::kKeep, axes);
  absl::Status status = MakeUninitialized(dtype, shape, axes, kWritable, out);
  if (!status.ok()) {
    Raise(status);
    return false;
  }
  char* data = out->node()->buffer->data();
  const bool dense =
      PyArray_IS_C_CONTIGUOUS(source) || PyArray_IS_F_CONTIGUOUS(source);
  if (dense && PyArray_ISBEHAVED_RO(source)) {
    const int64_t bytes = out->node()->bytes;
    if (bytes > 0) {
      std::memcpy(data, PyArray_DATA(source), static_cast<size_t>(bytes));
    }
    // Along axes of size 1 any stride is right; programs may print them.
    std::copy(strides.begin(), strides.end(), out->strides_data());
    return true;
  }
  PyRef keeper(Py_NewRef(Py_None));
  PyRef target(NumpyOver(*out, data, /*writable=*/true, std::move(keeper)));
  return target && PyArray_CopyInto(target.array(), source) == 0;
}

bool CopyOperand(PyArrayObject* source, DType dtype, Array* out) {
  const int rank = PyArray_NDIM(source);
  Dims shape(PyArray_DIMS(source), PyArray_DIMS(source) + rank);
  Dims once = shape;
  for (int d = 0; d < rank; ++d) {
    if (PyArray_STRIDE(source, d) == 0 && shape[d] > 1) once[d] = 1;
  }
  // NumPy's arrays without elements have strides of 0 too, and can be written.
  if (once == shape || PyArray_SIZE(source) == 0) {
    return CopyValues(source, dtype, out);
  }
  PyArray_Descr* descr = PyArray_DESCR(source);
  Py_INCREF(descr);
  PyRef part(PyArray_NewFromDescr(&PyArray_Type, descr, rank, once.data(),
                                  PyArray_STRIDES(source), PyArray_DATA(source),
                                  0, nullptr));
  Array copied;
  if (!part || !CopyValues(part.array(), dtype, &copied)) return false;
  const absl::Status status = BroadcastView(copied, shape, out);
  if (!status.ok()) Raise(status);
  return status.ok();
}

PyObject* CopyFromNumpy(PyArrayObject* source, bool operand) {
  DType dtype;
  if (!FromTypeNumber(PyArray_TYPE(source), &dtype)) {
    return PyErr_Format(PyExc_TypeError, "fuseau has no arrays of type %S",
                        PyArray_DESCR(source));
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* const out = &ArrayOf(result);
  if (!(operand ? CopyOperand : CopyValues)(source, dtype, out)) {
    Py_DECREF(result);
    return nullptr;
  }
  return result;
}

namespace {

// Less is copied: it costs no more than to keep track of NumPy's memory.
constexpr int64_t kSmallBytes = 16 << 10;

// The array that owns the memory of `array`, if `array` is the only way to it
// and there is not much more of it; else null.
PyArrayObject* OnlyOwner(PyArrayObject* array) {
  if (Py_REFCNT(array) != 1 || !PyArray_ISBEHAVED(array)) return nullptr;
  PyArrayObject* owner = array;
  if (PyObject* base = PyArray_BASE(array); base != nullptr) {
    if (!PyArray_CheckExact(base) || Py_REFCNT(base) != 1) return nullptr;
    owner = reinterpret_cast<PyArrayObject*>(base);
    if (PyArray_BASE(owner) != nullptr) return nullptr;
  }
  const bool fits = PyArray_NBYTES(owner) <= 2 * PyArray_NBYTES(array);
  return PyArray_CHKFLAGS(owner, NPY_ARRAY_OWNDATA) && fits ? owner : nullptr;
}

// Any thread may drop the last reference to a buffer.
void DropFromAnyThread(PyObject* object) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(object);
  PyGILState_Release(state);
}

}  // namespace

PyObject* TakeFromNumpy(PyRef source) {
  PyArrayObject* from = source.array();
  DType dtype;
  if (!FromDescr(PyArray_DESCR(from), &dtype)) return source.Release();
  PyArrayObject* owner =
      PyArray_NBYTES(from) < kSmallBytes ? nullptr : OnlyOwner(from);
  if (owner == nullptr) return CopyFromNumpy(from);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array& array = ArrayOf(result);
  const int rank = PyArray_NDIM(from);
  array.SetRank(rank);
  std::copy_n(PyArray_DIMS(from), rank, array.shape_data());
  std::copy_n(PyArray_STRIDES(from), rank, array.strides_data());
  array.set_dtype(dtype);
  array.set_offset(PyArray_BYTES(from) - PyArray_BYTES(owner));
  array.set_flags(kWritable);
  array.UpdateLayout();
  const int64_t bytes = PyArray_NBYTES(owner);
  char* data = PyArray_BYTES(owner);
  Graph& graph = Graph::Get();
  Node* node = graph.NewReady(
      runtime::Buffer::Wrap(
          data, bytes,
          [keeper = source.Release()] { DropFromAnyThread(keeper); }),
      bytes);
  array.set_base(BaseRef::Adopt(graph.NewBase(node)));
  return result;
}

PyObject* Unpickle(PyObject*, PyObject* args) {
  PyObject* values;
  int flags;
  if (!PyArg_ParseTuple(args, "O!i", &PyArray_Type, &values, &flags)) {
    return nullptr;
  }
  PyObject* result = CopyFromNumpy(reinterpret_cast<PyArrayObject*>(values));
  if (result == nullptr) return nullptr;
  Array& array = ArrayOf(result);
  // NumPy leaves a large array in the bytes of the pickle.
  PyObject* base = PyArray_BASE(reinterpret_cast<PyArrayObject*>(values));
  const int foreign = base != nullptr && PyBytes_Check(base) ? kForeign : 0;
  array.set_flags(static_cast<uint8_t>(
      (array.flags() & kLayoutFlags) | (flags & kScalarFlag) | foreign |
      ((flags & kScalarFlag) != 0 ? 0 : kWritable)));
  return result;
}

// __array__(dtype=None, copy=None)
PyObject* ArrayMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"dtype", "copy", nullptr};
  PyObject* dtype = Py_None;
  PyObject* copy = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO",
                                   const_cast<char**>(names), &dtype, &copy)) {
    return nullptr;
  }
  const Array& array = ArrayOf(self);
  PyArray_Descr* descr = nullptr;
  if (dtype != Py_None &&
      PyArray_DescrConverter(dtype, &descr) != NPY_SUCCEED) {
    return nullptr;
  }
  const bool other =
      descr != nullptr && !PyArray_EquivTypes(descr, ToDescr(array.dtype()));
  PyRef wanted(reinterpret_cast<PyObject*>(descr));
  if (other && copy == Py_False) {
    PyErr_SetString(PyExc_ValueError,
                    "Unable to avoid copy while creating an array as "
                    "requested.");
    return nullptr;
  }
  if (!other && copy != Py_True) return ToNumpy(array);
  PyRef values(SnapshotToNumpy(array));
  if (!values) return nullptr;
  PyArray_Descr* target = other ? descr : ToDescr(array.dtype());
  Py_INCREF(target);
  return PyArray_CastToType(values.array(), target,
                            PyArray_IS_F_CONTIGUOUS(values.array()) &&
                                !PyArray_IS_C_CONTIGUOUS(values.array()));
}

PyObject* ArrayInterface(PyObject* self, void*) {
  if (ArrayOf(self).has(kScalarFlag)) {
    // There is no memory that would stay.
    PyErr_SetString(PyExc_AttributeError, "__array_interface__");
    return nullptr;
  }
  // Nobody tells when the address is not used any more, so the base stays
  // exposed.
  Base* base = ArrayOf(self).base();
  PyRef view(ToNumpy(ArrayOf(self)));
  if (!view) return nullptr;
  if (base->exposed == 1) {
    if (absl::Status s = Expose(base); !s.ok()) return Raise(s);
    Graph::Get().Ref(base);
  }
  return PyObject_GetAttrString(view.get(), "__array_interface__");
}

int GetBuffer(PyObject* self, Py_buffer* view, int flags) {
  // NumPy knows how to fill a Py_buffer, and its array keeps the base exposed
  // until the buffer is released.
  PyRef values(ToNumpy(ArrayOf(self)));
  return values ? PyObject_GetBuffer(values.get(), view, flags) : -1;
}

PyObject* DlpackMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyRef values(ToNumpy(ArrayOf(self)));
  if (!values) return nullptr;
  PyRef method(PyObject_GetAttrString(values.get(), "__dlpack__"));
  return method ? PyObject_Call(method.get(), args, kwargs) : nullptr;
}

PyObject* DlpackDevice(PyObject*, PyObject*) {
  return Py_BuildValue("(ii)", /*kDLCPU=*/1, 0);
}

}  // namespace fuseau::python

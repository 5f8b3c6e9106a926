// Methods of ndarray that are worth doing without Python code. Others are
// attached to the type by the Python package.
#include <algorithm>
#include <cstring>

#include "frontend/device.h"
#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "frontend/views.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "python/bindings/functions.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

// The only argument if it is a sequence, otherwise all: a.reshape(2, 3) and
// a.reshape((2, 3)) are the same.
PyObject* OneOrAll(PyObject* args) {
  if (PyTuple_GET_SIZE(args) == 1) return PyTuple_GET_ITEM(args, 0);
  return args;
}

PyObject* FinishViewOf(const Array& view, PyObject* source) {
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  ArrayOf(result) = view;
  return FinishView(result, source);
}

// A copy of another shape, in C or Fortran order.
PyObject* ReshapedCopy(const Array& array, absl::Span<const int64_t> shape,
                       bool f_order) {
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array copy;
  const absl::Status status =
      Copy(array, f_order ? Order::kF : Order::kC, &copy);
  if (!status.ok()) {
    Py_DECREF(result);
    return Raise(status);
  }
  ArrayOf(result) = *ReshapeView(copy, shape, f_order);
  return FinishRecorded(result);
}

bool IsFortran(const Array& array) {
  return array.has(kFContiguous) && !array.has(kCContiguous);
}

PyObject* Reshape(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"order", "copy", nullptr};
  PyObject* order_arg = nullptr;
  PyObject* copy = Py_None;
  PyRef none(PyTuple_New(0));
  if (!none || (kwargs != nullptr &&
                !PyArg_ParseTupleAndKeywords(none.get(), kwargs, "|$OO",
                                             const_cast<char**>(names),
                                             &order_arg, &copy))) {
    return nullptr;
  }
  const Array& array = ArrayOf(self);
  Order order = Order::kC;
  if (order_arg != nullptr && !ToOrder(order_arg, &order)) return nullptr;
  if (order == Order::kKeep) {
    PyErr_SetString(PyExc_ValueError,
                    "order 'K' is not permitted for reshaping");
    return nullptr;
  }
  const bool f_order =
      order == Order::kF || (order == Order::kA && IsFortran(array));
  Dims wanted;
  if (PyTuple_GET_SIZE(args) == 0) {
    PyErr_SetString(PyExc_TypeError,
                    "reshape() takes exactly 1 argument (0 given)");
    return nullptr;
  }
  // None stands for the shape that the array has.
  if (OneOrAll(args) == Py_None) {
    wanted.assign(array.shape().begin(), array.shape().end());
  } else if (!ToDims(OneOrAll(args), &wanted)) {
    return nullptr;
  }
  auto shape = ResolveShape(array, wanted);
  if (!shape.ok()) return Raise(shape.status());
  const int must_copy = copy == Py_None ? 0 : PyObject_IsTrue(copy);
  if (must_copy < 0) return nullptr;
  if (!must_copy) {
    std::optional<Array> view;
    if (absl::MakeConstSpan(wanted) == array.shape()) {
      // NumPy then keeps the strides, whatever they are.
      view = array;
      view->set_flags(array.flags() & ~(kScalarFlag | kForeign));
    } else {
      view = ReshapeView(array, *shape, f_order);
    }
    if (view.has_value()) return FinishViewOf(*view, self);
    if (copy != Py_None) {
      PyErr_SetString(PyExc_ValueError,
                      "Unable to avoid creating a copy while reshaping.");
      return nullptr;
    }
  }
  return ReshapedCopy(array, *shape, f_order);
}

// The arguments of a method with none but `order`; mostly there is none.
bool ParseOrder(PyObject* args, PyObject* kwargs, PyObject** order) {
  static const char* const names[] = {"order", nullptr};
  if (PyTuple_GET_SIZE(args) == 0 && kwargs == nullptr) return true;
  return PyArg_ParseTupleAndKeywords(args, kwargs, "|O",
                                     const_cast<char**>(names), order);
}

PyObject* Flat(PyObject* self, PyObject* args, PyObject* kwargs, bool copy) {
  PyObject* order_arg = nullptr;
  if (!ParseOrder(args, kwargs, &order_arg)) return nullptr;
  Order order = Order::kC;
  if (order_arg != nullptr && !ToOrder(order_arg, &order)) return nullptr;
  Array array = ArrayOf(self);
  if (order == Order::kA) order = IsFortran(array) ? Order::kF : Order::kC;
  if (order == Order::kKeep) {
    uint8_t memory[kMaxRank];
    int axes[kMaxRank];
    const int rank = array.rank();
    for (int i = 0; i < rank; ++i) memory[i] = static_cast<uint8_t>(i);
    if (!array.has(kCContiguous)) {
      SortByStride(array.strides_data(), rank, memory);
    }
    for (int i = 0; i < rank; ++i) axes[i] = memory[i];
    Array turned;
    TransposeView(array, absl::MakeConstSpan(axes, static_cast<size_t>(rank)),
                  &turned);
    array = std::move(turned);
    order = Order::kC;
  }
  const bool f_order = order == Order::kF;
  const int64_t shape[1] = {array.size()};
  if (!copy && array.has(f_order ? kFContiguous : kCContiguous)) {
    return FinishViewOf(*ReshapeView(array, shape, f_order), self);
  }
  return ReshapedCopy(array, shape, f_order);
}

PyObject* Ravel(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Flat(self, args, kwargs, /*copy=*/false);
}
PyObject* Flatten(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Flat(self, args, kwargs, /*copy=*/true);
}

PyObject* Transposed(PyObject* self, const int* axes) {
  Array view;
  const Array& array = ArrayOf(self);
  TransposeView(array,
                absl::MakeConstSpan(axes, static_cast<size_t>(array.rank())),
                &view);
  return FinishViewOf(view, self);
}

PyObject* Transpose(PyObject* self, PyObject* args) {
  const int rank = ArrayOf(self).rank();
  int axes[kMaxRank];
  PyObject* wanted = OneOrAll(args);
  if (PyTuple_GET_SIZE(args) == 0 || wanted == Py_None) {
    for (int i = 0; i < rank; ++i) axes[i] = rank - 1 - i;
    return Transposed(self, axes);
  }
  Dims numbers;
  if (!ToDims(wanted, &numbers)) return nullptr;
  if (static_cast<int>(numbers.size()) != rank) {
    PyErr_SetString(PyExc_ValueError, "axes don't match array");
    return nullptr;
  }
  uint64_t seen = 0;
  for (int i = 0; i < rank; ++i) {
    const int64_t axis = numbers[i];
    if (axis < -rank || axis >= rank) return RaiseAxisError(axis, rank);
    axes[i] = static_cast<int>(axis < 0 ? axis + rank : axis);
    if ((seen >> axes[i] & 1) != 0) {
      PyErr_SetString(PyExc_ValueError, "repeated axis in transpose");
      return nullptr;
    }
    seen |= uint64_t{1} << axes[i];
  }
  return Transposed(self, axes);
}

PyObject* SwapAxes(PyObject* self, PyObject* args) {
  PyObject* first;
  PyObject* second;
  if (!PyArg_ParseTuple(args, "OO:swapaxes", &first, &second)) return nullptr;
  const int rank = ArrayOf(self).rank();
  int a, b;
  if (!ToAxis(first, rank, &a) || !ToAxis(second, rank, &b)) return nullptr;
  int axes[kMaxRank];
  for (int i = 0; i < rank; ++i) axes[i] = i;
  std::swap(axes[a], axes[b]);
  return Transposed(self, axes);
}

PyObject* Squeeze(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"axis", nullptr};
  PyObject* axis = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O",
                                   const_cast<char**>(names), &axis)) {
    return nullptr;
  }
  const Array& array = ArrayOf(self);
  uint64_t drop = 0;
  if (axis != Py_None && !ToAxes(axis, array.rank(), &drop)) return nullptr;
  Dims shape, strides;
  for (int d = 0; d < array.rank(); ++d) {
    const bool one = array.shape()[d] == 1;
    const bool dropped = axis == Py_None ? one : (drop >> d & 1) != 0;
    if (dropped && !one) {
      PyErr_SetString(PyExc_ValueError,
                      "cannot select an axis to squeeze out which has size not "
                      "equal to one");
      return nullptr;
    }
    if (dropped) continue;
    shape.push_back(array.shape()[d]);
    strides.push_back(array.strides()[d]);
  }
  // Where there is nothing to take out NumPy gives the array itself.
  if (axis == Py_None && static_cast<int>(shape.size()) == array.rank()) {
    return Py_NewRef(self);
  }
  Array view;
  const absl::Status status =
      StridedView(array, 0, shape, strides, /*writable=*/true, &view);
  return status.ok() ? FinishViewOf(view, self) : Raise(status);
}

PyObject* ViewAs(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"dtype", "type", nullptr};
  PyObject* dtype = Py_None;
  PyObject* type = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO",
                                   const_cast<char**>(names), &dtype, &type)) {
    return nullptr;
  }
  auto* const own = reinterpret_cast<PyObject*>(array_type);
  if (dtype == own) dtype = Py_None;
  if (type == own) type = Py_None;
  DType wanted = ArrayOf(self).dtype();
  if (type != Py_None || (dtype != Py_None && !ToDType(dtype, &wanted))) {
    // A type or a class that only NumPy has: its view of this memory.
    PyErr_Clear();
    PyRef values(ToNumpy(ArrayOf(self)));
    PyRef method(values ? PyObject_GetAttrString(values.get(), "view")
                        : nullptr);
    return method ? PyObject_Call(method.get(), args, kwargs) : nullptr;
  }
  Array view;
  const absl::Status status = TypeView(ArrayOf(self), wanted, &view);
  return status.ok() ? FinishViewOf(view, self) : Raise(status);
}

PyObject* CopyMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* order_arg = nullptr;
  if (!ParseOrder(args, kwargs, &order_arg)) return nullptr;
  Order order = Order::kC;
  if (order_arg != nullptr && !ToOrder(order_arg, &order)) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  const absl::Status status = Copy(ArrayOf(self), order, &ArrayOf(result));
  if (status.ok() && ArrayOf(self).has(kScalarFlag)) {
    ArrayOf(result).set_flags(ArrayOf(self).flags());
  }
  return FinishRecorded(result, status);
}

PyObject* ShallowCopy(PyObject* self, PyObject*) {
  PyRef none(PyTuple_New(0));
  return none ? CopyMethod(self, none.get(), nullptr) : nullptr;
}

// The argument `copy` of astype, for PyArg_Parse.
int ToCopy(PyObject* object, void* copy) {
  if (!PyBool_Check(object)) {
    PyRef modes(PyObject_GetAttrString(G().numpy, "_CopyMode"));
    const int is_mode = modes ? PyObject_IsInstance(object, modes.get()) : -1;
    if (is_mode < 0) return 0;
    if (is_mode != 0) {
      PyErr_SetString(PyExc_ValueError,
                      "_CopyMode enum is not allowed for astype function. Use "
                      "true/false instead.");
      return 0;
    }
  }
  const int truth = PyObject_IsTrue(object);
  *static_cast<bool*>(copy) = truth != 0;
  return truth >= 0 ? 1 : 0;
}

// astype(dtype, order='K', casting='unsafe', subok=True, copy=True)
PyObject* AsTypeMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"dtype", "order", "casting",
                                      "subok", "copy",  nullptr};
  PyObject* dtype;
  PyObject* order = nullptr;
  PyObject* casting = nullptr;
  int subok = 1;
  bool copy = true;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOpO&",
                                   const_cast<char**>(names), &dtype, &order,
                                   &casting, &subok, ToCopy, &copy)) {
    return nullptr;
  }
  DType target;
  if (!ToDType(dtype, &target)) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
    PyArray_Descr* descr = nullptr;
    PyErr_Clear();
    if (PyArray_DescrConverter(dtype, &descr) != NPY_SUCCEED) return nullptr;
    Py_DECREF(descr);
    PyRef all(PySequence_Concat(PyRef(PyTuple_Pack(1, self)).get(), args));
    return CallFallback("ndarray.astype", nullptr, std::move(all), kwargs);
  }
  Order memory = Order::kKeep;
  Casting rule = Casting::kUnsafe;
  if (order != nullptr && !ToOrder(order, &memory)) return nullptr;
  if (casting != nullptr && !ToCasting(casting, &rule)) {
    // This method of NumPy's knows one rule more and says so.
    if (PyUnicode_Check(casting) && PyErr_ExceptionMatches(PyExc_ValueError)) {
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError,
                   "casting must be one of 'no', 'equiv', 'safe', 'same_kind', "
                   "'unsafe', 'same_value' (got '%U')",
                   casting);
    }
    return nullptr;
  }
  if (rule == Casting::kSameValue && target != ArrayOf(self).dtype()) {
    // NumPy looks at every value.
    PyRef all(PySequence_Concat(PyRef(PyTuple_Pack(1, self)).get(), args));
    return CallFallback("ndarray.astype", nullptr, std::move(all), kwargs);
  }
  return AsTypeObject(self, target, memory, rule, copy,
                      /*keep_scalar=*/true);
}

PyObject* Fill(PyObject* self, PyObject* value) {
  return SetItem(self, Py_Ellipsis, value) < 0 ? nullptr : Py_NewRef(Py_None);
}

PyObject* Item(PyObject* self, PyObject* args) {
  const Array& array = ArrayOf(self);
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count == 0) {
    if (array.size() != 1) {
      PyErr_SetString(PyExc_ValueError,
                      "can only convert an array of size 1 to a Python scalar");
      return nullptr;
    }
    return ItemOf(array);
  }
  if (count == 1 && PyTuple_Check(PyTuple_GET_ITEM(args, 0)))
    args = PyTuple_GET_ITEM(args, 0);
  Dims index(static_cast<size_t>(PyTuple_GET_SIZE(args)));
  for (size_t d = 0; d < index.size(); ++d) {
    if (!ToIndex(PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(d)), &index[d]))
      return nullptr;
  }
  if (index.size() == 1 && array.rank() != 1) {
    // A flat index.
    const int64_t size = array.size();
    int64_t i = index[0] < 0 ? index[0] + size : index[0];
    if (i < 0 || i >= size) {
      return PyErr_Format(
          PyExc_IndexError, "index %lld is out of bounds for size %lld",
          static_cast<long long>(index[0]), static_cast<long long>(size));
    }
    index.assign(static_cast<size_t>(array.rank()), 0);
    for (int d = array.rank() - 1; d >= 0; --d) {
      index[d] = i % array.shape()[d];
      i /= array.shape()[d];
    }
  }
  if (static_cast<int>(index.size()) != array.rank()) {
    PyErr_SetString(PyExc_ValueError, "incorrect number of indices for array");
    return nullptr;
  }
  absl::InlinedVector<IndexItem, 4> items(index.size());
  for (size_t d = 0; d < index.size(); ++d) {
    items[d].kind = IndexItem::kInteger;
    items[d].start = index[d];
  }
  Array element;
  const absl::Status status = IndexView(array, items, &element);
  return status.ok() ? ItemOf(element) : Raise(status);
}

PyObject* ToList(PyObject* self, PyObject*) {
  PyRef values(SnapshotToNumpy(ArrayOf(self)));
  return values ? PyArray_ToList(values.array()) : nullptr;
}

PyObject* Eval(PyObject* self, PyObject*) {
  Node* node = ArrayOf(self).node();
  absl::Status status = Compute({&node, 1});
  if (status.ok()) status = AwaitDevice();
  return status.ok() ? Py_NewRef(self) : Raise(status);
}

PyObject* Reduce(PyObject* self, PyObject*) {
  PyRef module(PyImport_ImportModule("fuseau._fuseau"));
  if (!module) return nullptr;
  PyRef make(PyObject_GetAttrString(module.get(), "_unpickle"));
  PyRef values(SnapshotToNumpy(ArrayOf(self)));
  if (!make || !values) return nullptr;
  return Py_BuildValue("(O(Oi))", make.get(), values.get(),
                       ArrayOf(self).flags() & (kScalarFlag | kWritable));
}

PyObject* Format(PyObject* self, PyObject* spec) {
  PyObject* hook = Hook("format");
  if (hook == nullptr) return nullptr;
  return PyObject_CallFunctionObjArgs(hook, self, spec, nullptr);
}

// NumPy's protocols: the Python layer answers.
PyObject* Protocol(const char* name, PyObject* self, PyObject* args,
                   PyObject* kwargs) {
  PyObject* hook = Hook(name);
  if (hook == nullptr) return nullptr;
  PyRef all(PyTuple_New(PyTuple_GET_SIZE(args) + 1));
  if (!all) return nullptr;
  PyTuple_SET_ITEM(all.get(), 0, Py_NewRef(self));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) {
    PyTuple_SET_ITEM(all.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
  }
  return PyObject_Call(hook, all.get(), kwargs);
}

// __array_ufunc__(ufunc, method, *inputs, **kwargs). NumPy's scalars come here
// with every operator whose right side is an array, so plain calls of known
// ufuncs take a short way.
PyObject* ArrayUfunc(PyObject* self, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t count = PyTuple_GET_SIZE(args) - 2;
  if ((kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) &&
      (count == 1 || count == 2) &&
      PyUnicode_Check(PyTuple_GET_ITEM(args, 1)) &&
      PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(args, 1), "__call__") ==
          0) {
    const std::optional<OpCode> op = OpOfUfunc(PyTuple_GET_ITEM(args, 0));
    if (op.has_value() && ir::RowOf(*op).arity == count &&
        ir::RowOf(*op).family == ir::Family::kElementwise) {
      PyObject* const x = PyTuple_GET_ITEM(args, 2);
      PyRef result(count == 1 ? CallUnary(*op, x)
                              : CallBinary(*op, x, PyTuple_GET_ITEM(args, 3)));
      if (result.get() != Py_NotImplemented) return result.Release();
    }
  }
  return Protocol("array_ufunc", self, args, kwargs);
}
PyObject* ArrayFunction(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Protocol("array_function", self, args, kwargs);
}

PyObject* Complex(PyObject* self, PyObject*) {
  const Array& array = ArrayOf(self);
  if (array.rank() != 0) {
    PyErr_SetString(PyExc_TypeError,
                    "only 0-dimensional arrays can be converted to Python "
                    "scalars");
    return nullptr;
  }
  PyRef item(ItemOf(array));
  if (!item) return nullptr;
  return PyObject_CallOneArg(reinterpret_cast<PyObject*>(&PyComplex_Type),
                             item.get());
}

PyCFunction WithKeywords(PyCFunctionWithKeywords function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;

}  // namespace

PyMethodDef array_methods[] = {
    {"reshape", WithKeywords(Reshape), kKeywords,
     "reshape($self, /, *shape, order='C', copy=None)\n--\n\n"
     "The elements in another shape: a view if there can be one."},
    {"ravel", WithKeywords(Ravel), kKeywords,
     "ravel($self, /, order='C')\n--\n\n"
     "The elements in one dimension."},
    {"flatten", WithKeywords(Flatten), kKeywords,
     "flatten($self, /, order='C')\n--\n\n"
     "A copy of the elements in one dimension."},
    {"transpose", Transpose, METH_VARARGS,
     "transpose($self, /, *axes)\n--\n\n"
     "View with permuted axes."},
    {"swapaxes", SwapAxes, METH_VARARGS,
     "swapaxes($self, axis1, axis2, /)\n--\n\n"
     "View with two axes interchanged."},
    {"squeeze", WithKeywords(Squeeze), kKeywords,
     "squeeze($self, /, axis=None)\n--\n\n"
     "View without axes of length one."},
    {"view", WithKeywords(ViewAs), kKeywords,
     "view($self, /, *args, **kwargs)\n--\n\n"
     "View of the same memory, as elements of another type."},
    {"copy", WithKeywords(CopyMethod), kKeywords,
     "copy($self, /, order='C')\n--\n\n"
     "A copy."},
    {"astype", WithKeywords(AsTypeMethod), kKeywords,
     "astype($self, /, dtype, order='K', casting='unsafe', subok=True, "
     "copy=True)\n--\n\n"
     "A copy with elements of another type."},
    {"fill", Fill, METH_O,
     "fill($self, /, value)\n--\n\n"
     "Sets all elements."},
    {"item", Item, METH_VARARGS,
     "item($self, /, *args)\n--\n\n"
     "An element as a Python number."},
    {"tolist", ToList, METH_NOARGS,
     "tolist($self, /)\n--\n\n"
     "The elements as nested lists."},
    {"eval", Eval, METH_NOARGS, "Computes the array now and returns it."},
    {"__array__", WithKeywords(ArrayMethod), kKeywords,
     "__array__($self, dtype=None, /, *, copy=None)\n--\n\n"},
    {"__dlpack__", WithKeywords(DlpackMethod), kKeywords,
     "__dlpack__($self, /, *, stream=None, max_version=None, dl_device=None, "
     "copy=None)\n--\n\n"},
    {"__dlpack_device__", DlpackDevice, METH_NOARGS,
     "__dlpack_device__($self, /)\n--\n\n"},
    {"__copy__", ShallowCopy, METH_NOARGS, "__copy__($self, /)\n--\n\n"},
    {"__deepcopy__", ShallowCopy, METH_O,
     "__deepcopy__($self, memo, /)\n--\n\n"},
    {"__reduce__", Reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\n"},
    {"__format__", Format, METH_O, "__format__($self, spec, /)\n--\n\n"},
    {"__complex__", Complex, METH_NOARGS, "__complex__($self, /)\n--\n\n"},
    {"__array_ufunc__", WithKeywords(ArrayUfunc), kKeywords,
     "__array_ufunc__($self, ufunc, method, /, *inputs, **kwargs)\n--\n\n"},
    {"__array_function__", WithKeywords(ArrayFunction), kKeywords,
     "__array_function__($self, /, func, types, args, kwargs)\n--\n\n"},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace fuseau::python

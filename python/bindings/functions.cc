#include "python/bindings/functions.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "frontend/device.h"
#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "frontend/reduce.h"
#include "frontend/routine.h"
#include "frontend/views.h"
#include "ir/op_table.h"
#include "python/bindings/advanced_index.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "python/bindings/float_reports.h"
#include "python/bindings/ufunc_call.h"
#include "runtime/arena.h"
#include "runtime/stats.h"

namespace fuseau::python {

bool CheckArray(PyObject* object) {
  if (IsArray(object)) return true;
  PyErr_Format(PyExc_TypeError, "expected a fuseau array, not %s",
               Py_TYPE(object)->tp_name);
  return false;
}

namespace {

// reduce(name, a, axis, keepdims, dtype=None)
PyObject* ReduceFunction(PyObject*, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"name",  "a",    "axis", "keepdims",
                                      "dtype", "into", nullptr};
  const char* name;
  PyObject* object;
  PyObject* axis = Py_None;
  int keep_dims = 0;
  PyObject* dtype_arg = Py_None;
  PyObject* into = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|OpOO",
                                   const_cast<char**>(names), &name, &object,
                                   &axis, &keep_dims, &dtype_arg, &into) ||
      !CheckArray(object) || (into != Py_None && !CheckArray(into))) {
    return nullptr;
  }
  const bool mean = std::strcmp(name, "mean") == 0;
  const auto op = mean ? OpCode::kSum : ir::FindOp(name);
  if (!op.has_value() || ir::RowOf(*op).family != ir::Family::kReduction) {
    return PyErr_Format(PyExc_ValueError, "no reduction \"%s\"", name);
  }
  return ReduceArray(*op, mean, ArrayOf(object), axis, keep_dims != 0,
                     dtype_arg, into == Py_None ? nullptr : &ArrayOf(into));
}

// along(name, a, axis, dtype=None): the name of the table's row.
PyObject* AlongFunction(PyObject*, PyObject* args) {
  const char* name;
  PyObject* object;
  PyObject* axis_arg;
  PyObject* dtype_arg = Py_None;
  int axis;
  if (!PyArg_ParseTuple(args, "sOO|O", &name, &object, &axis_arg, &dtype_arg) ||
      !CheckArray(object) || !ToAxis(axis_arg, ArrayOf(object).rank(), &axis)) {
    return nullptr;
  }
  const Array& array = ArrayOf(object);
  DType dtype = array.dtype();
  if (dtype_arg != Py_None && !ToDType(dtype_arg, &dtype)) return nullptr;
  const auto op = ir::FindOp(name);
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  switch (op.value_or(OpCode::kInput)) {
    case OpCode::kCumsum:
    case OpCode::kCumprod:
    case OpCode::kRunningMax:
    case OpCode::kRunningMin:
      return FinishRecorded(result, Accumulate(*op, array, axis, dtype, out));
    case OpCode::kStableSort:
    case OpCode::kStableArgsort:
      return FinishRecorded(result, SortLines(*op, array, axis, out));
    case OpCode::kArgmax:
    case OpCode::kArgmin:
      return FinishRecorded(result, PlaceOfExtreme(*op, array, axis, out));
    default:
      Py_DECREF(result);
      return PyErr_Format(PyExc_ValueError, "no routine \"%s\"", name);
  }
}

// bincount(a, bins): a vector of int64 whose elements are in range.
PyObject* BinCountFunction(PyObject*, PyObject* args) {
  PyObject* object;
  Py_ssize_t bins;
  if (!PyArg_ParseTuple(args, "On", &object, &bins) || !CheckArray(object)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result,
                        BinCount(ArrayOf(object), bins, &ArrayOf(result)));
}

}  // namespace

PyObject* WhereFunction(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 3) {
    PyErr_SetString(PyExc_TypeError, "where() takes 3 arguments");
    return nullptr;
  }
  Operand operands[3];
  Array copied[3];
  for (int k = 0; k < 3; ++k) {
    switch (ToOperand(args[k], &operands[k], &copied[k])) {
      case Conversion::kOperand:
        break;
      case Conversion::kError:
        return nullptr;
      case Conversion::kUnsupported:
        return CallFallback("where", nullptr,
                            PyRef(PyTuple_Pack(3, args[0], args[1], args[2])),
                            nullptr);
    }
  }
  const Loop& type =
      LoopTable::Get().ResultType(operands[1].kind, operands[2].kind);
  if (type.state != Loop::kNative) {
    return CallFallback("where", nullptr,
                        PyRef(PyTuple_Pack(3, args[0], args[1], args[2])),
                        nullptr);
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, Where(operands[0], operands[1], operands[2],
                                      type.out, &ArrayOf(result)));
}

namespace {

// iota(n, dtype)
PyObject* IotaFunction(PyObject*, PyObject* args) {
  Py_ssize_t n;
  PyObject* dtype_arg;
  DType dtype;
  if (!PyArg_ParseTuple(args, "nO", &n, &dtype_arg) ||
      !ToDType(dtype_arg, &dtype)) {
    return nullptr;
  }
  if (n < 0) {
    PyErr_SetString(PyExc_ValueError, "negative dimensions are not allowed");
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, Iota(n, dtype, &ArrayOf(result)));
}

struct NewArguments {
  Dims shape;
  DType dtype = DType::kFloat64;
  Order order = Order::kC;
};

bool ParseNew(PyObject* shape, PyObject* dtype, PyObject* order,
              NewArguments* out) {
  return ToShape(shape, &out->shape) &&
         (dtype == Py_None || ToDType(dtype, &out->dtype)) &&
         (order == Py_None || ToOrder(order, &out->order));
}

using Maker = absl::Status (*)(absl::Span<const int64_t>, DType, Order, Array*);

template <Maker maker>
PyObject* MakeFunction(PyObject*, PyObject* args) {
  PyObject* shape;
  PyObject* dtype = Py_None;
  PyObject* order = Py_None;
  NewArguments given;
  if (!PyArg_ParseTuple(args, "O|OO", &shape, &dtype, &order) ||
      !ParseNew(shape, dtype, order, &given)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, maker(given.shape, given.dtype, given.order, &ArrayOf(result)));
}

// full(shape, value, dtype, order)
PyObject* FullFunction(PyObject*, PyObject* args) {
  PyObject* shape;
  PyObject* value;
  PyObject* dtype = Py_None;
  PyObject* order = Py_None;
  NewArguments given;
  if (!PyArg_ParseTuple(args, "OO|OO", &shape, &value, &dtype, &order) ||
      !ParseNew(shape, dtype, order, &given)) {
    return nullptr;
  }
  Operand element;
  if (IsArray(value) && ArrayOf(value).rank() == 0) {
    element = Operand::Of(ArrayOf(value));
  } else {
    element.kind = KindOf(given.dtype);
    if (!ToElement(value, given.dtype, element.scalar)) return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(result, Full(given.shape, given.dtype, element,
                                     given.order, &ArrayOf(result)));
}

template <bool kOperand>
PyObject* FromNumpyFunction(PyObject*, PyObject* object) {
  if (!PyArray_Check(object)) {
    return PyErr_Format(PyExc_TypeError, "expected a numpy.ndarray, not %s",
                        Py_TYPE(object)->tp_name);
  }
  return CopyFromNumpy(reinterpret_cast<PyArrayObject*>(object), kOperand);
}

// Whether a nested list has only Python's and NumPy's numbers in it.
bool HasOnlyNumbers(PyObject* sequence) {
  PyObject** const items = PySequence_Fast_ITEMS(sequence);
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const item = items[i];
    if (PyFloat_CheckExact(item) || PyLong_CheckExact(item) ||
        PyBool_Check(item)) {
      continue;
    }
    if (PyList_CheckExact(item) || PyTuple_CheckExact(item)) {
      if (!HasOnlyNumbers(item)) return false;
    } else if (!PyComplex_CheckExact(item) &&
               !PyArray_IsScalar(item, Generic)) {
      return false;
    }
  }
  return true;
}

}  // namespace

PyObject* ArrayOfNumbers(PyObject* object) {
  if ((!PyList_CheckExact(object) && !PyTuple_CheckExact(object)) ||
      !HasOnlyNumbers(object)) {
    Py_RETURN_NONE;
  }
  PyRef made(PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr));
  DType dtype;
  if (!made || !FromDescr(PyArray_DESCR(made.array()), &dtype)) {
    PyErr_Clear();
    Py_RETURN_NONE;
  }
  return CopyFromNumpy(made.array());
}

namespace {

PyObject* ToNumpyFunction(PyObject*, PyObject* object) {
  return CheckArray(object) ? ToNumpy(ArrayOf(object)) : nullptr;
}

PyObject* SnapshotFunction(PyObject*, PyObject* object) {
  return CheckArray(object) ? SnapshotToNumpy(ArrayOf(object)) : nullptr;
}

// copyto(dst, src, where=None, casting="same_kind")
PyObject* CopyToFunction(PyObject*, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"dst", "src", "where", "casting",
                                      nullptr};
  PyObject* dst;
  PyObject* src;
  PyObject* where = Py_None;
  PyObject* casting_arg = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO",
                                   const_cast<char**>(names), &dst, &src,
                                   &where, &casting_arg) ||
      !CheckArray(dst)) {
    return nullptr;
  }
  Casting casting = Casting::kSameKind;
  if (casting_arg != nullptr && !ToCasting(casting_arg, &casting)) {
    return nullptr;
  }
  const Array& target = ArrayOf(dst);
  if (!target.has(kWritable)) {
    PyErr_SetString(PyExc_ValueError, "assignment destination is read-only");
    return nullptr;
  }
  Operand operands[2];
  Array copied[2];
  PyObject* objects[2] = {src, where};
  const bool masked = where != Py_None && where != Py_True;
  for (int k = 0; k < (masked ? 2 : 1); ++k) {
    switch (ToOperand(objects[k], &operands[k], &copied[k])) {
      case Conversion::kOperand:
        break;
      case Conversion::kError:
        return nullptr;
      case Conversion::kUnsupported:
        return CallFallback("copyto", nullptr, PyRef::Borrow(args), kwargs);
    }
  }
  const Operand& source = operands[0];
  // A Python number has NumPy's default type here, unless it fits anyway.
  DType from = DType::kFloat64;
  bool free = false;
  switch (source.kind) {
    case kPyInt:
      free = IsInteger(target.dtype()) || IsFloat(target.dtype()) ||
             IsComplex(target.dtype());
      from = DType::kInt64;
      break;
    case kPyFloat:
      free = IsFloat(target.dtype()) || IsComplex(target.dtype());
      break;
    case kPyComplex:
      from = DType::kComplex128;
      break;
    default:
      from = static_cast<DType>(source.kind);
  }
  if (!free && !CanCast(from, target.dtype(), casting)) {
    const bool scalar = source.array == nullptr || source.array->rank() == 0;
    return RaiseCast(scalar ? "scalar" : "array data", from, target.dtype(),
                     casting);
  }
  if (masked && operands[1].array != nullptr &&
      operands[1].kind != KindOf(DType::kBool)) {
    return RaiseCast("array data", static_cast<DType>(operands[1].kind),
                     DType::kBool, Casting::kSafe);
  }
  absl::Status status = masked ? AssignWhere(target, operands[1], source)
                               : Assign(target, source);
  if (status.ok()) status = Recorded(target.node(), /*write=*/true);
  return status.ok() ? Py_NewRef(Py_None) : Raise(status);
}

// as_strided(a, offset, shape, strides, writeable)
PyObject* AsStridedFunction(PyObject*, PyObject* args) {
  PyObject* object;
  Py_ssize_t offset;
  PyObject* shape_arg;
  PyObject* strides_arg;
  int writable = 1;
  Dims shape, strides;
  if (!PyArg_ParseTuple(args, "OnOO|p", &object, &offset, &shape_arg,
                        &strides_arg, &writable) ||
      !CheckArray(object) || !ToShape(shape_arg, &shape) ||
      !ToDims(strides_arg, &strides)) {
    return nullptr;
  }
  if (shape.size() != strides.size()) {
    PyErr_SetString(PyExc_ValueError, "shape and strides differ in length");
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  const absl::Status status = StridedView(
      ArrayOf(object), offset, shape, strides, writable != 0, &ArrayOf(result));
  if (status.ok()) return FinishView(result, object);
  Py_DECREF(result);
  return Raise(status);
}

// astype(a, dtype, order, casting, copy)
PyObject* AsTypeFunction(PyObject*, PyObject* args) {
  PyObject* object;
  PyObject* dtype_arg;
  PyObject* order_arg = nullptr;
  PyObject* casting_arg = nullptr;
  int copy = 1;
  DType dtype;
  Order order = Order::kKeep;
  Casting casting = Casting::kUnsafe;
  if (!PyArg_ParseTuple(args, "OO|OOp", &object, &dtype_arg, &order_arg,
                        &casting_arg, &copy) ||
      !CheckArray(object) || !ToDType(dtype_arg, &dtype) ||
      (order_arg != nullptr && !ToOrder(order_arg, &order)) ||
      (casting_arg != nullptr && !ToCasting(casting_arg, &casting))) {
    return nullptr;
  }
  return AsTypeObject(object, dtype, order, casting, copy != 0,
                      /*keep_scalar=*/false);
}

// concatenate(arrays, axis): the arrays have one type.
PyObject* ConcatenateFunction(PyObject*, PyObject* args) {
  PyObject* list;
  int axis;
  if (!PyArg_ParseTuple(args, "Oi", &list, &axis)) return nullptr;
  PyRef items(PySequence_Fast(list, "expected a sequence of arrays"));
  if (!items) return nullptr;
  std::vector<const Array*> arrays;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), i);
    if (!CheckArray(item)) return nullptr;
    arrays.push_back(&ArrayOf(item));
  }
  if (arrays.empty()) {
    PyErr_SetString(PyExc_ValueError, "need at least one array to concatenate");
    return nullptr;
  }
  const int rank = arrays[0]->rank();
  if (rank == 0) {
    PyErr_SetString(PyExc_ValueError,
                    "zero-dimensional arrays cannot be concatenated");
    return nullptr;
  }
  if (axis < -rank || axis >= rank) return RaiseAxisError(axis, rank);
  if (axis < 0) axis += rank;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  return FinishRecorded(
      result, Concatenate(arrays, axis, arrays[0]->dtype(), &ArrayOf(result)));
}

PyObject* BroadcastToFunction(PyObject*, PyObject* args) {
  PyObject* object;
  PyObject* shape_arg;
  Dims shape;
  if (!PyArg_ParseTuple(args, "OO", &object, &shape_arg) ||
      !CheckArray(object) || !ToShape(shape_arg, &shape)) {
    return nullptr;
  }
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  const absl::Status status =
      BroadcastView(ArrayOf(object), shape, &ArrayOf(result));
  if (status.ok()) return FinishView(result, object);
  Py_DECREF(result);
  return Raise(status);
}

PyObject* EvaluateFunction(PyObject*, PyObject* list) {
  PyRef items(PySequence_Fast(list, "expected a sequence of arrays"));
  if (!items) return nullptr;
  std::vector<Node*> nodes;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), i);
    if (!CheckArray(item)) return nullptr;
    nodes.push_back(ArrayOf(item).node());
  }
  absl::Status status = Compute(nodes);
  if (status.ok()) status = AwaitDevice();
  return status.ok() ? Py_NewRef(Py_None) : Raise(status);
}

PyObject* SynchronizeFunction(PyObject*, PyObject*) {
  absl::Status status = EvaluateAll();
  if (status.ok()) status = AwaitDevice();
  return status.ok() ? Py_NewRef(Py_None) : Raise(status);
}

// Python cannot add to a dict that is being made in one call, so failures are
// looked at once, at the end.
void SetNumber(PyObject* dict, const char* name, int64_t value) {
  PyRef number(PyLong_FromLongLong(value));
  if (number) PyDict_SetItemString(dict, name, number.get());
}

PyObject* StatsFunction(PyObject*, PyObject*) {
  PyRef stats(PyDict_New());
  if (!stats) return nullptr;
  for (int i = 0; i < runtime::kCounterCount; ++i) {
    const auto counter = static_cast<runtime::Counter>(i);
    SetNumber(stats.get(), runtime::CounterName(counter).data(),
              runtime::ReadCounter(counter));
  }
  const Graph& graph = Graph::Get();
  SetNumber(stats.get(), "recorded", graph.recorded());
  SetNumber(stats.get(), "pending", graph.pending_count());
  SetNumber(stats.get(), "pending_bytes", graph.pending_bytes());
  const runtime::Arena::Usage usage = runtime::Arena::Global().usage();
  SetNumber(stats.get(), "live_bytes", usage.live_bytes);
  SetNumber(stats.get(), "peak_bytes", usage.peak_bytes);
  SetNumber(stats.get(), "cached_bytes", usage.cached_bytes);
  return PyErr_Occurred() ? nullptr : stats.Release();
}

// getenv(name): the environment as Python's os.environ has it now, which takes
// 1.7 us to ask.
PyObject* GetenvFunction(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) return nullptr;
  const char* value = std::getenv(text);
  return PyUnicode_DecodeFSDefault(value != nullptr ? value : "");
}

PyObject* SetHooks(PyObject*, PyObject* hooks) {
  if (!PyDict_Check(hooks)) {
    PyErr_SetString(PyExc_TypeError, "set_hooks() takes a dict");
    return nullptr;
  }
  if (PyDict_Update(G().hooks, hooks) < 0) return nullptr;
  return Py_NewRef(Py_None);
}

PyCFunction WithKeywords(PyCFunctionWithKeywords function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// The metaclass answers isinstance() and makes subclasses.
PyObject* SetMetaclass(PyObject*, PyObject* args) {
  PyObject* type;
  PyObject* metaclass;
  if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &type, &PyType_Type,
                        &metaclass)) {
    return nullptr;
  }
  if (!PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(metaclass),
                        &PyType_Type)) {
    PyErr_SetString(PyExc_TypeError, "a metaclass is needed");
    return nullptr;
  }
  Py_INCREF(metaclass);
  PyTypeObject* old = Py_TYPE(type);
  Py_SET_TYPE(type, reinterpret_cast<PyTypeObject*>(metaclass));
  Py_DECREF(old);
  Py_RETURN_NONE;
}

// new_array(type, ...): ndarray.__new__. The type may be a subclass, which is
// one of NumPy's array.
PyObject* NewArray(PyObject*, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count > 0 &&
      PyTuple_GET_ITEM(args, 0) == reinterpret_cast<PyObject*>(array_type)) {
    PyRef rest(PyTuple_GetSlice(args, 1, count));
    return rest ? MakeArray(rest.get(), kwargs) : nullptr;
  }
  PyRef make(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyArray_Type),
                                    "__new__"));
  return make ? PyObject_Call(make.get(), args, kwargs) : nullptr;
}

// dot(a, b) and vdot(a, b): the ufuncs matmul and vecdot, with the errors that
// NumPy reports of them: under another name, and none.
PyObject* DotFunction(PyObject*, PyObject* args) {
  PyObject* a;
  PyObject* b;
  if (!PyArg_ParseTuple(args, "O!O!", array_type, &a, array_type, &b)) {
    return nullptr;
  }
  return Dot(a, b);
}
PyObject* VdotFunction(PyObject*, PyObject* args) {
  PyObject* a;
  PyObject* b;
  if (!PyArg_ParseTuple(args, "OO", &a, &b)) return nullptr;
  const WatchFor nothing(0);
  return CallBinary(OpCode::kVecdot, a, b);
}

// rebind(array, other): the array becomes the window that `other` is.
PyObject* Rebind(PyObject*, PyObject* args) {
  PyObject* array;
  PyObject* other;
  if (!PyArg_ParseTuple(args, "O!O!", array_type, &array, array_type, &other)) {
    return nullptr;
  }
  ArrayOf(array) = ArrayOf(other);
  Py_RETURN_NONE;
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;

}  // namespace

PyObject* ReduceArray(OpCode op, bool mean, const Array& array, PyObject* axis,
                      bool keep_dims, PyObject* dtype_arg, const Array* into) {
  uint64_t axes;
  if (!ToAxes(axis, array.rank(), &axes)) return nullptr;
  DType dtype = array.dtype();
  switch (ir::RowOf(op).combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
    case Combiner::kProd:
      dtype = mean ? MeanType(dtype) : SumType(dtype);
      break;
    case Combiner::kAny:
    case Combiner::kAll:
      dtype = DType::kBool;
      break;
    case Combiner::kMax:
    case Combiner::kMin:
    case Combiner::kNone:
      break;
  }
  if (dtype_arg != Py_None && !ToDType(dtype_arg, &dtype)) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  return FinishRecorded(
      result, mean ? Mean(array, axes, keep_dims, dtype, into, out)
                   : Reduce(op, array, axes, keep_dims, dtype, into, out));
}

PyObject* AsTypeObject(PyObject* self, DType dtype, Order order,
                       Casting casting, bool copy, bool keep_scalar) {
  const Array& array = ArrayOf(self);
  if (!CanCast(array.dtype(), dtype, casting)) {
    return RaiseCast(array.rank() == 0 ? "scalar" : "array data", array.dtype(),
                     dtype, casting);
  }
  if (!copy && dtype == array.dtype()) {
    const bool fits =
        order == Order::kKeep ||
        (order == Order::kF || (order == Order::kA && array.has(kFContiguous))
             ? array.has(kFContiguous)
             : array.has(kCContiguous));
    if (fits) return Py_NewRef(self);
  }
  if (!WarnComplexCast(array.dtype(), dtype)) return nullptr;
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  const absl::Status status = AsType(array, dtype, order, out);
  if (status.ok() && keep_scalar && array.has(kScalarFlag)) {
    out->set_flags((out->flags() & ~kWritable) | kScalarFlag);
  }
  return FinishRecorded(result, status);
}

PyMethodDef module_functions[] = {
    {"reduce", WithKeywords(ReduceFunction), kKeywords,
     "reduce(name, a, axis, keepdims, dtype=None, into=None): `into` is where "
     "the caller puts the result."},
    {"along", AlongFunction, METH_VARARGS,
     "along(name, a, axis, dtype=None): the routine of that name."},
    {"bincount", BinCountFunction, METH_VARARGS, "bincount(a, bins)"},
    {"search_sorted", SearchSortedFunction, METH_VARARGS,
     "search_sorted(line, keys, right)"},
    {"transform", TransformFunction, METH_VARARGS,
     "transform(name, a, axis, count, factor): the transform of that name of "
     "lines along an axis, to lines of so many elements."},
    {"take", TakeFunction, METH_VARARGS, "take(a, indices, axis)"},
    {"compress", CompressFunction, METH_VARARGS,
     "compress(a, mask): the elements where the mask holds, which covers the "
     "first axes."},
    {"nonzero", NonzeroFunction, METH_O, "nonzero(mask): a tuple of vectors."},
    {"where",
     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(WhereFunction)),
     METH_FASTCALL, "where(condition, x, y)"},
    {"iota", IotaFunction, METH_VARARGS, "iota(n, dtype): 0, 1, ..., n - 1"},
    {"full", FullFunction, METH_VARARGS, "full(shape, value, dtype, order)"},
    {"empty", MakeFunction<Empty>, METH_VARARGS, "empty(shape, dtype, order)"},
    {"zeros", MakeFunction<Zeros>, METH_VARARGS, "zeros(shape, dtype, order)"},
    {"from_numpy", FromNumpyFunction<false>, METH_O,
     "A copy of a NumPy array, with its order of axes in memory."},
    {"operand_from_numpy", FromNumpyFunction<true>, METH_O,
     "The same to be read only, repeated along axes with a stride of 0."},
    {"to_numpy", ToNumpyFunction, METH_O,
     "A NumPy array over the same memory; nothing about the array is lazy "
     "while "
     "it lives."},
    {"snapshot", SnapshotFunction, METH_O,
     "A read-only NumPy array of the present values."},
    {"copyto", WithKeywords(CopyToFunction), kKeywords,
     "copyto(dst, src, where=None, casting=\"same_kind\")"},
    {"as_strided", AsStridedFunction, METH_VARARGS,
     "as_strided(a, offset, shape, strides, writeable): the offset is in bytes "
     "from the array's own."},
    {"astype", AsTypeFunction, METH_VARARGS,
     "astype(a, dtype, order, casting, copy)"},
    {"concatenate", ConcatenateFunction, METH_VARARGS,
     "concatenate(arrays, axis)"},
    {"broadcast_to", BroadcastToFunction, METH_VARARGS,
     "broadcast_to(a, shape)"},
    {"evaluate", EvaluateFunction, METH_O, "Computes a list of arrays."},
    {"synchronize", SynchronizeFunction, METH_NOARGS,
     "Computes everything that is pending."},
    {"stats", StatsFunction, METH_NOARGS, "Counters, as a dict."},
    {"getenv", GetenvFunction, METH_O,
     "getenv(name): a variable of the environment, empty if it is not set."},
    {"set_hooks", SetHooks, METH_O,
     "Sets functions that are called for what is not native."},
    {"set_metaclass", SetMetaclass, METH_VARARGS, nullptr},
    {"new_array",
     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(NewArray)),
     METH_VARARGS | METH_KEYWORDS, nullptr},
    {"watch_float_errors", WatchFloatErrors, METH_VARARGS, nullptr},
    {"dot", DotFunction, METH_VARARGS, "dot(a, b)"},
    {"vdot", VdotFunction, METH_VARARGS, "vdot(a, b)"},
    {"rebind", Rebind, METH_VARARGS,
     "rebind(array, other): the array becomes the window that other is."},
    {"_unpickle", Unpickle, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace fuseau::python

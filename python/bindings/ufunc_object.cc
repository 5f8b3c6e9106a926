#include "python/bindings/ufunc_object.h"

#include <cstddef>
#include <cstring>
#include <iterator>

#include "frontend/evaluate.h"
#include "frontend/layout.h"
#include "frontend/read.h"
#include "frontend/record.h"
#include "ir/op_table.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/float_reports.h"
#include "python/bindings/numpy_call.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

using ir::OpRow;

struct UfuncObject {
  PyObject_HEAD vectorcallfunc call;
  OpCode op;
};

PyTypeObject* ufunc_type = nullptr;

OpCode OpOf(PyObject* self) { return reinterpret_cast<UfuncObject*>(self)->op; }
const OpRow& RowOfUfunc(PyObject* self) { return ir::RowOf(OpOf(self)); }

// The keyword arguments that are computed natively.
struct Keywords {
  PyObject* out = nullptr;  // an array, or null
  bool keep_array = false;  // out=...: an array even where there is one element
  bool has_out = false;
  PyObject* where = nullptr;
  PyObject* dtype = nullptr;
  Casting casting = Casting::kSameKind;
  Order order = Order::kKeep;
  bool native = true;
  PyObject* unknown = nullptr;
};

void SetOut(PyObject* value, Keywords* keywords) {
  if (PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 1) {
    value = PyTuple_GET_ITEM(value, 0);
  }
  if (value == Py_None) return;
  if (value == Py_Ellipsis) {
    keywords->keep_array = true;
  } else if (IsArray(value)) {
    keywords->out = value;
  } else {
    keywords->native = false;
  }
}

bool ParseKeyword(OpCode op, PyObject* name, PyObject* value,
                  Keywords* keywords) {
  const auto is = [&](const char* text) {
    return PyUnicode_CompareWithASCIIString(name, text) == 0;
  };
  if (is("out")) {
    keywords->has_out = true;
    SetOut(value, keywords);
  } else if (is("where")) {
    if (value != Py_True && value != G().no_value) keywords->where = value;
  } else if (is("dtype")) {
    if (value != Py_None) keywords->dtype = value;
  } else if (is("casting")) {
    if (!ToCasting(value, &keywords->casting)) return false;
    keywords->native &= keywords->casting != Casting::kSameValue;
  } else if (is("order")) {
    if (!ToOrder(value, &keywords->order)) return false;
  } else if (is("subok")) {
    const int truth = PyObject_IsTrue(value);
    if (truth < 0) return false;
  } else if (is("axis")) {
    // Only vecdot has one here, and only the last.
    keywords->native &= op == OpCode::kVecdot && PyLong_CheckExact(value) &&
                        PyLong_AsLong(value) == -1;
  } else {
    keywords->native = false;
  }
  return true;
}

// The whole call as NumPy's ufunc would get it.
PyObject* Fallback(PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* names) {
  return CallFallback(RowOfUfunc(self).numpy, args, count, names);
}

// A class of NumPy's dtypes, such as numpy.dtypes.Float64DType, as the scalar
// type it stands for; anything else as it is.
PyRef ScalarType(PyObject* dtype) {
  PyObject* descr = reinterpret_cast<PyObject*>(ToDescr(DType::kFloat64));
  PyTypeObject* meta = Py_TYPE(reinterpret_cast<PyObject*>(Py_TYPE(descr)));
  return Py_TYPE(dtype) == meta ? PyRef(PyObject_GetAttrString(dtype, "type"))
                                : PyRef::Borrow(dtype);
}

// The loop for dtype=...: NumPy chooses it, and checks the casts of inputs.
bool ResolveTyped(PyObject* self, const Operands& operands,
                  const Keywords& keywords, Loop* loop, bool* native) {
  const int arity = operands.count;
  PyRef types(PyTuple_New(arity + 1));
  PyRef signature(PyTuple_New(arity + 1));
  PyArray_Descr* wanted = nullptr;
  const PyRef type = ScalarType(keywords.dtype);
  if (!types || !signature || !type ||
      PyArray_DescrConverter(type.get(), &wanted) != NPY_SUCCEED) {
    return false;
  }
  for (int k = 0; k <= arity; ++k) {
    PyObject* type = Py_None;
    if (k < arity) {
      const Kind kind = operands.operand[k].kind;
      type =
          kind == kPyInt     ? reinterpret_cast<PyObject*>(&PyLong_Type)
          : kind == kPyFloat ? reinterpret_cast<PyObject*>(&PyFloat_Type)
          : kind == kPyComplex
              ? reinterpret_cast<PyObject*>(&PyComplex_Type)
              : reinterpret_cast<PyObject*>(ToDescr(static_cast<DType>(kind)));
    }
    PyTuple_SET_ITEM(types.get(), k, Py_NewRef(type));
    PyTuple_SET_ITEM(
        signature.get(), k,
        k == arity ? reinterpret_cast<PyObject*>(wanted) : Py_NewRef(Py_None));
  }
  PyRef method(
      PyObject_GetAttrString(NumpyUfunc(OpOf(self)), "resolve_dtypes"));
  PyRef args(PyTuple_Pack(1, types.get()));
  PyRef kwargs(Py_BuildValue("{s:O,s:s}", "signature", signature.get(),
                             "casting", CastingName(keywords.casting)));
  if (!method || !args || !kwargs) return false;
  PyRef found(PyObject_Call(method.get(), args.get(), kwargs.get()));
  if (!found) return false;
  for (int k = 0; k <= arity; ++k) {
    DType* dtype = k < arity ? &loop->in[k] : &loop->out;
    *native &= FromDescr(
        reinterpret_cast<PyArray_Descr*>(PyTuple_GET_ITEM(found.get(), k)),
        dtype);
  }
  loop->state = Loop::kNative;
  return true;
}

// An array for the results of a call with a mask. NumPy leaves what was in
// memory where the mask does not hold.
PyObject* MaskedTarget(const Operands& operands, const Loop& loop,
                       const Operand& mask) {
  absl::Span<const int64_t> shapes[4];
  int count = 0;
  for (const Operand& operand : operands.span()) {
    if (operand.array != nullptr) shapes[count++] = operand.array->shape();
  }
  if (mask.array != nullptr) shapes[count++] = mask.array->shape();
  auto shape = BroadcastShapes(absl::MakeConstSpan(shapes, count));
  if (!shape.ok()) return Raise(shape.status());
  PyRef made(NewArrayObject());
  if (!made) return nullptr;
  const absl::Status status = MakeUninitialized(
      loop.out, *shape, nullptr, kWritable, &ArrayOf(made.get()));
  return status.ok() ? made.Release() : Raise(status);
}

// A scalar made an array, as out=... asks.
PyObject* KeepArray(PyObject* result) {
  if (result != nullptr && ArrayOf(result).has(kScalarFlag)) {
    Array& array = ArrayOf(result);
    array.set_flags((array.flags() & ~kScalarFlag) | kWritable);
  }
  return result;
}

// The call with keyword arguments.
PyObject* CallFull(PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* names) {
  const OpCode op = OpOf(self);
  const int arity = RowOfUfunc(self).arity;
  Keywords keywords;
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    if (!ParseKeyword(op, PyTuple_GET_ITEM(names, i), args[count + i],
                      &keywords)) {
      return nullptr;
    }
  }
  if (count < arity || count > arity + 1) {
    return PyErr_Format(PyExc_TypeError,
                        "%s() takes from %d to %d positional arguments but %zd "
                        "%s given",
                        RowOfUfunc(self).numpy, arity, arity + 1, count,
                        count == 1 ? "was" : "were");
  }
  if (count == arity + 1) {
    if (keywords.has_out) {
      PyErr_SetString(
          PyExc_TypeError,
          "cannot specify 'out' as both a positional and keyword argument");
      return nullptr;
    }
    if ((op == OpCode::kMaximum || op == OpCode::kMinimum) &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "Passing more than 2 positional arguments to np.maximum "
                     "and np.minimum is deprecated: give the output as `out=`.",
                     1) < 0) {
      return nullptr;
    }
    SetOut(args[arity], &keywords);
  }
  keywords.native &= !IsRoutine(op) || (keywords.where == nullptr &&
                                        keywords.order == Order::kKeep);
  if (!keywords.native) return Fallback(self, args, count, names);
  Operands operands;
  Loop loop;
  bool constant = false;
  Answer answer = Prepare(op, args, arity, &operands, &loop, &constant);
  if (keywords.dtype != nullptr && answer != Answer::kFallback &&
      (keywords.casting == Casting::kNo ||
       keywords.casting == Casting::kEquiv)) {
    // NumPy's resolve_dtypes fails hard where such a cast of a Python number is
    // refused; its ufunc says what is wrong.
    PyErr_Clear();
    return Fallback(self, args, count, names);
  }
  if (keywords.dtype != nullptr && answer != Answer::kFallback) {
    PyErr_Clear();
    bool native = true;
    if (!ResolveTyped(self, operands, keywords, &loop, &native)) return nullptr;
    answer = native ? Answer::kNative : Answer::kFallback;
  }
  if (answer == Answer::kError) {
    // The types of `out` come before the values of an exponent.
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (op == OpCode::kPower && keywords.out != nullptr &&
        loop.state == Loop::kNative &&
        !CheckOutput(op, loop.out, ArrayOf(keywords.out).dtype(),
                     keywords.casting)) {
      Py_XDECREF(type);
      Py_XDECREF(value);
      Py_XDECREF(traceback);
      return nullptr;
    }
    PyErr_Restore(type, value, traceback);
    return nullptr;
  }
  if (answer == Answer::kFallback) return Fallback(self, args, count, names);
  if (keywords.dtype == nullptr && keywords.casting != Casting::kSameKind) {
    for (int k = 0; k < arity; ++k) {
      const Kind kind = operands.operand[k].kind;
      if (IsStrong(kind) && !CheckInput(op, k, static_cast<DType>(kind),
                                        loop.in[k], keywords.casting)) {
        return nullptr;
      }
    }
  }
  if (keywords.out == nullptr && keywords.where == nullptr) {
    PyObject* result =
        Record(op, answer, operands, loop, constant, keywords.order);
    return keywords.keep_array ? KeepArray(result) : result;
  }
  if (answer == Answer::kConstant) return Fallback(self, args, count, names);
  Operand mask;
  Array mask_copy;
  if (keywords.where != nullptr) {
    // NumPy makes truth values of the numbers in a list, of no others.
    if (PyList_Check(keywords.where) || PyTuple_Check(keywords.where)) {
      return Fallback(self, args, count, names);
    }
    switch (ToOperand(keywords.where, &mask, &mask_copy)) {
      case Conversion::kOperand:
        break;
      case Conversion::kError:
        return nullptr;
      case Conversion::kUnsupported:
        return Fallback(self, args, count, names);
    }
    if (mask.array != nullptr && mask.kind != KindOf(DType::kBool)) {
      return RaiseCast("array data", static_cast<DType>(mask.kind),
                       DType::kBool, Casting::kSafe);
    }
  }
  PyRef made;
  if (keywords.out == nullptr) {
    if (!keywords.has_out &&
        PyErr_WarnEx(PyExc_UserWarning,
                     "'where' used without 'out', expect unitialized memory in "
                     "output. If this is intended, use out=None.",
                     1) < 0) {
      return nullptr;
    }
    made = PyRef(MaskedTarget(operands, loop, mask));
    if (!made) return nullptr;
    keywords.out = made.get();
  }
  const Array& target = ArrayOf(keywords.out);
  if (!target.has(kWritable)) {
    PyErr_SetString(PyExc_ValueError, "output array is read-only");
    return nullptr;
  }
  if (!CheckOutput(op, loop.out, target.dtype(), keywords.casting)) {
    // What is wrong with a number of Python's NumPy says first.
    for (int k = 0; k < arity; ++k) {
      if (IsStrong(operands.operand[k].kind)) continue;
      PyErr_Clear();
      return Fallback(self, args, count, names);
    }
    return nullptr;
  }
  absl::Status status = RecordInto(
      op, operands, loop, keywords.where != nullptr ? &mask : nullptr, target);
  // NumPy knows what else fits the output of a routine, or says what is wrong.
  if (!status.ok() && IsRoutine(op)) return Fallback(self, args, count, names);
  if (status.ok()) status = Recorded(target.node(), /*write=*/true);
  if (!status.ok()) return Raise(status);
  if (made && !keywords.keep_array && target.rank() == 0) {
    Array& array = ArrayOf(made.get());
    array.set_flags((array.flags() & ~kWritable) | kScalarFlag);
  }
  return Py_NewRef(keywords.out);
}

PyObject* Call(PyObject* self, PyObject* const* args, size_t flags,
               PyObject* names) {
  const Py_ssize_t count = PyVectorcall_NARGS(flags);
  const OpCode op = OpOf(self);
  if (names != nullptr || count != ir::RowOf(op).arity) {
    return CallFull(self, args, count, names);
  }
  Operands operands;
  Loop loop;
  bool constant = false;
  const Answer answer =
      Prepare(op, args, static_cast<int>(count), &operands, &loop, &constant);
  if (answer == Answer::kError) return nullptr;
  if (answer == Answer::kFallback) return Fallback(self, args, count, names);
  return Record(op, answer, operands, loop, constant, Order::kKeep);
}

PyObject* Method(PyObject* self, const char* method, PyObject* args,
                 PyObject* kwargs) {
  PyObject* hook = Hook("ufunc_method");
  if (hook == nullptr) return nullptr;
  PyRef empty(kwargs == nullptr ? PyDict_New() : nullptr);
  PyRef text(PyUnicode_FromString(method));
  if (!text) return nullptr;
  return PyObject_CallFunctionObjArgs(hook, self, text.get(), args,
                                      kwargs != nullptr ? kwargs : empty.get(),
                                      nullptr);
}

// The method of NumPy's ufunc; its keyword arguments are Python's business.
PyObject* MethodByNumpy(PyObject* self, const char* method, PyObject* args,
                        PyObject* kwargs, uint64_t written) {
  if (kwargs == nullptr) {
    PyRef function(PyObject_GetAttrString(NumpyUfunc(OpOf(self)), method));
    PyObject* result;
    if (!function) return nullptr;
    if (CallOnComputed(function.get(), &PyTuple_GET_ITEM(args, 0),
                       PyTuple_GET_SIZE(args), nullptr, written, &result)) {
      return result;
    }
  }
  return Method(self, method, args, kwargs);
}

PyObject* ReduceMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Method(self, "reduce", args, kwargs);
}
PyObject* AccumulateMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Method(self, "accumulate", args, kwargs);
}
PyObject* ReduceAtMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  return MethodByNumpy(self, "reduceat", args, kwargs, /*written=*/0);
}
PyObject* OuterMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  return Method(self, "outer", args, kwargs);
}
PyObject* AtMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  return MethodByNumpy(self, "at", args, kwargs, /*written=*/1);
}

// What NumPy's ufunc of the same name says of itself; `name` is a char*.
PyObject* GetOfNumpy(PyObject* self, void* name) {
  return PyObject_GetAttrString(NumpyUfunc(OpOf(self)),
                                static_cast<const char*>(name));
}

PyObject* ResolveMethod(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyRef method(
      PyObject_GetAttrString(NumpyUfunc(OpOf(self)), "resolve_dtypes"));
  return method ? PyObject_Call(method.get(), args, kwargs) : nullptr;
}

PyObject* Repr(PyObject* self) {
  return PyUnicode_FromFormat("<ufunc '%s'>", RowOfUfunc(self).numpy);
}

// Equal to NumPy's ufunc, which other types get from NumPy's protocols.
PyObject* Compare(PyObject* self, PyObject* other, int comparison) {
  if (comparison != Py_EQ && comparison != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (self != other && NumpyUfunc(OpOf(self)) != other) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  return PyBool_FromLong(comparison == Py_EQ);
}

Py_hash_t Hash(PyObject* self) { return PyObject_Hash(NumpyUfunc(OpOf(self))); }

PyObject* ReduceForPickle(PyObject* self, PyObject*) {
  // By name, as a global of the package.
  return PyUnicode_FromString(RowOfUfunc(self).numpy);
}

void Dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyCFunction WithKeywords(PyCFunctionWithKeywords function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

constexpr int kKeywords = METH_VARARGS | METH_KEYWORDS;

PyMethodDef methods[] = {
    {"reduce", WithKeywords(ReduceMethod), kKeywords,
     "reduce($self, array, /, axis=0, dtype=None, out=None, **kwargs)\n--\n\n"},
    {"accumulate", WithKeywords(AccumulateMethod), kKeywords,
     "accumulate($self, array, /, axis=0, dtype=None, out=None)\n--\n\n"},
    {"reduceat", WithKeywords(ReduceAtMethod), kKeywords,
     "reduceat($self, array, /, indices, axis=0, dtype=None, "
     "out=None)\n--\n\n"},
    {"outer", WithKeywords(OuterMethod), kKeywords,
     "outer($self, A, B, /, **kwargs)\n--\n\n"},
    {"at", WithKeywords(AtMethod), kKeywords,
     "at($self, a, indices, b=None, /)\n--\n\n"},
    {"resolve_dtypes", WithKeywords(ResolveMethod), kKeywords,
     "resolve_dtypes($self, dtypes, *, signature=None, casting=None, "
     "reduction=False)\n--\n\n"},
    {"__reduce__", ReduceForPickle, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyTypeObject* MakeUfuncType(PyObject* module) {
  static const char* const of_numpy[] = {"nin",
                                         "nout",
                                         "nargs",
                                         "types",
                                         "ntypes",
                                         "identity",
                                         "signature",
                                         "__name__",
                                         "__qualname__",
                                         "__signature__",
                                         "__text_signature__",
                                         "_resolve_dtypes_and_context",
                                         "_get_strided_loop"};
  static PyGetSetDef getset[std::size(of_numpy) + 1] = {};
  for (size_t i = 0; i < std::size(of_numpy); ++i) {
    getset[i] = {of_numpy[i], GetOfNumpy, nullptr, nullptr,
                 const_cast<char*>(of_numpy[i])};
  }
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(UfuncObject, call),
       READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(Dealloc)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_members, members},
      {Py_tp_methods, methods},
      {Py_tp_getset, getset},
      {Py_tp_repr, reinterpret_cast<void*>(Repr)},
      {Py_tp_richcompare, reinterpret_cast<void*>(Compare)},
      {Py_tp_hash, reinterpret_cast<void*>(Hash)},
      {0, nullptr},
  };
  PyType_Spec spec = {"fuseau.ufunc", sizeof(UfuncObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, slots};
  ufunc_type = reinterpret_cast<PyTypeObject*>(
      PyType_FromModuleAndSpec(module, &spec, nullptr));
  return ufunc_type;
}

PyObject* MakeUfuncs() {
  PyRef dict(PyDict_New());
  if (!dict) return nullptr;
  for (int i = 0; i < ir::OpCount(); ++i) {
    const auto op = static_cast<OpCode>(i);
    if (NumpyUfunc(op) == nullptr) continue;
    auto* ufunc = PyObject_New(UfuncObject, ufunc_type);
    if (ufunc == nullptr) return nullptr;
    ufunc->call = Call;
    ufunc->op = op;
    PyRef owned(reinterpret_cast<PyObject*>(ufunc));
    if (PyDict_SetItemString(dict.get(), ir::RowOf(op).numpy, owned.get()) <
        0) {
      return nullptr;
    }
  }
  return dict.Release();
}

}  // namespace fuseau::python

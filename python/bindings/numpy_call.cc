#include "python/bindings/numpy_call.h"

#include <cstddef>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "frontend/evaluate.h"
#include "frontend/ranks.h"
#include "python/bindings/array_object.h"
#include "python/bindings/convert.h"
#include "python/bindings/exchange.h"
#include "runtime/stats.h"

namespace fuseau::python {
namespace {

// Objects that NumPy may get as they are: there is no array of ours behind
// them.
bool IsPlain(PyObject* object) {
  return object == Py_None || object == Py_Ellipsis || PyBool_Check(object) ||
         PyLong_CheckExact(object) || PyFloat_CheckExact(object) ||
         PyComplex_CheckExact(object) || PyUnicode_CheckExact(object) ||
         PySlice_Check(object) || PyArray_Check(object) ||
         PyArray_IsScalar(object, Generic) || PyRange_Check(object) ||
         PyType_Check(object) || PyArray_DescrCheck(object);
}

bool IsSequence(PyObject* object) {
  return PyList_CheckExact(object) || PyTuple_CheckExact(object);
}

// Our arrays of one call with what NumPy gets for them.
class Exchange {
 public:
  // Looks for arrays in an argument. False if it needs a closer look.
  bool Note(PyObject* object) {
    if (IsArray(object)) {
      Node* node = ArrayOf(object).node();
      nodes_.push_back(node);
      if (node->pending()) pending_.push_back(node);
      return true;
    }
    if (!IsSequence(object)) return IsPlain(object);
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    for (Py_ssize_t i = 0; i < count; ++i) {
      if (!Note(PySequence_Fast_GET_ITEM(object, i))) return false;
    }
    return true;
  }

  // Computes the arrays that were noted. False with an error set.
  bool Compute() {
    if (pending_.empty()) return true;
    const absl::Status status = Evaluate(pending_);
    if (!status.ok()) Raise(status);
    return status.ok();
  }

  // Whether the function may have the arrays that ranks have in parts, or will
  // have once they are computed. False with an error set.
  bool MayGather(PyObject* function) {
    const Ranks* ranks = Ranks::active();
    if (ranks == nullptr) return true;
    int64_t bytes = 0;
    for (const Node* node : nodes_) {
      const bool in_parts = node->pending() ? ranks->IsLarge(node->bytes)
                                            : node->state == NodeState::kAway;
      if (in_parts) bytes += node->bytes;
    }
    if (bytes == 0) return true;
    PyRef name(PyObject_GetAttrString(function, "__name__"));
    const char* text = name ? PyUnicode_AsUTF8(name.get()) : nullptr;
    if (text == nullptr) return false;
    const absl::Status status = ranks->MayGather(text, bytes);
    if (!status.ok()) Raise(status);
    return status.ok();
  }

  // What NumPy gets: null with an error set.
  PyRef Lower(PyObject* object, bool written) {
    if (IsArray(object)) return LowerArray(object, written);
    if (!IsSequence(object) || !HasArrays(object)) {
      return PyRef::Borrow(object);
    }
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    const bool list = PyList_CheckExact(object);
    PyRef lowered(list ? PyList_New(count) : PyTuple_New(count));
    for (Py_ssize_t i = 0; lowered && i < count; ++i) {
      PyRef item = Lower(PySequence_Fast_GET_ITEM(object, i), written);
      if (!item) return PyRef();
      if (list) {
        PyList_SET_ITEM(lowered.get(), i, item.Release());
      } else {
        PyTuple_SET_ITEM(lowered.get(), i, item.Release());
      }
    }
    return lowered;
  }

  // A result as an object of ours; null with an error set.
  PyObject* Lift(PyRef result) {
    if (!result) return nullptr;
    if (PyArray_CheckExact(result.get())) {
      for (const Pair& pair : pairs_) {
        if (pair.values.get() == result.get()) return Py_NewRef(pair.array);
      }
      return TakeFromNumpy(std::move(result));
    }
    if (!IsSequence(result.get())) return result.Release();
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(result.get());
    const bool list = PyList_CheckExact(result.get());
    PyRef lifted(list ? PyList_New(count) : PyTuple_New(count));
    for (Py_ssize_t i = 0; lifted && i < count; ++i) {
      // Taken out of the sequence, so that memory has one owner less.
      PyObject*& place = PySequence_Fast_ITEMS(result.get())[i];
      PyObject* item = Lift(PyRef(std::exchange(place, Py_NewRef(Py_None))));
      if (item == nullptr) return nullptr;
      PySequence_Fast_ITEMS(lifted.get())[i] = item;
    }
    return lifted.Release();
  }

 private:
  struct Pair {
    PyObject* array;
    PyRef values;
  };

  static bool HasArrays(PyObject* sequence) {
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* item = PySequence_Fast_GET_ITEM(sequence, i);
      if (IsArray(item) || (IsSequence(item) && HasArrays(item))) return true;
    }
    return false;
  }

  PyRef LowerArray(PyObject* object, bool written) {
    for (const Pair& pair : pairs_) {
      if (pair.array == object) return PyRef::Borrow(pair.values.get());
    }
    const Array& array = ArrayOf(object);
    PyRef values(array.has(kScalarFlag) ? ScalarOf(array)
                 : written              ? ToNumpy(array)
                                        : LendToNumpy(array));
    if (!values) return values;
    pairs_.push_back({object, PyRef::Borrow(values.get())});
    return values;
  }

  absl::InlinedVector<Node*, 4> nodes_;
  absl::InlinedVector<Node*, 4> pending_;
  absl::InlinedVector<Pair, 4> pairs_;
};

// The call with all that NumPy's routines can take, in Python.
PyObject* CallWithCare(const char* name, PyObject* function, PyRef args,
                       PyRef kwargs) {
  PyObject* hook = Hook("computed");
  PyRef text(PyUnicode_FromString(name));
  if (hook == nullptr || !text || !args || !kwargs) return nullptr;
  return PyObject_CallFunctionObjArgs(hook, text.get(), function, args.get(),
                                      kwargs.get(), nullptr);
}

bool IsOut(PyObject* name) {
  return PyUnicode_CompareWithASCIIString(name, "out") == 0;
}

}  // namespace

bool CallOnComputed(PyObject* function, PyObject* const* args, Py_ssize_t count,
                    PyObject* names, uint64_t written, PyObject** result) {
  runtime::Increment(runtime::Counter::kNumpyRoutines);
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  const Py_ssize_t total = count + named;
  Exchange exchange;
  for (Py_ssize_t i = 0; i < total; ++i) {
    if (!exchange.Note(args[i])) return false;
  }
  *result = nullptr;
  if (!exchange.MayGather(function) || !exchange.Compute()) return true;
  const auto is_written = [&](Py_ssize_t i) {
    return i < count
               ? (written >> i & 1) != 0
               : written != 0 || IsOut(PyTuple_GET_ITEM(names, i - count));
  };
  // What is written comes first: other arrays over its memory then see it as
  // the same, and no copy of it is made for them.
  absl::InlinedVector<PyRef, 6> lowered(static_cast<size_t>(total));
  for (const bool turn : {true, false}) {
    for (Py_ssize_t i = 0; i < total; ++i) {
      if (is_written(i) != turn) continue;
      lowered[i] = exchange.Lower(args[i], turn);
      if (!lowered[i]) return true;
    }
  }
  absl::InlinedVector<PyObject*, 6> pointers(static_cast<size_t>(total));
  for (Py_ssize_t i = 0; i < total; ++i) pointers[i] = lowered[i].get();
  *result = exchange.Lift(PyRef(PyObject_Vectorcall(
      function, pointers.data(), static_cast<size_t>(count), names)));
  return true;
}

PyObject* GetItemByNumpy(PyObject* self, PyObject* key) {
  Exchange exchange;
  if (!exchange.Note(self) || !exchange.Note(key)) {
    return CallWithCare("ndarray.__getitem__", Py_None,
                        PyRef(PyTuple_Pack(2, self, key)), PyRef(PyDict_New()));
  }
  if (!exchange.Compute()) return nullptr;
  const PyRef values = exchange.Lower(self, /*written=*/false);
  const PyRef lowered = exchange.Lower(key, /*written=*/false);
  if (!values || !lowered) return nullptr;
  return exchange.Lift(PyRef(PyObject_GetItem(values.get(), lowered.get())));
}

int SetItemByNumpy(PyObject* self, PyObject* key, PyObject* value) {
  Exchange exchange;
  if (!exchange.Note(self) || !exchange.Note(key) || !exchange.Note(value)) {
    const PyRef done(CallWithCare("ndarray.__setitem__", Py_None,
                                  PyRef(PyTuple_Pack(3, self, key, value)),
                                  PyRef(PyDict_New())));
    return done ? 0 : -1;
  }
  if (!exchange.Compute()) return -1;
  const PyRef values = exchange.Lower(self, /*written=*/true);
  const PyRef lowered = exchange.Lower(key, /*written=*/false);
  const PyRef source = exchange.Lower(value, /*written=*/false);
  if (!values || !lowered || !source) return -1;
  return PyObject_SetItem(values.get(), lowered.get(), source.get());
}

namespace {

struct ComputedObject {
  PyObject_HEAD vectorcallfunc call;
  PyObject* name;
  PyObject* function;
  unsigned long long written;
};

ComputedObject* Of(PyObject* self) {
  return reinterpret_cast<ComputedObject*>(self);
}

// Whether it is a method of NumPy's arrays and gets one of our scalars, whose
// methods are others.
bool IsMethodOfScalar(PyObject* function, PyObject* const* args,
                      Py_ssize_t count) {
  return count > 0 && IsArray(args[0]) && ArrayOf(args[0]).has(kScalarFlag) &&
         Py_IS_TYPE(function, &PyMethodDescr_Type);
}

PyObject* Call(PyObject* self, PyObject* const* args, size_t flags,
               PyObject* names) {
  const ComputedObject& computed = *Of(self);
  const Py_ssize_t count = PyVectorcall_NARGS(flags);
  PyObject* result = nullptr;
  if (!IsMethodOfScalar(computed.function, args, count) &&
      CallOnComputed(computed.function, args, count, names, computed.written,
                     &result)) {
    return result;
  }
  const char* name = PyUnicode_AsUTF8(computed.name);
  if (name == nullptr) return nullptr;
  return CallWithCare(name, computed.function,
                      PyRef(PackArguments(args, count)),
                      PyRef(PackKeywords(args + count, names)));
}

PyObject* New(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* name;
  PyObject* function;
  unsigned long long written;
  if (!PyArg_ParseTuple(args, "UOK", &name, &function, &written)) {
    return nullptr;
  }
  auto* self = PyObject_New(ComputedObject, type);
  if (self == nullptr) return nullptr;
  self->call = Call;
  self->name = Py_NewRef(name);
  self->function = Py_NewRef(function);
  self->written = written;
  return reinterpret_cast<PyObject*>(self);
}

void Dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_CLEAR(Of(self)->name);
  Py_CLEAR(Of(self)->function);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ComputedObject, call),
     READONLY, nullptr},
    {"__wrapped__", T_OBJECT, offsetof(ComputedObject, function), READONLY,
     nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

bool AddComputedType(PyObject* module) {
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(New)},
      {Py_tp_dealloc, reinterpret_cast<void*>(Dealloc)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_members, members},
      {0, nullptr},
  };
  PyType_Spec spec = {"fuseau.computed", sizeof(ComputedObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL, slots};
  PyRef type(PyType_FromModuleAndSpec(module, &spec, nullptr));
  return type && PyModule_AddObjectRef(module, "computed", type.get()) == 0;
}

}  // namespace fuseau::python

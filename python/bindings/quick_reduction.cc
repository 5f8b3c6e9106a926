// Quick forms of reductions.
#include "frontend/record.h"
#include "python/bindings/functions.h"
#include "python/bindings/quick_arguments.h"
#include "python/bindings/quick_forms.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

bool ParseKeepDims(PyObject* object, bool* keep_dims) {
  *keep_dims = object == Py_True;
  return object == nullptr || PyBool_Check(object);
}

bool ParseAxis(PyObject* object, PyObject** axis) {
  *axis = object != nullptr ? object : Py_None;
  return *axis == Py_None || PyLong_CheckExact(*axis) ||
         PyTuple_CheckExact(*axis);
}

// sum, prod, mean: a, axis, dtype, out, keepdims
template <OpCode op, bool mean>
PyObject* Total(PyObject* const* args) {
  bool keep_dims;
  PyObject* axis;
  if (!IsArray(args[0]) || !ParseAxis(args[1], &axis) || !IsMissing(args[2]) ||
      !IsMissing(args[3]) || !ParseKeepDims(args[4], &keep_dims)) {
    return nullptr;
  }
  const Array& array = ArrayOf(args[0]);
  // NumPy warns of a mean of nothing; it has its own products of complex
  // numbers.
  if (mean && array.size() == 0) return nullptr;
  // Unlike a sum, a mean refuses any axis of an array that has none.
  if (mean && array.rank() == 0 && axis != Py_None) return nullptr;
  if (op == OpCode::kProd && IsComplex(array.dtype())) return nullptr;
  return ReduceArray(op, mean, array, axis, keep_dims, Py_None);
}

// max, min, any, all: a, axis, out, keepdims
template <OpCode op>
PyObject* Extreme(PyObject* const* args) {
  bool keep_dims;
  PyObject* axis;
  if (!IsArray(args[0]) || !ParseAxis(args[1], &axis) || !IsMissing(args[2]) ||
      !ParseKeepDims(args[3], &keep_dims)) {
    return nullptr;
  }
  const Array& array = ArrayOf(args[0]);
  constexpr bool kTruth = op == OpCode::kAny || op == OpCode::kAll;
  if (!kTruth && IsComplex(array.dtype())) return nullptr;
  return ReduceArray(op, false, array, axis, keep_dims, Py_None);
}

// count_nonzero: a, axis
PyObject* CountNonzero(PyObject* const* args) {
  PyObject* axis;
  if (!IsArray(args[0]) || !ParseAxis(args[1], &axis)) return nullptr;
  PyRef mask(Py_NewRef(args[0]));
  if (ArrayOf(args[0]).dtype() != DType::kBool) {
    PyRef zero(PyLong_FromLong(0));
    if (!zero) return nullptr;
    mask = PyRef(CallBinary(OpCode::kNotEqual, args[0], zero.get()));
    if (!mask) return nullptr;
  }
  return ReduceArray(OpCode::kSum, false, ArrayOf(mask.get()), axis,
                     /*keep_dims=*/false, Py_None);
}

constexpr QuickForm kForms[] = {
    {"sum",
     {"a", "axis", "dtype", "out", "keepdims"},
     5,
     1,
     Total<OpCode::kSum, false>},
    {"prod",
     {"a", "axis", "dtype", "out", "keepdims"},
     5,
     1,
     Total<OpCode::kProd, false>},
    {"mean",
     {"a", "axis", "dtype", "out", "keepdims"},
     5,
     1,
     Total<OpCode::kSum, true>},
    {"max", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kMax>},
    {"min", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kMin>},
    {"amax", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kMax>},
    {"amin", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kMin>},
    {"any", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kAny>},
    {"all", {"a", "axis", "out", "keepdims"}, 4, 1, Extreme<OpCode::kAll>},
    {"count_nonzero", {"a", "axis"}, 2, 1, CountNonzero},
};

}  // namespace

absl::Span<const QuickForm> ReductionForms() { return kForms; }

}  // namespace fuseau::python

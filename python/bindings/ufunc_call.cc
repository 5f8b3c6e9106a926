#include "python/bindings/ufunc_call.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "frontend/convert.h"
#include "frontend/evaluate.h"
#include "frontend/record.h"
#include "frontend/reduce.h"
#include "frontend/routine.h"
#include "python/bindings/arguments.h"
#include "python/bindings/float_reports.h"

namespace fuseau::python {
namespace {

bool IsComparison(OpCode op) {
  return op == OpCode::kEqual || op == OpCode::kNotEqual ||
         op == OpCode::kLess || op == OpCode::kLessEqual ||
         op == OpCode::kGreater || op == OpCode::kGreaterEqual;
}

// Whether a Python int is too small (-1) or too large (1) for the type.
int OutOfRange(const Operand& operand, DType dtype) {
  int64_t value;
  std::memcpy(&value, operand.scalar, sizeof(value));
  return VisitDType(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      using Limits = std::numeric_limits<T>;
      if (operand.is_uint64) {
        return static_cast<uint64_t>(value) >
                       static_cast<uint64_t>(Limits::max())
                   ? 1
                   : 0;
      }
      if (std::cmp_less(value, Limits::min())) return -1;
      if (std::cmp_greater(value, Limits::max())) return 1;
    }
    return 0;
  });
}

bool IsLogical(OpCode op) {
  return op == OpCode::kLogicalAnd || op == OpCode::kLogicalOr ||
         op == OpCode::kLogicalXor;
}

// NumPy makes a `long` of a Python int for loops of int64, for those of bool
// and for logical functions; comparisons with int64 take any int.
bool TooLargeForLong(OpCode op, const Operand& operand, Kind partner,
                     DType dtype) {
  return operand.kind == kPyInt && operand.is_uint64 &&
         (dtype == DType::kBool || IsLogical(op) ||
          (dtype == DType::kInt64 &&
           (!IsComparison(op) || partner == KindOf(DType::kBool))));
}

// The result of comparing any element with a number on the side `sign` of all.
// `op` is seen from the element.
bool CompareWithSide(OpCode op, int sign) {
  switch (op) {
    case OpCode::kNotEqual:
      return true;
    case OpCode::kLess:
    case OpCode::kLessEqual:
      return sign > 0;
    case OpCode::kGreater:
    case OpCode::kGreaterEqual:
      return sign < 0;
    default:
      return false;
  }
}

// A Python number without a partner has NumPy's default type.
Kind DefaultKind(Kind kind) {
  return kind == kPyInt     ? KindOf(DType::kInt64)
         : kind == kPyFloat ? KindOf(DType::kFloat64)
                            : KindOf(DType::kComplex128);
}

// NumPy raises for integers to negative powers, so the exponents must be known.
Answer CheckExponent(const Operand& exponent, const Loop& loop) {
  if (ClassOf(loop.in[1]) != DTypeClass::kSigned) return Answer::kNative;
  bool negative = false;
  if (exponent.array == nullptr) {
    if (exponent.kind == KindOf(DType::kBool)) return Answer::kNative;
    char value[16];
    absl::Status status = ConvertScalar(exponent, DType::kInt64, value);
    if (!status.ok()) {
      Raise(status);
      return Answer::kError;
    }
    int64_t number;
    std::memcpy(&number, value, sizeof(number));
    negative = number < 0;
  } else if (ClassOf(exponent.array->dtype()) == DTypeClass::kSigned &&
             exponent.array->size() > 0) {
    Array least;
    const int rank = exponent.array->rank();
    const uint64_t axes = rank == 64 ? ~uint64_t{0} : (uint64_t{1} << rank) - 1;
    absl::Status status =
        Reduce(OpCode::kMin, *exponent.array, axes,
               /*keep_dims=*/false, DType::kInt64, nullptr, &least);
    char value[16];
    if (status.ok()) status = ReadElement(least, value);
    if (!status.ok()) {
      Raise(status);
      return Answer::kError;
    }
    int64_t number;
    std::memcpy(&number, value, sizeof(number));
    negative = number < 0;
  }
  if (!negative) return Answer::kNative;
  PyErr_SetString(PyExc_ValueError,
                  "Integers to negative integer powers are not allowed.");
  return Answer::kError;
}

PyObject* Fallback(OpCode op, PyObject* x, PyObject* y) {
  return CallFallback(
      ir::RowOf(op).numpy, nullptr,
      PyRef(y != nullptr ? PyTuple_Pack(2, x, y) : PyTuple_Pack(1, x)),
      nullptr);
}

bool IsKnownType(PyObject* object) {
  return IsArray(object) || PyFloat_CheckExact(object) ||
         PyLong_CheckExact(object) || PyBool_Check(object) ||
         PyComplex_CheckExact(object) || PyArray_CheckExact(object) ||
         PyList_CheckExact(object) || PyTuple_CheckExact(object) ||
         PyUnicode_CheckExact(object) || object == Py_None;
}

// Whether the other operand wants to do the operation itself: NumPy's rule.
bool ShouldDefer(PyObject* other, bool in_place) {
  if (IsKnownType(other) || PyArray_CheckScalar(other)) return false;
  PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(other));
  PyRef attribute(PyObject_GetAttr(type, G().array_ufunc));
  if (attribute) return !in_place && attribute.get() == Py_None;
  PyErr_Clear();
  if (in_place) return false;
  PyRef priority(PyObject_GetAttr(type, G().array_priority));
  if (!priority) {
    PyErr_Clear();
    return false;
  }
  const double value = PyFloat_AsDouble(priority.get());
  if (value == -1.0 && PyErr_Occurred()) {
    PyErr_Clear();
    return false;
  }
  return value > 0;
}

// a ** 2 and the like, which NumPy's operator computes by other ufuncs.
bool FastPower(PyObject* x, PyObject* y, OpCode* op) {
  if (!IsArray(x)) return false;
  const DType dtype = ArrayOf(x).dtype();
  if (ArrayOf(x).has(kScalarFlag) && IsFloat(dtype)) return false;
  const bool inexact = IsFloat(dtype) || IsComplex(dtype);
  if (PyLong_CheckExact(y)) {
    int overflow = 0;
    const long exponent = PyLong_AsLongAndOverflow(y, &overflow);
    if (overflow != 0) return false;
    if (exponent == 2) {
      // The scalars of NumPy have an operator of their own.
      if (dtype == DType::kBool && ArrayOf(x).has(kScalarFlag)) return false;
      *op = OpCode::kSquare;
      return true;
    }
    if (exponent == -1 && inexact) {
      *op = OpCode::kReciprocal;
      return true;
    }
  } else if (inexact && PyFloat_CheckExact(y) && PyFloat_AS_DOUBLE(y) == 0.5) {
    *op = OpCode::kSqrt;
    return true;
  }
  return false;
}

}  // namespace

Answer Prepare(OpCode op, PyObject* const* objects, int count,
               Operands* operands, Loop* loop, bool* constant) {
  if (absl::Status status = BeforeRecord(); !status.ok()) {
    Raise(status);
    return Answer::kError;
  }
  operands->count = count;
  for (int k = 0; k < count; ++k) {
    switch (
        ToOperand(objects[k], &operands->operand[k], &operands->copied[k])) {
      case Conversion::kOperand:
        break;
      case Conversion::kError:
        return Answer::kError;
      case Conversion::kUnsupported:
        return Answer::kFallback;
    }
  }
  Kind a = operands->operand[0].kind;
  Kind b = count > 1 ? operands->operand[1].kind : a;
  if (!IsStrong(a) && !IsStrong(b)) {
    a = DefaultKind(a);
    b = DefaultKind(b);
  }
  const Loop& found = LoopTable::Get().Find(op, a, b);
  switch (found.state) {
    case Loop::kNative:
      break;
    case Loop::kError:
      RaiseNoLoop(op, *operands);
      return Answer::kError;
    case Loop::kFallback:
    case Loop::kUnknown:
      return Answer::kFallback;
  }
  *loop = found;
  for (int k = 0; k < count; ++k) {
    const Kind partner = operands->operand[count - 1 - k].kind;
    if (TooLargeForLong(op, operands->operand[k], partner, loop->in[k])) {
      if (count == 1) return Answer::kFallback;
      PyErr_SetString(PyExc_OverflowError,
                      "Python int too large to convert to C long");
      return Answer::kError;
    }
  }
  if (op == OpCode::kPower && IsInteger(loop->in[1])) {
    for (int k = 0; k < count; ++k) {
      char number[16];
      if (operands->operand[k].kind != kPyInt) continue;
      absl::Status status =
          ConvertScalar(operands->operand[k], loop->in[k], number);
      if (status.ok()) continue;
      Raise(status);
      return Answer::kError;
    }
    return CheckExponent(operands->operand[1], *loop);
  }
  if (count == 2 && (a == kPyInt || b == kPyInt) && IsComparison(op)) {
    const int number = a == kPyInt ? 0 : 1;
    const int side = OutOfRange(operands->operand[number], loop->in[number]);
    if (side != 0) {
      // Seen from the number, the comparison is the other way round.
      *constant = CompareWithSide(op, number == 1 ? side : -side);
      return Answer::kConstant;
    }
  }
  return Answer::kNative;
}

bool IsRoutine(OpCode op) {
  return ir::RowOf(op).family == ir::Family::kRoutine;
}

PyObject* Record(OpCode op, Answer answer, const Operands& operands,
                 const Loop& loop, bool constant, Order order) {
  PyObject* result = NewArrayObject();
  if (result == nullptr) return nullptr;
  Array* out = &ArrayOf(result);
  if (answer == Answer::kConstant) {
    Operand value;
    value.kind = KindOf(DType::kBool);
    value.scalar[0] = constant ? 1 : 0;
    // Two numbers have no array among them.
    absl::Span<const int64_t> shape;
    for (int k = 0; k < operands.count; ++k) {
      if (operands.operand[k].array != nullptr) {
        shape = operands.operand[k].array->shape();
      }
    }
    absl::Status status = Full(shape, DType::kBool, value, Order::kC, out);
    if (status.ok() && shape.empty()) {
      out->set_flags((out->flags() & ~kWritable) | kScalarFlag);
    }
    return FinishRecorded(result, status);
  }
  return FinishRecorded(
      result, IsRoutine(op)
                  ? Product(op, loop, operands.span(), out)
                  : Elementwise(op, loop, operands.span(), order, out));
}

bool CheckOutput(OpCode op, DType from, DType to, Casting casting) {
  if (from == to || CanCast(from, to, casting)) return true;
  RaiseNumpy(
      "numpy._core._exceptions", "_UFuncOutputCastingError",
      PyRef(Py_BuildValue("(OsOOi)", NumpyUfunc(op), CastingName(casting),
                          ToDescr(from), ToDescr(to), 0)));
  return false;
}

bool CheckInput(OpCode op, int index, DType from, DType to, Casting casting) {
  if (from == to || CanCast(from, to, casting)) return true;
  RaiseNumpy(
      "numpy._core._exceptions", "_UFuncInputCastingError",
      PyRef(Py_BuildValue("(OsOOi)", NumpyUfunc(op), CastingName(casting),
                          ToDescr(from), ToDescr(to), index)));
  return false;
}

absl::Status RecordInto(OpCode op, const Operands& operands, const Loop& loop,
                        const Operand* where, const Array& target) {
  return IsRoutine(op)
             ? ProductInto(op, loop, operands.span(), target)
             : ElementwiseInto(op, loop, operands.span(), where, target);
}

PyObject* CallBinary(OpCode op, PyObject* x, PyObject* y) {
  if (op == OpCode::kPower && FastPower(x, y, &op)) return CallUnary(op, x);
  if (ShouldDefer(IsArray(x) ? y : x, /*in_place=*/false)) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  PyObject* const objects[2] = {x, y};
  Operands operands;
  Loop loop;
  bool constant = false;
  const Answer answer = Prepare(op, objects, 2, &operands, &loop, &constant);
  if (answer == Answer::kError) return nullptr;
  if (answer == Answer::kFallback) return Fallback(op, x, y);
  return Record(op, answer, operands, loop, constant, Order::kKeep);
}

PyObject* CallScalarPower(PyObject* x, PyObject* y) {
  OpCode op = OpCode::kPower;
  if (FastPower(x, y, &op)) return CallUnary(op, x);
  if (ShouldDefer(IsArray(x) ? y : x, /*in_place=*/false)) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  PyObject* const objects[2] = {x, y};
  Operands operands;
  Loop loop;
  bool constant = false;
  const Answer answer = Prepare(op, objects, 2, &operands, &loop, &constant);
  if (answer == Answer::kError) return nullptr;
  if (answer == Answer::kFallback) return Fallback(op, x, y);
  // NumPy leaves what needs a third type, and all of bool, to the ufunc.
  const Kind a = operands.operand[0].kind, b = operands.operand[1].kind;
  const Kind computed = KindOf(loop.in[0]);
  const bool by_scalars =
      a != KindOf(DType::kBool) && (a == computed || b == computed);
  if (by_scalars && IsFloat(loop.out)) op = OpCode::kFloatPower;
  const WatchFor kinds(BySecondWord(by_scalars));
  return Record(op, answer, operands, loop, constant, Order::kKeep);
}

PyObject* CallUnary(OpCode op, PyObject* x) {
  Operands operands;
  Loop loop;
  bool constant = false;
  const Answer answer = Prepare(op, &x, 1, &operands, &loop, &constant);
  if (answer == Answer::kError) return nullptr;
  if (answer == Answer::kFallback) return Fallback(op, x, nullptr);
  return Record(op, answer, operands, loop, constant, Order::kKeep);
}

PyObject* CallInPlace(OpCode op, PyObject* self, PyObject* other) {
  const Array& target = ArrayOf(self);
  // A scalar is not changed; the name gets a new one.
  if (target.has(kScalarFlag)) return CallBinary(op, self, other);
  if (ShouldDefer(other, /*in_place=*/true)) Py_RETURN_NOTIMPLEMENTED;
  if (!target.has(kWritable)) {
    PyErr_SetString(PyExc_ValueError, "output array is read-only");
    return nullptr;
  }
  PyObject* const objects[2] = {self, other};
  int count = 2;
  if (op == OpCode::kPower && FastPower(self, other, &op)) count = 1;
  Operands operands;
  Loop loop;
  bool constant = false;
  switch (Prepare(op, objects, count, &operands, &loop, &constant)) {
    case Answer::kError:
      return nullptr;
    case Answer::kConstant:
    case Answer::kFallback: {
      PyRef kwargs(Py_BuildValue("{s:O}", "out", self));
      if (!kwargs) return nullptr;
      return CallFallback(ir::RowOf(op).numpy, nullptr,
                          PyRef(PyTuple_Pack(2, self, other)), kwargs.get());
    }
    case Answer::kNative:
      break;
  }
  if (!CheckOutput(op, loop.out, target.dtype(), Casting::kSameKind)) {
    return nullptr;
  }
  absl::Status status = RecordInto(op, operands, loop, nullptr, target);
  if (status.ok()) status = Recorded(target.node(), /*write=*/true);
  if (!status.ok()) return Raise(status);
  return Py_NewRef(self);
}

// NumPy orders its complex scalars by rules of their own where a part is NaN,
// so a scalar compared with a number is NumPy's scalar.
static bool IsComplexScalar(PyObject* object) {
  return IsArray(object) && ArrayOf(object).has(kScalarFlag) &&
         IsComplex(ArrayOf(object).dtype());
}

PyObject* CallCompare(PyObject* x, PyObject* y, int comparison) {
  if (comparison != Py_EQ && comparison != Py_NE && IsComplexScalar(x) &&
      (!IsArray(y) || ArrayOf(y).has(kScalarFlag))) {
    PyRef one(ScalarOf(ArrayOf(x)));
    PyRef two(IsArray(y) ? ScalarOf(ArrayOf(y)) : Py_NewRef(y));
    if (!one || !two) return nullptr;
    return PyObject_RichCompare(one.get(), two.get(), comparison);
  }
  OpCode op = OpCode::kEqual;
  const char* name = "eq";
  switch (comparison) {
    case Py_EQ:
      break;
    case Py_NE:
      op = OpCode::kNotEqual;
      name = "ne";
      break;
    case Py_LT:
      op = OpCode::kLess;
      name = "lt";
      break;
    case Py_LE:
      op = OpCode::kLessEqual;
      name = "le";
      break;
    case Py_GT:
      op = OpCode::kGreater;
      name = "gt";
      break;
    case Py_GE:
      op = OpCode::kGreaterEqual;
      name = "ge";
      break;
    default:
      Py_RETURN_NOTIMPLEMENTED;
  }
  if (ShouldDefer(y, /*in_place=*/false)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* const objects[2] = {x, y};
  Operands operands;
  Loop loop;
  bool constant = false;
  const Answer answer = Prepare(op, objects, 2, &operands, &loop, &constant);
  if (answer == Answer::kError) return nullptr;
  if (answer == Answer::kFallback) {
    // NumPy's operators answer where its ufuncs raise.
    PyRef module(PyImport_ImportModule("operator"));
    if (!module) return nullptr;
    PyRef function(PyObject_GetAttrString(module.get(), name));
    if (!function) return nullptr;
    return CallFallback(ir::RowOf(op).numpy, function.get(),
                        PyRef(PyTuple_Pack(2, x, y)), nullptr);
  }
  return Record(op, answer, operands, loop, constant, Order::kKeep);
}

}  // namespace fuseau::python

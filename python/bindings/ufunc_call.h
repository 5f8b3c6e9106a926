// Calls of ufuncs with Python objects.
#pragma once

#include <optional>

#include "frontend/layout.h"
#include "frontend/promotion.h"
#include "python/bindings/convert.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// The operands of one call. The objects that they were made of stay alive.
struct Operands {
  int count = 0;
  Operand operand[2];
  Array copied[2];

  absl::Span<const Operand> span() const {
    return {operand, static_cast<size_t>(count)};
  }
};

// How a call can be answered.
enum class Answer : uint8_t {
  kNative,
  kConstant,  // a comparison with a Python int that no element can equal
  kFallback,  // NumPy's business
  kError,     // a Python error is set
};

// Converts the objects and finds the loop. `constant` is the answer to a
// comparison of the third kind.
Answer Prepare(OpCode op, PyObject* const* objects, int count,
               Operands* operands, Loop* loop, bool* constant);
// The result of what Prepare found; a new array.
PyObject* Record(OpCode op, Answer answer, const Operands& operands,
                 const Loop& loop, bool constant, Order order);

// The same into an array, with NumPy's `where=` (null: everywhere).
absl::Status RecordInto(OpCode op, const Operands& operands, const Loop& loop,
                        const Operand* where, const Array& target);
// Whether the ufunc is a generalised one, which takes no `where=`.
bool IsRoutine(OpCode op);

// NumPy's UFuncTypeError when the loop's result may not be stored as `to`.
bool CheckOutput(OpCode op, DType from, DType to, Casting casting);
bool CheckInput(OpCode op, int index, DType from, DType to, Casting casting);

// Operators. `slow` is what Python calls the function of the operator, for the
// fallback.
PyObject* CallBinary(OpCode op, PyObject* x, PyObject* y);
PyObject* CallUnary(OpCode op, PyObject* x);
// x ** y of scalars: floats by the C library's `pow`, as NumPy has it, which is
// the loop of float_power. Arrays take short cuts that differ at -inf and -0.0.
PyObject* CallScalarPower(PyObject* x, PyObject* y);
PyObject* CallInPlace(OpCode op, PyObject* self, PyObject* other);
PyObject* CallCompare(PyObject* x, PyObject* y, int comparison);

// Asks NumPy for types: fills the table of loops and registers NumPy's inner
// loops. False with an error set.
bool ConnectToNumpy();
// Raises what NumPy says about operands that have no loop.
void RaiseNoLoop(OpCode op, const Operands& operands);
// NumPy's ufunc; borrowed.
PyObject* NumpyUfunc(OpCode op);
// The operation that a ufunc of NumPy is, if any.
std::optional<OpCode> OpOfUfunc(PyObject* ufunc);

}  // namespace fuseau::python

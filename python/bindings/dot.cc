// NumPy's dot: a product whose operands BLAS gets as they lie, or copies of
// them.
#include "frontend/record.h"
#include "python/bindings/array_object.h"
#include "python/bindings/functions.h"
#include "python/bindings/ufunc_call.h"

namespace fuseau::python {
namespace {

// Whether NumPy's dot gives an operand to BLAS as it lies.
bool LiesForBlas(const Array& array) {
  if (IsInteger(array.dtype()) || array.dtype() == DType::kBool ||
      array.size() == 0) {
    return true;
  }
  const int64_t item = ItemSize(array.dtype());
  const int rank = array.rank();
  int lines = 0;
  for (int d = 0; d < rank; ++d) {
    if (array.shape()[d] == 1) continue;
    const int64_t step = array.strides()[d];
    if (step <= 0 || step % item != 0) return false;
    ++lines;
  }
  if (lines < 2) return true;
  const int64_t rows = array.strides()[0], columns = array.strides()[1];
  return (columns == item && rows >= array.shape()[1] * item) ||
         (rows == item && columns >= array.shape()[0] * item);
}

// The array, or the copy that NumPy's dot makes before it calls BLAS.
PyObject* BlasOperand(PyObject* object) {
  const Array& array = ArrayOf(object);
  if (LiesForBlas(array)) return Py_NewRef(object);
  PyRef copy(NewArrayObject());
  if (!copy) return nullptr;
  const absl::Status status = Copy(array, Order::kC, &ArrayOf(copy.get()));
  return status.ok() ? copy.Release() : Raise(status);
}

}  // namespace

PyObject* Dot(PyObject* a, PyObject* b) {
  PyRef left(BlasOperand(a));
  PyRef right(left ? BlasOperand(b) : nullptr);
  if (!right) return nullptr;
  const WatchFor kinds(BySecondWord());
  return CallBinary(OpCode::kMatmul, left.get(), right.get());
}

}  // namespace fuseau::python

#include "ir/dialect.h"

#include "runtime/base/dims.h"
#include "runtime/base/status.h"

namespace fuseau::ir {

using mlir::cast;
using mlir::dyn_cast;

void FuseauDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "ir/ops.cc.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ir/region_ops.cc.inc"
      >();
}

namespace exec {

void ExecDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "ir/exec_types.cc.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ir/exec_ops.cc.inc"
      >();
}

}  // namespace exec

mlir::Type ElementType(mlir::MLIRContext* context, DType dtype) {
  using mlir::IntegerType;
  const unsigned bits = 8 * ItemSize(dtype);
  switch (ClassOf(dtype)) {
    case DTypeClass::kBool:
      return IntegerType::get(context, 1);
    case DTypeClass::kSigned:
      return IntegerType::get(context, bits, IntegerType::Signed);
    case DTypeClass::kUnsigned:
      return IntegerType::get(context, bits, IntegerType::Unsigned);
    case DTypeClass::kFloat:
      return bits == 32 ? mlir::Type(mlir::Float32Type::get(context))
                        : mlir::Type(mlir::Float64Type::get(context));
    case DTypeClass::kComplex:
      return mlir::ComplexType::get(ElementType(context, PartType(dtype)));
  }
  return {};
}

DType DTypeOf(mlir::Type type) {
  if (auto complex = dyn_cast<mlir::ComplexType>(type))
    return complex.getElementType().isF32() ? DType::kComplex64
                                            : DType::kComplex128;
  if (type.isF32()) return DType::kFloat32;
  if (type.isF64()) return DType::kFloat64;
  auto integer = cast<mlir::IntegerType>(type);
  const bool u = integer.isUnsigned();
  switch (integer.getWidth()) {
    case 1:
      return DType::kBool;
    case 8:
      return u ? DType::kUInt8 : DType::kInt8;
    case 16:
      return u ? DType::kUInt16 : DType::kInt16;
    case 32:
      return u ? DType::kUInt32 : DType::kInt32;
    default:
      return u ? DType::kUInt64 : DType::kInt64;
  }
}

mlir::Type ScalarType(mlir::MLIRContext* context, DType dtype) {
  mlir::Type type = ElementType(context, dtype);
  if (auto integer = dyn_cast<mlir::IntegerType>(type))
    return mlir::IntegerType::get(context, integer.getWidth());
  return type;
}

int64_t StorageBytes(mlir::Type type) {
  auto tensor = cast<mlir::RankedTensorType>(type);
  return Count(tensor.getShape()) * ItemSize(DTypeOf(tensor.getElementType()));
}

}  // namespace fuseau::ir

#include "ir/dialect.cc.inc"
#include "ir/exec_dialect.cc.inc"

#define GET_TYPEDEF_CLASSES
#include "ir/exec_types.cc.inc"

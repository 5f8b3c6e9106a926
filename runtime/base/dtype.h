// Element types of arrays.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace fuseau {

// The element types that fuseau computes with. Others are left to NumPy.
enum class DType : uint8_t {
  kBool,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat32,
  kFloat64,
  kComplex64,
  kComplex128,
};

inline constexpr int kDTypeCount = 13;

// The classes by which an operation chooses its scalar form.
enum class DTypeClass : uint8_t { kBool, kSigned, kUnsigned, kFloat, kComplex };

namespace dtype_internal {
struct Row {
  uint8_t size;
  char code;  // NumPy's type character
  DTypeClass cls;
  const char* name;
};
inline constexpr Row kRows[kDTypeCount] = {
    {1, '?', DTypeClass::kBool, "bool"},
    {1, 'b', DTypeClass::kSigned, "int8"},
    {1, 'B', DTypeClass::kUnsigned, "uint8"},
    {2, 'h', DTypeClass::kSigned, "int16"},
    {2, 'H', DTypeClass::kUnsigned, "uint16"},
    {4, 'i', DTypeClass::kSigned, "int32"},
    {4, 'I', DTypeClass::kUnsigned, "uint32"},
    {8, 'l', DTypeClass::kSigned, "int64"},
    {8, 'L', DTypeClass::kUnsigned, "uint64"},
    {4, 'f', DTypeClass::kFloat, "float32"},
    {8, 'd', DTypeClass::kFloat, "float64"},
    {8, 'F', DTypeClass::kComplex, "complex64"},
    {16, 'D', DTypeClass::kComplex, "complex128"},
};
}  // namespace dtype_internal

// Bytes of one element.
constexpr int ItemSize(DType t) {
  return dtype_internal::kRows[static_cast<int>(t)].size;
}
// NumPy's type character ('d' is float64, 'l' is int64).
constexpr char TypeCode(DType t) {
  return dtype_internal::kRows[static_cast<int>(t)].code;
}
constexpr DTypeClass ClassOf(DType t) {
  return dtype_internal::kRows[static_cast<int>(t)].cls;
}
inline absl::string_view Name(DType t) {
  return dtype_internal::kRows[static_cast<int>(t)].name;
}
constexpr bool IsInteger(DType t) {
  return ClassOf(t) == DTypeClass::kSigned ||
         ClassOf(t) == DTypeClass::kUnsigned;
}
constexpr bool IsFloat(DType t) { return ClassOf(t) == DTypeClass::kFloat; }
constexpr bool IsComplex(DType t) { return ClassOf(t) == DTypeClass::kComplex; }

// The type of a complex type's parts; any other type is returned as it is.
constexpr DType PartType(DType t) {
  return t == DType::kComplex64    ? DType::kFloat32
         : t == DType::kComplex128 ? DType::kFloat64
                                   : t;
}

}  // namespace fuseau

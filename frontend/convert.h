// Conversion of elements between types, with the meaning of operation `cast`.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "runtime/base/dtype.h"

namespace fuseau {

template <typename T>
struct TypeTag {
  using type = T;
};

// Calls `f` with the TypeTag of the C++ type that holds an element.
template <typename F>
decltype(auto) VisitDType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool:
      return f(TypeTag<bool>());
    case DType::kInt8:
      return f(TypeTag<int8_t>());
    case DType::kUInt8:
      return f(TypeTag<uint8_t>());
    case DType::kInt16:
      return f(TypeTag<int16_t>());
    case DType::kUInt16:
      return f(TypeTag<uint16_t>());
    case DType::kInt32:
      return f(TypeTag<int32_t>());
    case DType::kUInt32:
      return f(TypeTag<uint32_t>());
    case DType::kInt64:
      return f(TypeTag<int64_t>());
    case DType::kUInt64:
      return f(TypeTag<uint64_t>());
    case DType::kFloat32:
      return f(TypeTag<float>());
    case DType::kFloat64:
      return f(TypeTag<double>());
    case DType::kComplex64:
      return f(TypeTag<std::complex<float>>());
    case DType::kComplex128:
      return f(TypeTag<std::complex<double>>());
  }
  __builtin_unreachable();
}

namespace convert_internal {
template <typename T>
struct IsComplexType : std::false_type {};
template <typename T>
struct IsComplexType<std::complex<T>> : std::true_type {};
}  // namespace convert_internal

// A float outside the range of an integer type gives what x86's conversion to
// the next wider signed type leaves in the low bits, as in NumPy's loops.
template <typename To, typename From>
To ConvertElement(From x) {
  if constexpr (convert_internal::IsComplexType<To>::value) {
    using Part = typename To::value_type;
    if constexpr (convert_internal::IsComplexType<From>::value) {
      return To(static_cast<Part>(x.real()), static_cast<Part>(x.imag()));
    } else {
      return To(static_cast<Part>(x), Part(0));
    }
  } else if constexpr (convert_internal::IsComplexType<From>::value) {
    if constexpr (std::is_same_v<To, bool>) {
      return x.real() != 0 || x.imag() != 0;
    } else {
      return ConvertElement<To>(x.real());
    }
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != 0;
  } else if constexpr (std::is_floating_point_v<From> &&
                       std::is_integral_v<To> && sizeof(To) < 4) {
    return static_cast<To>(static_cast<int32_t>(x));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace fuseau

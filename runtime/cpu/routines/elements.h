// Elements of a routine by their C++ type.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "runtime/base/dtype.h"

namespace fuseau::runtime {

template <typename T>
struct IsComplexType : std::false_type {};
template <typename T>
struct IsComplexType<std::complex<T>> : std::true_type {};

// Calls f with a value of the C++ type of the elements.
template <typename F>
void Visit(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool:
    case DType::kUInt8:
      return f(uint8_t{});
    case DType::kInt8:
      return f(int8_t{});
    case DType::kInt16:
      return f(int16_t{});
    case DType::kUInt16:
      return f(uint16_t{});
    case DType::kInt32:
      return f(int32_t{});
    case DType::kUInt32:
      return f(uint32_t{});
    case DType::kInt64:
      return f(int64_t{});
    case DType::kUInt64:
      return f(uint64_t{});
    case DType::kFloat32:
      return f(float{});
    case DType::kFloat64:
      return f(double{});
    case DType::kComplex64:
      return f(std::complex<float>{});
    case DType::kComplex128:
      return f(std::complex<double>{});
  }
}

// The same for all but complex elements, of which f is not called.
template <typename F>
void VisitReal(DType dtype, F&& f) {
  Visit(dtype, [&](auto element) {
    if constexpr (!IsComplexType<decltype(element)>::value) f(element);
  });
}

}  // namespace fuseau::runtime

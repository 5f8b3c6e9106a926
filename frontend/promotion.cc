#include "frontend/promotion.h"

#include <complex>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "frontend/convert.h"
#include "frontend/float_errors.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// The place of a type in NumPy's order of kinds: bool, unsigned, signed, float,
// complex. A cast of the same kind goes to the same place or a later one.
int KindRank(DType t) {
  switch (ClassOf(t)) {
    case DTypeClass::kBool:
      return 0;
    case DTypeClass::kUnsigned:
      return 1;
    case DTypeClass::kSigned:
      return 2;
    case DTypeClass::kFloat:
      return 3;
    case DTypeClass::kComplex:
      return 4;
  }
  __builtin_unreachable();
}

bool IsSafe(DType from, DType to) {
  if (from == to || from == DType::kBool) return true;
  if (to == DType::kBool) return false;
  const int from_size = ItemSize(PartType(from));
  const int to_size = ItemSize(PartType(to));
  const DTypeClass to_class = ClassOf(to);
  const bool to_inexact =
      to_class == DTypeClass::kFloat || to_class == DTypeClass::kComplex;
  switch (ClassOf(from)) {
    case DTypeClass::kBool:
      return true;
    case DTypeClass::kUnsigned:
      if (to_class == DTypeClass::kUnsigned) return to_size >= from_size;
      if (to_class == DTypeClass::kSigned) return to_size > from_size;
      break;
    case DTypeClass::kSigned:
      if (to_class == DTypeClass::kSigned) return to_size >= from_size;
      if (to_class == DTypeClass::kUnsigned) return false;
      break;
    case DTypeClass::kFloat:
      return to_inexact && to_size >= from_size;
    case DTypeClass::kComplex:
      return to_class == DTypeClass::kComplex && to_size >= from_size;
  }
  // Integers: float32 holds 16 bits; NumPy calls 64 bits in a float64 safe.
  return to_inexact && (to_size == 8 || from_size <= 2);
}

template <typename T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename To, typename From>
void Put(From value, char* out) {
  const To converted = ConvertElement<To>(value);
  std::memset(out, 0, 16);
  std::memcpy(out, &converted, sizeof(To));
}

template <typename To>
absl::Status PutInt(const Operand& operand, DType dtype, char* out) {
  const int64_t value = Load<int64_t>(operand.scalar);
  if constexpr (std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    const bool fits =
        operand.is_uint64
            ? static_cast<uint64_t>(value) <=
                  static_cast<uint64_t>(std::numeric_limits<To>::max())
            : std::in_range<To>(value);
    if (!fits) {
      const std::string text = operand.is_uint64
                                   ? absl::StrCat(static_cast<uint64_t>(value))
                                   : absl::StrCat(value);
      return PythonError("OverflowError",
                         absl::StrCat("Python integer ", text,
                                      " out of bounds for ", Name(dtype)));
    }
    Put<To>(value, out);
  } else if constexpr (std::is_same_v<To, bool>) {
    Put<bool>(value, out);
  } else {
    // Python's own conversion goes through float64.
    const double number =
        operand.is_uint64 ? static_cast<double>(static_cast<uint64_t>(value))
                          : static_cast<double>(value);
    Put<To>(number, out);
  }
  return absl::OkStatus();
}

// Not inline, so that flags are looked at behind it.
ABSL_ATTRIBUTE_NOINLINE absl::Status Convert(const Operand& operand, DType to,
                                             char out[16]) {
  return VisitDType(to, [&](auto tag) -> absl::Status {
    using To = typename decltype(tag)::type;
    switch (operand.kind) {
      case kPyInt:
        return PutInt<To>(operand, to, out);
      case kPyFloat:
        Put<To>(Load<double>(operand.scalar), out);
        return absl::OkStatus();
      case kPyComplex:
        Put<To>(Load<std::complex<double>>(operand.scalar), out);
        return absl::OkStatus();
      default:
        break;
    }
    VisitDType(static_cast<DType>(operand.kind), [&](auto from) {
      Put<To>(Load<typename decltype(from)::type>(operand.scalar), out);
    });
    return absl::OkStatus();
  });
}

}  // namespace

LoopTable* LoopTable::instance_ = nullptr;

LoopTable::LoopTable()
    : loops_(static_cast<size_t>(ir::OpCount()) * kKindCount * kKindCount) {}

void LoopTable::SetResolvers(Resolver resolver, TypeResolver result_type) {
  resolver_ = std::move(resolver);
  result_type_ = std::move(result_type);
}

void LoopTable::Resolve(OpCode op, Kind a, Kind b, Loop* loop) {
  FUSEAU_CHECK(resolver_ != nullptr);
  *loop = resolver_(op, a, b);
}

const Loop& LoopTable::ResultType(Kind a, Kind b) {
  Loop& loop = types_[a * kKindCount + b];
  if (loop.state == Loop::kUnknown) {
    FUSEAU_CHECK(result_type_ != nullptr);
    loop = result_type_(a, b);
  }
  return loop;
}

bool CanCast(DType from, DType to, Casting casting) {
  switch (casting) {
    case Casting::kNo:
    case Casting::kEquiv:
      return from == to;
    case Casting::kSafe:
      return IsSafe(from, to);
    case Casting::kSameKind:
      return IsSafe(from, to) || KindRank(from) <= KindRank(to);
    case Casting::kUnsafe:
    case Casting::kSameValue:
      return true;
  }
  __builtin_unreachable();
}

absl::Status ConvertScalar(const Operand& operand, DType to, char out[16]) {
  if (operand.kind == kPyFloat && to == DType::kFloat64) {
    std::memcpy(out, operand.scalar, 16);
    return absl::OkStatus();
  }
  const DType from = operand.kind == kPyInt     ? DType::kInt64
                     : operand.kind == kPyFloat ? DType::kFloat64
                     : operand.kind == kPyComplex
                         ? DType::kComplex128
                         : static_cast<DType>(operand.kind);
  if (float_watch == 0 || RaisedFloatErrors(OpCode::kCast, from, to) == 0) {
    return Convert(operand, to, out);
  }
  ClearFloatFlags();
  absl::Status status = Convert(operand, to, out);
  CheckFloatErrors(WordOf(OpCode::kCast, 0), float_watch);
  return status;
}

}  // namespace fuseau

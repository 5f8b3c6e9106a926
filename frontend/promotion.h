// Which loop of a ufunc runs for which operand types. The answers are NumPy's:
// each is asked once and remembered.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"

namespace fuseau {

// The type of an operand as promotion sees it: one of the element types, or a
// Python number, which adapts to the other operand (NEP 50). Python's bool is
// just the type bool.
enum Kind : uint8_t {
  kPyInt = kDTypeCount,
  kPyFloat,
  kPyComplex,
};
inline constexpr int kKindCount = kDTypeCount + 3;
constexpr Kind KindOf(DType dtype) { return static_cast<Kind>(dtype); }
constexpr bool IsStrong(Kind kind) { return kind < kDTypeCount; }

// An operand of an operation: an array or a number.
struct Operand {
  const Array* array = nullptr;  // null: the number
  Kind kind = KindOf(DType::kFloat64);
  // A number in its own type; a Python number as int64, double or two doubles.
  alignas(8) char scalar[16] = {};
  // The Python int does not fit in int64 but in uint64; its bits are there.
  bool is_uint64 = false;

  static Operand Of(const Array& array) {
    Operand operand;
    operand.array = &array;
    operand.kind = KindOf(array.dtype());
    return operand;
  }
};

struct Loop {
  enum State : uint8_t {
    kUnknown,
    kNative,
    kFallback,  // NumPy has a loop, with types that we do not have
    kError,     // NumPy raises
  };
  State state = kUnknown;
  DType in[2] = {};
  DType out = {};
};

class LoopTable {
 public:
  static LoopTable& Get() {
    if (__builtin_expect(instance_ == nullptr, false)) {
      instance_ = new LoopTable;
    }
    return *instance_;
  }

  using Resolver = std::function<Loop(OpCode op, Kind a, Kind b)>;
  using TypeResolver = std::function<Loop(Kind a, Kind b)>;
  // `resolver` asks NumPy for a ufunc's loop; the second kind of a unary
  // operation is ignored. `result_type` asks for the common type of two kinds.
  void SetResolvers(Resolver resolver, TypeResolver result_type);

  const Loop& Find(OpCode op, Kind a, Kind b) {
    Loop& loop =
        loops_[(static_cast<size_t>(op) * kKindCount + a) * kKindCount + b];
    if (loop.state == Loop::kUnknown) Resolve(op, a, b, &loop);
    return loop;
  }
  // Only `out` of the answer has a meaning.
  const Loop& ResultType(Kind a, Kind b);

 private:
  LoopTable();
  void Resolve(OpCode op, Kind a, Kind b, Loop* loop);

  static LoopTable* instance_;  // lives for ever

  std::vector<Loop> loops_;
  Loop types_[kKindCount * kKindCount];
  Resolver resolver_;
  TypeResolver result_type_;
};

enum class Casting : uint8_t {
  kNo,
  kEquiv,
  kSafe,
  kSameKind,
  kUnsafe,
  kSameValue,  // NumPy 2.4; left to NumPy
};

// NumPy's can_cast between element types.
bool CanCast(DType from, DType to, Casting casting);

// The operand's number as an element of type `to`. A Python int that does not
// fit gives NumPy's OverflowError; other numbers convert as C converts them.
absl::Status ConvertScalar(const Operand& operand, DType to, char out[16]);

}  // namespace fuseau

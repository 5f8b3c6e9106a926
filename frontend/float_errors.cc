#include "frontend/float_errors.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace fuseau {
namespace {

using ir::OpCode;

struct Noted {
  std::mutex mutex;
  std::vector<FloatErrors> errors;
};
Noted& AllNoted() {
  static auto* const noted = new Noted;
  return *noted;
}

FloatErrorHandler handler = nullptr;

const char* ScalarWord(OpCode op) {
  static const auto* const words = [] {
    auto* made = new std::vector<std::string>;
    for (int i = 0; i < ir::OpCount(); ++i) {
      // No operator is float_power; that of scalars is recorded as such.
      const auto each = static_cast<OpCode>(i);
      const OpCode named = each == OpCode::kFloatPower ? OpCode::kPower : each;
      made->push_back(absl::StrCat("scalar ", ir::RowOf(named).numpy));
    }
    return made;
  }();
  return (*words)[static_cast<size_t>(op)].c_str();
}

bool IsInexact(DType dtype) { return IsFloat(dtype) || IsComplex(dtype); }

}  // namespace

uint8_t RaisedFloatErrors(ir::OpCode op, DType in, DType out) {
  const ir::OpRow& row = ir::RowOf(op);
  if (op == OpCode::kCast || op == OpCode::kUpdate) {
    const bool changes = IsInexact(in) && out != DType::kBool && in != out;
    return changes ? row.raises : 0;
  }
  // Integers have no such errors but when they are divided.
  const bool divides = (row.raises & kDivideFlag) != 0;
  return IsInexact(out) || divides ? row.raises : 0;
}

uint8_t RaisedFloatErrors(const ir::TraceNode& node) {
  if (node.operands.empty()) return 0;
  return node.watched &
         RaisedFloatErrors(node.op, node.operands.back().dtype, node.dtype);
}

void NoteFirstSuspects(absl::Span<const FloatErrors> suspects, uint8_t flags) {
  for (int kind = kDivideFlag; kind <= kInvalidFlag; kind *= 2) {
    if ((flags & kind) == 0) continue;
    for (const FloatErrors& suspect : suspects) {
      if ((suspect.flags & kind) == 0) continue;
      NoteFloatErrors(suspect.where, static_cast<uint8_t>(kind));
      break;
    }
  }
}

const char* WordOf(ir::OpCode op, uint8_t watched) {
  const ir::OpRow& row = ir::RowOf(op);
  if ((watched & kSecondWord) != 0) {
    if (row.family == ir::Family::kRoutine) return "dot";
    if (row.family == ir::Family::kElementwise && op != OpCode::kCast) {
      return ScalarWord(op);
    }
  }
  if (row.family == ir::Family::kReduction || op == OpCode::kTreeSum ||
      op == OpCode::kFoldSum || op == OpCode::kFoldProduct) {
    return "reduce";
  }
  switch (op) {
    case OpCode::kCast:
    case OpCode::kUpdate:
      return "cast";
    case OpCode::kCumsum:
    case OpCode::kCumprod:
      return "accumulate";
    default:
      return row.numpy[0] != '\0' ? row.numpy : row.loop;
  }
}

void NoteFloatErrors(const char* where, uint8_t flags) {
  Noted& noted = AllNoted();
  const std::lock_guard lock(noted.mutex);
  for (FloatErrors& seen : noted.errors) {
    if (seen.where != where) continue;
    seen.flags |= flags;
    return;
  }
  noted.errors.push_back({where, flags});
  float_errors_noted = true;
}

std::vector<FloatErrors> TakeFloatErrors() {
  Noted& noted = AllNoted();
  const std::lock_guard lock(noted.mutex);
  float_errors_noted = false;
  return std::exchange(noted.errors, {});
}

void SetFloatErrorHandler(FloatErrorHandler function) { handler = function; }

absl::Status ReportNotedFloatErrors() {
  for (const FloatErrors& error : TakeFloatErrors()) {
    if (handler != nullptr && !handler(error.where, error.flags)) {
      return absl::AbortedError("a floating-point error became an exception");
    }
  }
  return absl::OkStatus();
}

}  // namespace fuseau

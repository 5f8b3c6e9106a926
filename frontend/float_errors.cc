#include "frontend/float_errors.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace fuseau {
namespace {

struct Noted {
  std::mutex mutex;
  std::atomic<bool> any{false};
  std::vector<std::pair<const char*, uint8_t>> errors;
};
Noted& AllNoted() {
  static auto* const noted = new Noted;
  return *noted;
}

FloatErrorHandler handler = nullptr;

bool IsInexact(DType dtype) { return IsFloat(dtype) || IsComplex(dtype); }

}  // namespace

bool MayRaiseFloatErrors(ir::OpCode op, DType in, DType out) {
  using ir::OpCode;
  switch (op) {
    case OpCode::kCast:
    case OpCode::kUpdate:
      return IsInexact(in) && out != DType::kBool && in != out;
    case OpCode::kFloorDivide:
    case OpCode::kRemainder:
      return true;
    case OpCode::kWhere:
    case OpCode::kCopy:
    case OpCode::kIota:
      return false;
    default:
      return IsInexact(out);
  }
}

void NoteFloatErrors(const char* where, uint8_t flags) {
  Noted& noted = AllNoted();
  const std::lock_guard lock(noted.mutex);
  for (auto& [name, seen] : noted.errors) {
    if (name != where) continue;
    seen |= flags;
    return;
  }
  noted.errors.emplace_back(where, flags);
  noted.any = true;
}

void SetFloatErrorHandler(FloatErrorHandler function) { handler = function; }

absl::Status ReportFloatErrors() {
  Noted& noted = AllNoted();
  if (!noted.any.load(std::memory_order_relaxed)) return absl::OkStatus();
  std::vector<std::pair<const char*, uint8_t>> errors;
  {
    const std::lock_guard lock(noted.mutex);
    errors.swap(noted.errors);
    noted.any = false;
  }
  for (const auto& [name, flags] : errors) {
    if (handler != nullptr && !handler(name, flags)) {
      return absl::AbortedError("a floating-point error became an exception");
    }
  }
  return absl::OkStatus();
}

}  // namespace fuseau

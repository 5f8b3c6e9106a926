#include "frontend/element_loops.h"

#include <array>
#include <cstring>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "frontend/convert.h"
#include "frontend/loop_names.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

using ir::OpCode;
using runtime::InnerLoop;

template <typename From, typename To>
void Cast(char** p, const int64_t* n, const int64_t* steps, void*) {
  const char* from = p[0];
  char* to = p[1];
  auto one = [](const char* x, char* y) {
    From value;
    std::memcpy(&value, x, sizeof(From));
    const To result = ConvertElement<To>(value);
    std::memcpy(y, &result, sizeof(To));
  };
  if (steps[0] == sizeof(From) && steps[1] == sizeof(To)) {
    for (int64_t i = 0; i < *n; ++i) {
      one(from + i * static_cast<int64_t>(sizeof(From)),
          to + i * static_cast<int64_t>(sizeof(To)));
    }
    return;
  }
  for (int64_t i = 0; i < *n; ++i) one(from + i * steps[0], to + i * steps[1]);
}

template <int64_t kSize>
void Copy(char** p, const int64_t* n, const int64_t* steps, void*) {
  if (steps[0] == kSize && steps[1] == kSize) {
    std::memmove(p[1], p[0], static_cast<size_t>(*n * kSize));
    return;
  }
  for (int64_t i = 0; i < *n; ++i) {
    std::memcpy(p[1] + i * steps[1], p[0] + i * steps[0], kSize);
  }
}

template <int64_t kSize>
void Where(char** p, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    const char* x = p[1] + i * steps[1];
    const char* y = p[2] + i * steps[2];
    std::memcpy(p[3] + i * steps[3], p[0][i * steps[0]] != 0 ? x : y, kSize);
  }
}

template <typename T>
void Count(char** p, const int64_t* n, const int64_t* steps, void*) {
  int64_t first;
  std::memcpy(&first, p[0], sizeof(first));
  for (int64_t i = 0; i < *n; ++i) {
    const T value = ConvertElement<T>(first + i);
    std::memcpy(p[1] + i * steps[1], &value, sizeof(T));
  }
}

// By the size of an element: 1, 2, 4, 8 or 16 bytes.
template <template <int64_t> class Pick>
std::array<InnerLoop, 17> BySize() {
  std::array<InnerLoop, 17> loops;
  loops[1].fn = Pick<1>::fn;
  loops[2].fn = Pick<2>::fn;
  loops[4].fn = Pick<4>::fn;
  loops[8].fn = Pick<8>::fn;
  loops[16].fn = Pick<16>::fn;
  return loops;
}
template <int64_t kSize>
struct PickCopy {
  static constexpr auto fn = Copy<kSize>;
};
template <int64_t kSize>
struct PickWhere {
  static constexpr auto fn = Where<kSize>;
};

const InnerLoop* CastLoop(DType from, DType to) {
  static const auto* const loops = [] {
    auto* made = new std::array<InnerLoop, kDTypeCount * kDTypeCount>;
    for (int f = 0; f < kDTypeCount; ++f) {
      for (int t = 0; t < kDTypeCount; ++t) {
        VisitDType(static_cast<DType>(f), [&](auto from_tag) {
          VisitDType(static_cast<DType>(t), [&](auto to_tag) {
            (*made)[f * kDTypeCount + t].fn =
                Cast<typename decltype(from_tag)::type,
                     typename decltype(to_tag)::type>;
          });
        });
      }
    }
    return made;
  }();
  return &(*loops)[static_cast<int>(from) * kDTypeCount + static_cast<int>(to)];
}

const InnerLoop* CopyLoop(DType dtype) {
  static const auto loops = BySize<PickCopy>();
  return &loops[ItemSize(dtype)];
}

const InnerLoop* WhereLoop(DType dtype) {
  static const auto loops = BySize<PickWhere>();
  return &loops[ItemSize(dtype)];
}

const InnerLoop* CountLoop(DType dtype) {
  static const auto* const loops = [] {
    auto* made = new std::array<InnerLoop, kDTypeCount>;
    for (int t = 0; t < kDTypeCount; ++t) {
      VisitDType(static_cast<DType>(t), [&](auto tag) {
        (*made)[t].fn = Count<typename decltype(tag)::type>;
      });
    }
    return made;
  }();
  return &(*loops)[static_cast<int>(dtype)];
}

// NumPy's loop. Finding it by name takes as long as running it, so what was
// found is remembered by number.
const InnerLoop* UfuncLoop(OpCode op, absl::Span<const DType> in, DType out) {
  struct Found {
    std::mutex mutex;
    absl::flat_hash_map<uint64_t, const InnerLoop*> loops;
  };
  static auto* const found = new Found;
  uint64_t key = static_cast<uint64_t>(op) << 8 | static_cast<uint64_t>(out);
  for (DType t : in) key = key << 8 | (static_cast<uint64_t>(t) + 1);
  const std::lock_guard lock(found->mutex);
  auto it = found->loops.find(key);
  if (it != found->loops.end()) return it->second;
  const InnerLoop* loop = runtime::FindInnerLoop(LoopName(op, in, out));
  if (loop != nullptr) found->loops.emplace(key, loop);
  return loop;
}

}  // namespace

const InnerLoop* FindElementLoop(OpCode op, absl::Span<const DType> in,
                                 DType out) {
  if (op == OpCode::kIota) return CountLoop(out);
  if (op == OpCode::kWhere) return WhereLoop(out);
  if (op == OpCode::kCopy || op == OpCode::kCast || op == OpCode::kUpdate) {
    const DType from = in.back();
    return from == out ? CopyLoop(out) : CastLoop(from, out);
  }
  if (ir::RowOf(op).family != ir::Family::kElementwise) return nullptr;
  return UfuncLoop(op, in, out);
}

bool RoundsByLayout(OpCode op, DType operand) {
  constexpr int kFunction = 10;  // flops
  const ir::OpRow& row = ir::RowOf(op);
  return row.family == ir::Family::kElementwise &&
         (row.flops >= kFunction || IsComplex(operand));
}

bool InRow(absl::Span<const int64_t> shape, const int64_t* strides,
           int64_t item) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (shape[d] != 1) return strides[d] == 0 || strides[d] == item;
  }
  return true;
}

const InnerLoop* FindJoiningLoop(Combiner combiner, DType element,
                                 DType result) {
  const DType in[2] = {result, element};
  switch (combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
      return UfuncLoop(OpCode::kAdd, in, result);
    case Combiner::kProd:
      return UfuncLoop(OpCode::kMultiply, in, result);
    case Combiner::kMax:
      return UfuncLoop(OpCode::kMaximum, in, result);
    case Combiner::kMin:
      return UfuncLoop(OpCode::kMinimum, in, result);
    case Combiner::kAny:
      return UfuncLoop(OpCode::kLogicalOr, in, result);
    case Combiner::kAll:
      return UfuncLoop(OpCode::kLogicalAnd, in, result);
    case Combiner::kNone:
      break;
  }
  FUSEAU_CHECK(false);
  return nullptr;
}

}  // namespace fuseau

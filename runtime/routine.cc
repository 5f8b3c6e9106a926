#include "runtime/routine.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/cpu/routines/routines.h"
#include "runtime/inner_loops.h"

namespace fuseau::runtime {
namespace {

struct Row {
  absl::string_view name;
  RoutineFn fn;
};

constexpr Row kRows[] = {
    {"matmul", Matmul},
    {"vecdot", Vecdot},
    {"cumsum", CumulativeSum},
    {"cumprod", CumulativeProduct},
    {"running_max", Accumulate},
    {"running_min", Accumulate},
    {"gather", Gather},
    {"compress", Compress},
    {"coordinates", Coordinates},
    {"stable_sort", Sort},
    {"stable_argsort", ArgSort},
    {"argmax", ArgMax},
    {"argmin", ArgMin},
    {"bincount", BinCount},
    {"search_sorted", SearchSorted},
    {"fft", Transform},
    {"ifft", Transform},
    {"irfft", Transform},
    {"rfft_even", Transform},
    {"rfft_odd", Transform},
    {"exchange", Exchange},
    {"fold_sum", Fold},
    {"fold_product", Fold},
    {"tree_sum", TreeSum},
    {"merge", Merge},
};

}  // namespace

RoutineFn FindRoutine(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.fn;
  }
  return nullptr;
}

absl::string_view RoutineName(RoutineFn fn) {
  for (const Row& row : kRows) {
    // Rows that share a routine are told apart by nobody.
    if (row.fn == fn) return row.name;
  }
  return "routine";
}

absl::Status FinishCall(absl::string_view name, absl::string_view loop,
                        DType dtype, int32_t buffer, RoutineCall* call) {
  call->fn = FindRoutine(name);
  if (call->fn == nullptr) {
    return absl::UnimplementedError(absl::StrCat("no routine ", name));
  }
  if (!loop.empty()) {
    // A running sum is a loop of two operands too: what is there and an
    // element.
    std::string types;
    for (const PlanOperand& operand : call->operands) {
      types += TypeCode(operand.dtype);
    }
    if (types.size() == 1) types += types;
    const std::string full =
        absl::StrCat(loop, ".", types, "->", std::string(1, TypeCode(dtype)));
    call->loop = FindInnerLoop(full);
    if (call->loop == nullptr) {
      return absl::UnimplementedError(absl::StrCat("no inner loop ", full));
    }
  }
  PlanOperand output;
  output.buffer = buffer;
  output.dtype = dtype;
  output.strides.assign(call->sizes.size(), 0);
  int64_t step = ItemSize(dtype);
  for (int d = static_cast<int>(call->sizes.size()) - 1; d >= 0; --d) {
    if ((call->reduced >> d & 1) != 0) continue;
    output.strides[d] = step;
    step *= call->sizes[d];
  }
  call->operands.push_back(std::move(output));
  return absl::OkStatus();
}

bool IsExchange(const RoutineCall& call) { return call.fn == Exchange; }
bool IsRoute(const RoutineCall& call) {
  return IsExchange(call) && call.operands.size() == 4;
}

double StepsOf(const RoutineCall& call) {
  double steps = 1;
  for (size_t d = 0; d < call.sizes.size(); ++d) {
    const bool reduced = (call.reduced >> d & 1) != 0;
    if (reduced && (IsExchange(call) || call.fn == Merge ||
                    call.fn == SearchSorted || call.fn == Transform)) {
      continue;
    }
    steps *= static_cast<double>(call.sizes[d]);
  }
  return steps;
}

}  // namespace fuseau::runtime

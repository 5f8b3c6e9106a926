// The routines of the library by name: the rows of family routine in ir/ops.td.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

// Null if there is none of that name.
RoutineFn FindRoutine(absl::string_view name);

// A name by which FindRoutine gives the routine.
absl::string_view RoutineName(RoutineFn fn);

// Completes a call whose sizes, reduced dimensions and inputs are known: the
// output (into `buffer`), the routine and, unless `loop` is empty, the inner
// loop of that ufunc for the operands' types.
absl::Status FinishCall(absl::string_view name, absl::string_view loop,
                        DType dtype, int32_t buffer, RoutineCall* call);

bool IsExchange(const RoutineCall& call);
// An exchange of what ranks have selected.
bool IsRoute(const RoutineCall& call);

// About how many elements a call touches: the points of its space; where that
// tells the sizes of operands (exchanges, merges, searches, transforms), those
// of its result.
double StepsOf(const RoutineCall& call);

}  // namespace fuseau::runtime

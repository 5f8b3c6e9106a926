// The routines. Each takes the operands of its call as plan.h says; the comment
// tells what the dimensions of the space are. They differ from NumPy's
// functions in nothing but memory order, which the recorder has seen to.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/plan.h"
#include "runtime/run_context.h"

namespace fuseau::runtime {

using Addresses = absl::Span<char* const>;

// batch..., m, n, k (reduced): x of m x k, y of k x n, result of m x n.
absl::Status Matmul(const RoutineCall& call, Addresses addresses,
                    const RunContext& context);
// batch..., k (reduced).
absl::Status Vecdot(const RoutineCall& call, Addresses addresses,
                    const RunContext& context);

// `attribute` is the dimension along which elements are joined; the operand has
// the type of the result.
absl::Status CumulativeSum(const RoutineCall& call, Addresses addresses,
                           const RunContext& context);
absl::Status CumulativeProduct(const RoutineCall& call, Addresses addresses,
                               const RunContext& context);
// The same by the call's inner loop.
absl::Status Accumulate(const RoutineCall& call, Addresses addresses,
                        const RunContext& context);

// kept..., then a reduced dimension for each index operand (one or two), along
// which the source has its indexed axis. The indices are in range; negative
// ones count from the end.
absl::Status Gather(const RoutineCall& call, Addresses addresses,
                    const RunContext& context);
// results, those of the mask (reduced), rest... Operands are the source and the
// mask; `attribute` is the number of the mask's dimensions, and at most
// `results` of its elements are true; where fewer are, the last results may be
// anything.
absl::Status Compress(const RoutineCall& call, Addresses addresses,
                      const RunContext& context);
// results, those of the mask (reduced): the coordinate `attribute` of each true
// element.
absl::Status Coordinates(const RoutineCall& call, Addresses addresses,
                         const RunContext& context);

// kept..., elements of a sorted line (reduced), which is the first operand: the
// first place in it whose element is not less than that of the second one; if
// `attribute` is 1, the first whose element is greater.
absl::Status SearchSorted(const RoutineCall& call, Addresses addresses,
                          const RunContext& context);
// kept..., elements of a line (reduced). The second operand is a factor;
// `attribute` is the dimension that takes the place of the line in the result.
absl::Status Transform(const RoutineCall& call, Addresses addresses,
                       const RunContext& context);

// The first operand over all dimensions, the second over those that are kept:
// to that the elements of the first are joined one after the other.
absl::Status Fold(const RoutineCall& call, Addresses addresses,
                  const RunContext& context);

// `attribute` is the dimension along which lines are sorted.
absl::Status Sort(const RoutineCall& call, Addresses addresses,
                  const RunContext& context);
absl::Status ArgSort(const RoutineCall& call, Addresses addresses,
                     const RunContext& context);
// One reduced dimension: the first place of the extreme, or of a NaN, along it.
absl::Status ArgMax(const RoutineCall& call, Addresses addresses,
                    const RunContext& context);
absl::Status ArgMin(const RoutineCall& call, Addresses addresses,
                    const RunContext& context);
// elements (reduced), bins: how often each number below `bins` occurs.
absl::Status BinCount(const RoutineCall& call, Addresses addresses,
                      const RunContext& context);

// bytes of the result, elements of a run (reduced), of another (reduced). Both
// runs are sorted and lie dense; the operands are their keys, then their places
// if there are any (int64), which order equal keys. The result is the places,
// then the keys, of the first elements of both runs together if `attribute` is
// 0, else of the last ones.
absl::Status Merge(const RoutineCall& call, Addresses addresses,
                   const RunContext& context);

// bytes of the target, bytes of the source (reduced), bytes of a second operand
// (reduced) that is not read: who needs exchanges in an order lets each read
// the result of the one before. `attribute` is the number of the transfer. Of
// what ranks have selected, a third operand tells how many elements each has:
// one more dimension (reduced).
absl::Status Exchange(const RoutineCall& call, Addresses addresses,
                      const RunContext& context);
// An error in a run that has no ranks.
absl::Status CheckExchanger(const RunContext& context);

// nodes (reduced): their sums, and how many elements each is the sum of. They
// are nodes of NumPy's pairwise tree over all elements, in order.
absl::Status TreeSum(const RoutineCall& call, Addresses addresses,
                     const RunContext& context);

}  // namespace fuseau::runtime

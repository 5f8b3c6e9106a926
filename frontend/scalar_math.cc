#include "frontend/scalar_math.h"

#include "absl/container/flat_hash_map.h"
#include "frontend/float_errors.h"
#include "frontend/loop_names.h"
#include "runtime/inner_loops.h"

namespace fuseau {

bool ComputeNumber(OpCode op, const Loop& loop, const char a[16],
                   const char b[16], char out[16]) {
  // Found loops only: a ufunc's loops may be registered later.
  static auto* const loops =
      new absl::flat_hash_map<uint32_t, const runtime::InnerLoop*>;
  const int arity = ir::RowOf(op).arity;
  const DType types[3] = {loop.in[0], loop.in[arity - 1], loop.out};
  uint32_t key = static_cast<uint32_t>(op);
  for (DType t : types) key = key << 4 | static_cast<uint32_t>(t);
  const runtime::InnerLoop*& found = (*loops)[key];
  if (found == nullptr) {
    found = runtime::FindInnerLoop(
        LoopName(op, absl::MakeConstSpan(loop.in, static_cast<size_t>(arity)),
                 loop.out));
    if (found == nullptr) return false;
  }
  char* args[3] = {const_cast<char*>(a), const_cast<char*>(b), out};
  if (arity == 1) args[1] = out;
  // Steps of 0, as NumPy has them for numbers: some loops look at that.
  const int64_t steps[3] = {0, 0, 0};
  const int64_t count = 1;
  const bool watch =
      (float_watch & RaisedFloatErrors(op, loop.in[0], loop.out)) != 0;
  if (watch) ClearFloatFlags();
  found->fn(args, &count, steps, found->data);
  if (watch) CheckFloatErrors(WordOf(op, float_watch), float_watch);
  return true;
}

}  // namespace fuseau

#include "frontend/routine_call.h"

#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/routine.h"
#include "runtime/run_context.h"
#include "runtime/thread_pool.h"

namespace fuseau {

absl::StatusOr<runtime::RoutineCall> RoutineCallOf(const ir::TraceNode& node) {
  runtime::RoutineCall call;
  call.sizes = node.shape;
  call.attribute = node.attribute;
  for (size_t d = 0; d < node.reduced.size(); ++d) {
    if (node.reduced[d]) call.reduced |= uint64_t{1} << d;
  }
  for (const ir::TraceOperand& o : node.operands) {
    runtime::PlanOperand& operand = call.operands.emplace_back();
    operand.dtype = o.dtype;
    operand.strides = o.strides;
  }
  const ir::OpRow& row = ir::RowOf(node.op);
  FUSEAU_RETURN_IF_ERROR(runtime::FinishCall(row.name, row.loop, node.dtype,
                                             /*buffer=*/0, &call));
  return call;
}

absl::Status RunRoutine(const runtime::RoutineCall& call,
                        absl::Span<char* const> addresses,
                        const std::atomic<bool>* cancel,
                        runtime::Exchanger* exchanger) {
  runtime::RunContext context;
  context.pool = &runtime::ThreadPool::Global();
  context.arena = &runtime::Arena::Global();
  context.cancel = cancel;
  context.exchanger = exchanger;
  return call.fn(call, addresses, context);
}

}  // namespace fuseau

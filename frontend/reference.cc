#include "frontend/reference.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "frontend/element_loops.h"
#include "frontend/loop_names.h"
#include "frontend/reduction_runs.h"
#include "frontend/routine_call.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/inner_loops.h"

namespace fuseau {
namespace {

using ir::OpCode;
using ir::Trace;
using ir::TraceNode;
using ir::TraceOperand;
using runtime::BufferRef;

// A moving place in an operand.
struct Cursor {
  char* data;
  absl::Span<const int64_t> strides;
};

// Calls `f(pointers, count, steps)` for each run along the last dimension, in C
// order.
template <typename F>
void ForEachRun(absl::Span<const int64_t> shape, absl::Span<Cursor> cursors,
                F&& f) {
  const int rank = static_cast<int>(shape.size());
  char* pointers[8];
  int64_t steps[8];
  for (size_t k = 0; k < cursors.size(); ++k) {
    pointers[k] = cursors[k].data;
    steps[k] = rank > 0 ? cursors[k].strides[rank - 1] : 0;
  }
  const int64_t count = rank > 0 ? shape[rank - 1] : 1;
  Dims index(std::max(rank - 1, 0), 0);
  for (;;) {
    char* run[8];
    std::copy_n(pointers, cursors.size(), run);
    f(run, count, steps);
    int d = rank - 2;
    for (; d >= 0; --d) {
      for (size_t k = 0; k < cursors.size(); ++k) {
        pointers[k] += cursors[k].strides[d];
      }
      if (++index[d] < shape[d]) break;
      for (size_t k = 0; k < cursors.size(); ++k) {
        pointers[k] -= cursors[k].strides[d] * shape[d];
      }
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

class Evaluator {
 public:
  Evaluator(const Trace& trace, absl::Span<const BufferRef> inputs,
            absl::Span<const runtime::ScalarValue> scalars)
      : trace_(trace), inputs_(inputs), scalars_(scalars) {}

  absl::Status Run(const std::atomic<bool>* cancel) {
    for (const TraceNode& node : trace_.nodes) {
      if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
        return absl::CancelledError("interrupted");
      }
      FUSEAU_ASSIGN_OR_RETURN(BufferRef value, Compute(node));
      values_.push_back(std::move(value));
      bytes_.push_back(StorageBytes(node));
    }
    return absl::OkStatus();
  }
  BufferRef value(int32_t index) const { return values_[index]; }

 private:
  absl::StatusOr<BufferRef> Compute(const TraceNode& node) {
    if (node.op == OpCode::kInput) return inputs_[next_input_++];
    if (node.op == OpCode::kUpdate) return Update(node);
    if (ir::RowOf(node.op).family == ir::Family::kReduction) {
      return Reduce(node);
    }
    if (ir::RowOf(node.op).family == ir::Family::kRoutine) return Call(node);
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result,
                            Allocate(Count(node.shape) * ItemSize(node.dtype)));
    if (node.op == OpCode::kScalar) {
      std::memcpy(result->data(), scalars_[next_scalar_++].bytes,
                  ItemSize(node.dtype));
      return result;
    }
    if (node.op == OpCode::kUnset) return result;
    const Dims dense = DenseStrides(node.shape, ItemSize(node.dtype));
    int64_t first = node.attribute;
    static constexpr int64_t kStill[1] = {0};
    absl::InlinedVector<Cursor, 4> cursors;
    if (node.op == OpCode::kIota) {
      cursors.push_back({reinterpret_cast<char*>(&first), kStill});
    }
    for (const TraceOperand& o : node.operands) cursors.push_back(At(o));
    cursors.push_back({result->data(), dense});
    FUSEAU_RETURN_IF_ERROR(Elementwise(node, absl::MakeSpan(cursors)));
    return result;
  }

  static absl::Status Elementwise(const TraceNode& node,
                                  absl::Span<Cursor> cursors) {
    absl::InlinedVector<DType, 3> types;
    for (const TraceOperand& o : node.operands) types.push_back(o.dtype);
    const runtime::InnerLoop* loop =
        FindElementLoop(node.op, types, node.dtype);
    if (loop == nullptr) {
      return absl::UnimplementedError(
          absl::StrCat("no inner loop ", LoopName(node.op, types, node.dtype)));
    }
    ForEachRun(node.shape, cursors,
               [&](char** p, int64_t n, const int64_t* steps) {
                 loop->fn(p, &n, steps, loop->data);
               });
    return absl::OkStatus();
  }

  absl::StatusOr<BufferRef> Update(const TraceNode& node) {
    const BufferRef& old = values_[node.operands[0].value];
    const int64_t bytes = bytes_[node.operands[0].value];
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result, Allocate(bytes));
    std::memcpy(result->data(), old->data(), static_cast<size_t>(bytes));
    Cursor cursors[2] = {
        At(node.operands[1]),
        {result->data() + node.write_offset, node.write_strides}};
    FUSEAU_RETURN_IF_ERROR(Elementwise(node, absl::MakeSpan(cursors)));
    return result;
  }

  absl::StatusOr<BufferRef> Reduce(const TraceNode& node) {
    int64_t bytes = ItemSize(node.dtype);
    for (size_t d = 0; d < node.shape.size(); ++d) {
      if (!node.reduced[d]) bytes *= node.shape[d];
    }
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result, Allocate(bytes));
    FUSEAU_ASSIGN_OR_RETURN(const ReductionRuns runs,
                            ReductionRuns::Make(node));
    runs.Run(At(node.operands[0]).data, result->data());
    return result;
  }

  absl::StatusOr<BufferRef> Call(const TraceNode& node) {
    FUSEAU_ASSIGN_OR_RETURN(runtime::RoutineCall call, RoutineCallOf(node));
    absl::InlinedVector<char*, 4> addresses;
    for (const TraceOperand& o : node.operands) addresses.push_back(At(o).data);
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result, Allocate(StorageBytes(node)));
    addresses.push_back(result->data());
    FUSEAU_RETURN_IF_ERROR(RunRoutine(call, addresses, nullptr));
    return result;
  }

  static absl::StatusOr<BufferRef> Allocate(int64_t bytes) {
    return runtime::Arena::Global().Allocate(bytes);
  }

  Cursor At(const TraceOperand& o) const {
    return {values_[o.value]->data() + o.offset, o.strides};
  }

  int64_t StorageBytes(const TraceNode& node) const {
    if (node.op == OpCode::kInput) return node.shape[0];
    if (node.op == OpCode::kUpdate) return bytes_[node.operands[0].value];
    int64_t bytes = ItemSize(node.dtype);
    for (size_t d = 0; d < node.shape.size(); ++d) {
      if (node.reduced.empty() || !node.reduced[d]) bytes *= node.shape[d];
    }
    return bytes;
  }

  const Trace& trace_;
  absl::Span<const BufferRef> inputs_;
  absl::Span<const runtime::ScalarValue> scalars_;
  size_t next_input_ = 0;
  size_t next_scalar_ = 0;
  std::vector<BufferRef> values_;
  std::vector<int64_t> bytes_;  // of the storages
};

}  // namespace

absl::Status EvaluateReference(const Trace& trace,
                               absl::Span<const BufferRef> inputs,
                               absl::Span<const runtime::ScalarValue> scalars,
                               const std::atomic<bool>* cancel,
                               std::vector<BufferRef>* outputs) {
  Evaluator evaluator(trace, inputs, scalars);
  FUSEAU_RETURN_IF_ERROR(evaluator.Run(cancel));
  outputs->clear();
  for (int32_t o : trace.outputs) outputs->push_back(evaluator.value(o));
  return absl::OkStatus();
}

}  // namespace fuseau

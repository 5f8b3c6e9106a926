#include "frontend/reference.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "frontend/convert.h"
#include "frontend/loop_names.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/inner_loops.h"
#include "runtime/routine.h"
#include "runtime/run_context.h"

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

void CastRun(DType from, DType to, char* const* p, int64_t n,
             const int64_t* steps) {
  if (from == to) {
    const size_t size = static_cast<size_t>(ItemSize(from));
    for (int64_t i = 0; i < n; ++i) {
      std::memcpy(p[1] + i * steps[1], p[0] + i * steps[0], size);
    }
    return;
  }
  VisitDType(from, [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    VisitDType(to, [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      for (int64_t i = 0; i < n; ++i) {
        From value;
        std::memcpy(&value, p[0] + i * steps[0], sizeof(From));
        const To result = ConvertElement<To>(value);
        std::memcpy(p[1] + i * steps[1], &result, sizeof(To));
      }
    });
  });
}

// The ufunc whose loop joins two partial results.
OpCode JoiningOp(Combiner combiner) {
  switch (combiner) {
    case Combiner::kSum:
    case Combiner::kOrderedSum:
      return OpCode::kAdd;
    case Combiner::kProd:
      return OpCode::kMultiply;
    case Combiner::kMax:
      return OpCode::kMaximum;
    case Combiner::kMin:
      return OpCode::kMinimum;
    case Combiner::kAny:
      return OpCode::kLogicalOr;
    case Combiner::kAll:
      return OpCode::kLogicalAnd;
    case Combiner::kNone:
      break;
  }
  FUSEAU_CHECK(false);
  return OpCode::kAdd;
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
    const Dims dense = DenseStrides(node.shape, ItemSize(node.dtype));
    if (node.op == OpCode::kIota) {
      int64_t i = 0;
      const int64_t steps[2] = {0, 0};
      for (; i < node.shape[0]; ++i) {
        char* p[2] = {reinterpret_cast<char*>(&i),
                      result->data() + i * ItemSize(node.dtype)};
        CastRun(DType::kInt64, node.dtype, p, 1, steps);
      }
      return result;
    }
    absl::InlinedVector<Cursor, 4> cursors;
    for (const TraceOperand& o : node.operands) cursors.push_back(At(o));
    cursors.push_back({result->data(), dense});
    FUSEAU_RETURN_IF_ERROR(Elementwise(node, absl::MakeSpan(cursors)));
    return result;
  }

  absl::Status Elementwise(const TraceNode& node, absl::Span<Cursor> cursors) {
    const size_t size = static_cast<size_t>(ItemSize(node.dtype));
    if (node.op == OpCode::kCopy || node.op == OpCode::kCast) {
      ForEachRun(node.shape, cursors,
                 [&](char** p, int64_t n, const int64_t* steps) {
                   CastRun(node.operands[0].dtype, node.dtype, p, n, steps);
                 });
      return absl::OkStatus();
    }
    if (node.op == OpCode::kWhere) {
      ForEachRun(node.shape, cursors,
                 [&](char** p, int64_t n, const int64_t* steps) {
                   for (int64_t i = 0; i < n; ++i) {
                     const int chosen = p[0][i * steps[0]] != 0 ? 1 : 2;
                     std::memcpy(p[3] + i * steps[3],
                                 p[chosen] + i * steps[chosen], size);
                   }
                 });
      return absl::OkStatus();
    }
    absl::InlinedVector<DType, 3> types;
    for (const TraceOperand& o : node.operands) types.push_back(o.dtype);
    FUSEAU_ASSIGN_OR_RETURN(const runtime::InnerLoop* loop,
                            FindLoop(node.op, types, node.dtype));
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
    ForEachRun(node.shape, absl::MakeSpan(cursors),
               [&](char** p, int64_t n, const int64_t* steps) {
                 CastRun(node.dtype, node.dtype, p, n, steps);
               });
    return result;
  }

  absl::StatusOr<BufferRef> Reduce(const TraceNode& node) {
    const int rank = static_cast<int>(node.shape.size());
    Dims kept;
    for (int d = 0; d < rank; ++d) {
      if (!node.reduced[d]) kept.push_back(node.shape[d]);
    }
    const int64_t item = ItemSize(node.dtype);
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result, Allocate(Count(kept) * item));
    const Dims dense = DenseStrides(kept, item);
    Dims out_strides(rank, 0);
    for (int d = 0, k = 0; d < rank; ++d) {
      if (!node.reduced[d]) out_strides[d] = dense[k++];
    }
    const TraceOperand& operand = node.operands[0];
    const Combiner combiner = ir::RowOf(node.op).combiner;
    FUSEAU_ASSIGN_OR_RETURN(
        const runtime::InnerLoop* loop,
        FindLoop(JoiningOp(combiner), {node.dtype, operand.dtype}, node.dtype));
    Cursor cursors[3] = {{result->data(), out_strides},
                         At(operand),
                         {result->data(), out_strides}};
    const bool has_identity =
        combiner != Combiner::kMin && combiner != Combiner::kMax;
    if (has_identity) {
      FillIdentity(combiner, node.dtype, Count(kept), result->data());
    } else {
      // Every result starts as its first element.
      Dims once = node.shape;
      for (int d = 0; d < rank; ++d) {
        if (node.reduced[d]) once[d] = 1;
      }
      ForEachRun(once, absl::MakeSpan(cursors + 1, 2),
                 [&](char** p, int64_t n, const int64_t* steps) {
                   CastRun(operand.dtype, node.dtype, p, n, steps);
                 });
    }
    Join(node, cursors, *loop, /*skip_first=*/!has_identity,
         /*one_by_one=*/combiner == Combiner::kOrderedSum);
    return result;
  }

  absl::StatusOr<BufferRef> Call(const TraceNode& node) {
    runtime::RoutineCall call;
    call.sizes = node.shape;
    call.attribute = node.attribute;
    for (size_t d = 0; d < node.reduced.size(); ++d) {
      if (node.reduced[d]) call.reduced |= uint64_t{1} << d;
    }
    absl::InlinedVector<char*, 4> addresses;
    for (const TraceOperand& o : node.operands) {
      runtime::PlanOperand& operand = call.operands.emplace_back();
      operand.dtype = o.dtype;
      operand.strides = o.strides;
      addresses.push_back(At(o).data);
    }
    const ir::OpRow& row = ir::RowOf(node.op);
    FUSEAU_RETURN_IF_ERROR(runtime::FinishCall(row.name, row.loop, node.dtype,
                                               /*buffer=*/0, &call));
    FUSEAU_ASSIGN_OR_RETURN(BufferRef result, Allocate(StorageBytes(node)));
    addresses.push_back(result->data());
    runtime::RunContext context;
    context.pool = &runtime::ThreadPool::Global();
    context.arena = &runtime::Arena::Global();
    FUSEAU_RETURN_IF_ERROR(call.fn(call, addresses, context));
    return result;
  }

  static void FillIdentity(Combiner combiner, DType dtype, int64_t count,
                           char* out) {
    int64_t one =
        combiner == Combiner::kProd || combiner == Combiner::kAll ? 1 : 0;
    char* p[2] = {reinterpret_cast<char*>(&one), out};
    const int64_t steps[2] = {0, ItemSize(dtype)};
    CastRun(DType::kInt64, dtype, p, count, steps);
  }

  // Joins the elements to the results, in the order of the iteration space: an
  // innermost dimension that vanishes is one call of the loop, which sums
  // floats pairwise.
  static void Join(const TraceNode& node, const Cursor* cursors,
                   const runtime::InnerLoop& loop, bool skip_first,
                   bool one_by_one) {
    const int rank = static_cast<int>(node.shape.size());
    Dims outer(node.shape.begin(), node.shape.end());
    int64_t steps[3] = {0, 0, 0};
    int64_t inner = 1;
    bool inner_reduced = false;
    if (rank > 0) {
      inner = std::exchange(outer[rank - 1], 1);
      inner_reduced = node.reduced[rank - 1];
      for (int k = 0; k < 3; ++k) steps[k] = cursors[k].strides[rank - 1];
    }
    Dims index(rank, 0);
    for (int64_t left = Count(outer); left > 0; --left) {
      char* p[3];
      bool first = skip_first;
      for (int k = 0; k < 3; ++k) p[k] = cursors[k].data;
      for (int d = 0; d < rank; ++d) {
        if (node.reduced[d]) first &= index[d] == 0;
        for (int k = 0; k < 3; ++k) p[k] += index[d] * cursors[k].strides[d];
      }
      int64_t n = inner;
      if (first && inner_reduced) {
        --n;
        p[1] += steps[1];
      } else if (first) {
        n = 0;
      }
      if (one_by_one) {
        for (int64_t one = 1; n > 0; --n) {
          loop.fn(p, &one, steps, loop.data);
          for (int k = 0; k < 3; ++k) p[k] += steps[k];
        }
      } else if (n > 0) {
        loop.fn(p, &n, steps, loop.data);
      }
      for (int d = rank - 1; d >= 0; --d) {
        if (++index[d] < outer[d]) break;
        index[d] = 0;
      }
    }
  }

  static absl::StatusOr<const runtime::InnerLoop*> FindLoop(
      OpCode op, absl::Span<const DType> in, DType out) {
    const std::string name = LoopName(op, in, out);
    const runtime::InnerLoop* loop = runtime::FindInnerLoop(name);
    if (loop == nullptr) {
      return absl::UnimplementedError(absl::StrCat("no inner loop ", name));
    }
    return loop;
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

#include "frontend/direct_run.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "frontend/element_loops.h"
#include "frontend/float_errors.h"
#include "frontend/reduction_runs.h"
#include "frontend/routine_call.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

using ir::NodeWords;
using ir::OpCode;
using runtime::BufferRef;

// Larger work is worth an interpreter, and soon a kernel.
constexpr int64_t kMaxElements = 4096;
constexpr double kMaxSeconds = 100e-6;
constexpr int64_t kMaxBytes = int64_t{1} << 20;
// What an operation and an element of it take, about.
constexpr double kCallSeconds = 50e-9;
constexpr double kElementSeconds = 0.5e-9;
constexpr double kBytesPerSecond = 10e9;  // of a copy

int64_t Aligned(int64_t bytes) { return (bytes + 63) & ~int64_t{63}; }

ir::Family FamilyOf(const NodeWords& node) { return ir::RowOf(node.op).family; }

int64_t ElementsOf(const NodeWords& node) {
  int64_t n = 1;
  for (int d = 0; d < node.rank; ++d) n *= node.shape[d];
  return n;
}

int64_t BytesOf(const NodeWords& node) {
  int64_t bytes = ItemSize(node.dtype);
  for (int d = 0; d < node.rank; ++d) {
    if ((node.reduced >> d & 1) == 0) bytes *= node.shape[d];
  }
  return bytes;
}

// Of the operations that the run checks, each leaves no flags to the next.
void CheckErrors(const NodeWords& node) {
  if (node.operands.empty()) return;
  if (RaisedFloatErrors(node.op, node.operands.back().dtype, node.dtype) == 0) {
    return;
  }
  CheckFloatErrors(WordOf(node.op, node.watched), node.watched);
}

// The loop of an elementwise operation. To find one takes as long as to run it
// on few elements, so the latest stay at hand.
const runtime::InnerLoop* LoopOf(const NodeWords& node) {
  struct Slot {
    uint64_t key = ~uint64_t{0};
    const runtime::InnerLoop* loop = nullptr;
  };
  static auto* const slots = new std::array<Slot, 256>;
  uint64_t key =
      static_cast<uint64_t>(node.op) << 8 | static_cast<uint64_t>(node.dtype);
  absl::InlinedVector<DType, 3> types;
  for (const NodeWords::Operand& o : node.operands) {
    types.push_back(o.dtype);
    key = key << 8 | (static_cast<uint64_t>(o.dtype) + 1);
  }
  Slot& slot = (*slots)[(key * 0x9e3779b97f4a7c15) >> 56];
  if (slot.key != key) {
    slot = {key, FindElementLoop(node.op, types, node.dtype)};
  }
  return slot.loop;
}

}  // namespace

bool DirectRun::Take(ir::TraceWords words) {
  if (!Read(words)) return false;
  ShareMemory();
  int64_t bytes = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Value& value = values_[i];
    if (value.input >= 0 || value.memory != static_cast<int32_t>(i)) continue;
    bytes += value.bytes;
    if (value.node.op == OpCode::kUpdate) {
      seconds_ += static_cast<double>(value.bytes) / kBytesPerSecond;
    }
  }
  return bytes <= kMaxBytes && seconds_ <= kMaxSeconds;
}

// False if an operation does not suit.
bool DirectRun::Read(ir::TraceWords words) {
  ir::NodeReader in(words);
  values_.resize(static_cast<size_t>(in.nodes()));
  seconds_ = 0;
  int32_t inputs = 0, scalars = 0;
  for (int32_t i = 0; i < in.nodes(); ++i) {
    Value& value = values_[i];
    value = Value();
    value.node = in.Next(
        [&](int32_t v) { return values_[v].node.op == OpCode::kScalar; });
    const NodeWords& node = value.node;
    value.memory = i;
    if (node.op == OpCode::kInput) {
      value.input = inputs++;
      value.bytes = node.shape[0];
      continue;
    }
    if (node.op == OpCode::kScalar) {
      value.input = scalars++;
      value.bytes = ItemSize(node.dtype);
      continue;
    }
    if (!Suits(node, &seconds_)) return false;
    value.bytes = node.op == OpCode::kUpdate
                      ? values_[node.operands[0].value].bytes
                      : BytesOf(node);
    if (seconds_ > kMaxSeconds) return false;
    for (const NodeWords::Operand& o : node.operands) {
      values_[o.value].last_use = i;
    }
  }
  const uint64_t* at = in.ends();
  const uint64_t* donated = at;
  at += inputs / 64 + 1;
  for (Value& value : values_) {
    if (value.node.op != OpCode::kInput) continue;
    value.donated = (donated[value.input / 64] >> (value.input % 64) & 1) != 0;
  }
  outputs_.clear();
  for (int32_t k = 0; k < in.outputs(); ++k) {
    outputs_.push_back(static_cast<int32_t>(*at++));
    Value& value = values_[outputs_.back()];
    if (value.node.op == OpCode::kScalar) return false;
    value.last_use = kEnd;
    value.result = true;
  }
  return true;
}

// Adds the time that the operation takes.
bool DirectRun::Suits(const NodeWords& node, double* seconds) const {
  const int64_t elements = ElementsOf(node);
  if (elements > kMaxElements) return false;
  const ir::OpRow& row = ir::RowOf(node.op);
  *seconds += kCallSeconds + kElementSeconds * static_cast<double>(elements) *
                                 std::max<int64_t>(row.flops, 1);
  if (node.op == OpCode::kUnset) return true;
  if (node.op == OpCode::kIota) return node.rank == 1;
  if (row.family == ir::Family::kReduction) {
    return FindJoiningLoop(row.combiner, node.operands[0].dtype, node.dtype) !=
           nullptr;
  }
  if (row.family == ir::Family::kRoutine) return true;
  for (const NodeWords::Operand& o : node.operands) {
    if (o.strides != nullptr && RoundsByLayout(node.op, o.dtype) &&
        !InRow({node.shape, static_cast<size_t>(node.rank)}, o.strides,
               ItemSize(o.dtype))) {
      return false;
    }
  }
  return LoopOf(node) != nullptr;
}

// An update writes into the old value where that is ours and nobody reads it
// any more, this write included. What ends as a result is computed in a
// result's memory.
void DirectRun::ShareMemory() {
  overwrites_inputs_ = false;
  for (size_t i = 0; i < values_.size(); ++i) {
    Value& value = values_[i];
    if (value.node.op != OpCode::kUpdate) continue;
    const int32_t old = value.node.operands[0].value;
    const int32_t memory = values_[old].memory;
    const Value& owner = values_[memory];
    const bool ours =
        owner.node.op == OpCode::kInput ? owner.donated : owner.input < 0;
    if (!ours || values_[old].last_use != static_cast<int32_t>(i) ||
        values_[value.node.operands[1].value].memory == memory) {
      continue;
    }
    value.memory = memory;
    overwrites_inputs_ |= owner.node.op == OpCode::kInput;
  }
  for (const Value& value : values_) {
    if (value.result) values_[value.memory].result = true;
  }
}

absl::Status DirectRun::Place(absl::Span<const BufferRef> inputs,
                              absl::Span<const runtime::ScalarValue> scalars,
                              std::vector<BufferRef>* outputs) {
  at_.assign(values_.size(), nullptr);
  int64_t scratch = 0;
  std::vector<std::pair<int32_t, BufferRef>> own;
  for (size_t i = 0; i < values_.size(); ++i) {
    Value& value = values_[i];
    if (value.node.op == OpCode::kInput) {
      at_[i] = inputs[value.input]->data();
    } else if (value.node.op == OpCode::kScalar) {
      at_[i] = const_cast<char*>(scalars[value.input].bytes);
    } else if (value.memory == static_cast<int32_t>(i) && !value.result) {
      scratch += Aligned(value.bytes);
    }
  }
  if (static_cast<int64_t>(scratch_.size()) < scratch + 64) {
    scratch_.resize(static_cast<size_t>(scratch + 64));
  }
  char* free = reinterpret_cast<char*>(
      Aligned(reinterpret_cast<int64_t>(scratch_.data())));
  for (size_t i = 0; i < values_.size(); ++i) {
    Value& value = values_[i];
    if (value.input >= 0) continue;
    if (value.memory != static_cast<int32_t>(i)) {
      at_[i] = at_[value.memory];
    } else if (!value.result) {
      at_[i] = free;
      free += Aligned(value.bytes);
    } else {
      FUSEAU_ASSIGN_OR_RETURN(BufferRef buffer,
                              runtime::Arena::Global().Allocate(value.bytes));
      at_[i] = buffer->data();
      own.emplace_back(static_cast<int32_t>(i), std::move(buffer));
    }
  }
  for (int32_t i : outputs_) {
    const int32_t memory = values_[i].memory;
    const Value& owner = values_[memory];
    if (owner.node.op == OpCode::kInput) {
      outputs->push_back(inputs[owner.input]);
      continue;
    }
    const auto it =
        std::lower_bound(own.begin(), own.end(), memory,
                         [](const auto& o, int32_t m) { return o.first < m; });
    outputs->push_back(it->second);
  }
  return absl::OkStatus();
}

absl::Status DirectRun::Run(absl::Span<const BufferRef> inputs,
                            absl::Span<const runtime::ScalarValue> scalars,
                            bool* destroyed, std::vector<BufferRef>* outputs) {
  outputs->clear();
  FUSEAU_RETURN_IF_ERROR(Place(inputs, scalars, outputs));
  *destroyed = overwrites_inputs_;
  ClearFloatFlags();
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].input >= 0) continue;
    FUSEAU_RETURN_IF_ERROR(Compute(static_cast<int32_t>(i)));
  }
  return absl::OkStatus();
}

absl::Status DirectRun::Compute(int32_t i) {
  const Value& value = values_[i];
  const NodeWords& node = value.node;
  switch (node.op) {
    case OpCode::kUnset:
      return absl::OkStatus();
    case OpCode::kUpdate:
      if (value.memory == i) {
        std::memcpy(at_[i], at_[node.operands[0].value],
                    static_cast<size_t>(value.bytes));
      }
      ComputeElements(i, node, at_[i] + node.write_offset, node.write_strides);
      break;
    default: {
      if (FamilyOf(node) == ir::Family::kRoutine) {
        FUSEAU_RETURN_IF_ERROR(ComputeRoutine(i, node));
        break;
      }
      if (FamilyOf(node) == ir::Family::kReduction) {
        FUSEAU_ASSIGN_OR_RETURN(const ReductionRuns runs,
                                ReductionRuns::Make(node.Node()));
        const NodeWords::Operand& from = node.operands[0];
        runs.Run(at_[from.value] + from.offset, at_[i]);
        break;
      }
      int64_t strides[kMaxRank];
      int64_t step = ItemSize(node.dtype);
      for (int d = node.rank - 1; d >= 0; --d) {
        strides[d] = step;
        step *= node.shape[d];
      }
      ComputeElements(i, node, at_[i], strides);
    }
  }
  CheckErrors(node);
  return absl::OkStatus();
}

// Calls the loop for each run of elements, along dimensions that all operands
// walk in one stride.
void DirectRun::ComputeElements(int32_t i, const NodeWords& node, char* to,
                                const int64_t* to_strides) {
  const runtime::InnerLoop& loop = *LoopOf(node);
  int64_t none[kMaxRank];
  char* p[4];
  const int64_t* strides[4];
  int count = 0;
  int64_t start = node.attribute;
  std::fill_n(none, node.rank, 0);
  if (node.op == OpCode::kIota) {
    p[count] = reinterpret_cast<char*>(&start);
    strides[count++] = none;
  }
  for (size_t k = node.op == OpCode::kUpdate ? 1 : 0; k < node.operands.size();
       ++k) {
    const NodeWords::Operand& o = node.operands[k];
    p[count] = at_[o.value] + o.offset;
    strides[count++] = o.strides != nullptr ? o.strides : none;
  }
  p[count] = to;
  strides[count++] = to_strides;

  // The dimensions that are left, the innermost first.
  int64_t sizes[kMaxRank];
  int dimensions[kMaxRank];
  int left = 0;
  for (int d = node.rank - 1; d >= 0; --d) {
    if (node.shape[d] == 1) continue;
    if (node.shape[d] == 0) return;
    bool joins = left > 0;
    for (int k = 0; joins && k < count; ++k) {
      joins =
          strides[k][d] == strides[k][dimensions[left - 1]] * sizes[left - 1];
    }
    if (joins) {
      sizes[left - 1] *= node.shape[d];
    } else {
      sizes[left] = node.shape[d];
      dimensions[left++] = d;
    }
  }
  int64_t steps[4];
  if (left == 0) {
    // NumPy's loops are to see that a single element is no number.
    for (int k = 0; k < count; ++k) {
      steps[k] = strides[k] == none ? 0 : ItemSize(node.dtype);
    }
    const int first = node.op == OpCode::kUpdate ? 1 : 0;
    for (int k = 0; k + 1 < count && node.op != OpCode::kIota; ++k) {
      if (steps[k] != 0) steps[k] = ItemSize(node.operands[k + first].dtype);
    }
    const int64_t one = 1;
    loop.fn(p, &one, steps, loop.data);
    return;
  }
  for (int k = 0; k < count; ++k) steps[k] = strides[k][dimensions[0]];
  int64_t index[kMaxRank] = {};
  for (;;) {
    char* run[4];
    std::copy_n(p, count, run);
    loop.fn(run, sizes, steps, loop.data);
    int d = 1;
    for (; d < left; ++d) {
      const bool more = ++index[d] < sizes[d];
      for (int k = 0; k < count; ++k) {
        p[k] += strides[k][dimensions[d]] * (more ? 1 : 1 - sizes[d]);
      }
      if (more) break;
      index[d] = 0;
    }
    if (d >= left) return;
  }
}

absl::Status DirectRun::ComputeRoutine(int32_t i, const NodeWords& node) {
  FUSEAU_ASSIGN_OR_RETURN(const runtime::RoutineCall call,
                          RoutineCallOf(node.Node()));
  absl::InlinedVector<char*, 4> addresses;
  for (const NodeWords::Operand& o : node.operands) {
    addresses.push_back(at_[o.value] + o.offset);
  }
  addresses.push_back(at_[i]);
  return RunRoutine(call, addresses, /*cancel=*/nullptr);
}

}  // namespace fuseau

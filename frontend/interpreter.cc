#include "frontend/interpreter.h"

#include <algorithm>
#include <cstring>

#include "frontend/routine_call.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/thread_pool.h"

namespace fuseau {
namespace {

using runtime::BufferRef;

// Below this a run's scratch memory is on the stack.
constexpr int64_t kStackBytes = 4096;
// Waking threads pays from here on.
constexpr double kParallelSeconds = 20e-6;
constexpr int kChunksPerThread = 4;

bool Cancelled(const std::atomic<bool>* cancel) {
  return cancel != nullptr && cancel->load(std::memory_order_relaxed);
}

// An operation that may raise flags leaves none to the next one, watched or
// not.
void Check(const FloatErrors& raises) {
  if (raises.where != nullptr) CheckFloatErrors(raises.where, raises.flags);
}

int64_t ChunksOf(double seconds, int64_t blocks) {
  if (seconds < kParallelSeconds) return 1;
  const int threads = runtime::ThreadPool::Global().ThreadsFor(seconds);
  if (threads == 1) return 1;
  return std::min<int64_t>(
      {blocks, int64_t{kChunksPerThread} * threads,
       std::max<int64_t>(2, static_cast<int64_t>(seconds / kParallelSeconds))});
}

}  // namespace

int64_t Interpreter::bytes() const {
  return static_cast<int64_t>(
      sizeof(*this) + storages_.capacity() * sizeof(Storage) +
      groups_.capacity() * sizeof(Group) + steps_.capacity() * sizeof(Step) +
      operands_.capacity() * sizeof(Operand) +
      dims_.capacity() * sizeof(int64_t) +
      (inputs_.capacity() + scalars_.capacity() + scratch_.capacity() +
       outputs_.capacity()) *
          sizeof(int32_t) +
      reductions_.capacity() * sizeof(ReductionRuns) +
      routines_.capacity() * sizeof(Routine));
}

absl::Status Interpreter::Run(absl::Span<const BufferRef> inputs,
                              absl::Span<const runtime::ScalarValue> scalars,
                              const std::atomic<bool>* cancel,
                              std::vector<BufferRef>* outputs,
                              runtime::Exchanger* exchanger) const {
  outputs->clear();
  FUSEAU_CHECK(inputs.size() == inputs_.size() &&
               scalars.size() == scalars_.size());
  runtime::Arena& arena = runtime::Arena::Global();
  alignas(64) char stack[kStackBytes];
  char* scratch = stack;
  BufferRef scratch_buffer;
  if (scratch_bytes_ > kStackBytes) {
    FUSEAU_ASSIGN_OR_RETURN(scratch_buffer, arena.Allocate(scratch_bytes_));
    scratch = scratch_buffer->data();
  }
  Addresses at(storages_.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    at[inputs_[i]] = inputs[i]->data();
  }
  for (size_t i = 0; i < scalars.size(); ++i) {
    at[scalars_[i]] = const_cast<char*>(scalars[i].bytes);
  }
  for (int32_t i : scratch_) at[i] = scratch + storages_[i].index;
  for (int32_t i : outputs_) {
    const Storage& storage = storages_[i];
    if (storage.kind == Storage::kInput) {
      outputs->push_back(inputs[storage.index]);
      continue;
    }
    FUSEAU_ASSIGN_OR_RETURN(BufferRef own, arena.Allocate(storage.bytes));
    at[i] = own->data();
    outputs->push_back(std::move(own));
  }
  if (raises_) ClearFloatFlags();
  for (const Group& group : groups_) {
    if (Cancelled(cancel)) break;
    switch (group.kind) {
      case Group::kSteps:
        RunSteps(group, at, scratch, cancel);
        break;
      case Group::kReduction:
        reductions_[group.first].Run(at[group.from.storage] + group.from.offset,
                                     at[group.to]);
        Check(group.raises);
        break;
      case Group::kRoutine:
        FUSEAU_RETURN_IF_ERROR(Call(group, at, cancel, exchanger));
        Check(group.raises);
        break;
      case Group::kCopy:
        std::memcpy(at[group.to], at[group.from.storage],
                    static_cast<size_t>(group.bytes));
        break;
    }
  }
  return Cancelled(cancel) ? absl::CancelledError("interrupted")
                           : absl::OkStatus();
}

void Interpreter::RunSteps(const Group& group, const Addresses& at,
                           char* locals,
                           const std::atomic<bool>* cancel) const {
  const int64_t rows = dims_[group.shape];
  if (rows <= group.block) {
    RunBlock(group, at, locals, 0, rows);
    return;
  }
  const int64_t blocks = (rows + group.block - 1) / group.block;
  const int64_t chunks = ChunksOf(group.seconds, blocks);
  auto run = [&](int64_t chunk, char* memory) {
    const int64_t last = blocks * (chunk + 1) / chunks;
    for (int64_t b = blocks * chunk / chunks; b < last; ++b) {
      if (Cancelled(cancel)) return;
      const int64_t row = b * group.block;
      RunBlock(group, at, memory, row, std::min(group.block, rows - row));
    }
  };
  if (chunks <= 1) {
    run(0, locals);
    return;
  }
  runtime::ThreadPool::Global().ParallelFor(chunks, [&](int64_t chunk) {
    // Blocks are small, so this is L1 memory of the thread.
    thread_local std::vector<char> memory;
    if (static_cast<int64_t>(memory.size()) < local_bytes_) {
      memory.resize(static_cast<size_t>(local_bytes_));
    }
    run(chunk, memory.data());
  });
}

absl::Status Interpreter::Call(const Group& group, const Addresses& at,
                               const std::atomic<bool>* cancel,
                               runtime::Exchanger* exchanger) const {
  const Routine& routine = routines_[group.first];
  absl::InlinedVector<char*, 4> addresses;
  for (const Operand& o : routine.operands) {
    addresses.push_back(at[o.storage] + o.offset);
  }
  addresses.push_back(at[group.to]);
  return RunRoutine(routine.call, addresses, cancel, exchanger);
}

void Interpreter::RunBlock(const Group& group, const Addresses& at,
                           char* locals, int64_t row, int64_t rows) const {
  const int64_t* shape = dims_.data() + group.shape;
  const int rank = group.rank;
  for (int32_t s = group.first; s < group.first + group.count; ++s) {
    const Step& step = steps_[s];
    const Operand* operands = operands_.data() + step.first_operand;
    const int count = step.operand_count;
    char* p[4];
    int64_t steps[4];
    int64_t start = row;  // of an iota
    for (int k = 0; k < count; ++k) {
      const Operand& operand = operands[k];
      const int64_t* strides = dims_.data() + operand.strides;
      steps[k] = strides[rank - 1];
      if (operand.storage < 0) {
        start += operand.offset;
        p[k] = reinterpret_cast<char*>(&start);
        continue;
      }
      const Storage& storage = storages_[operand.storage];
      if (storage.kind == Storage::kLocal) {
        p[k] = locals + storage.index;
      } else {
        p[k] = at[operand.storage] + operand.offset + row * strides[0];
      }
    }
    if (rank == 1) {
      step.loop.fn(p, &rows, steps, step.loop.data);
      Check(step.raises);
      continue;
    }
    const int64_t n = shape[rank - 1];
    int64_t index[kMaxRank] = {};
    for (;;) {
      char* run[4];
      std::copy_n(p, count, run);
      step.loop.fn(run, &n, steps, step.loop.data);
      int d = rank - 2;
      for (; d >= 0; --d) {
        const int64_t size = d == 0 ? rows : shape[d];
        ++index[d];
        const int64_t back = index[d] < size ? 0 : size;
        for (int k = 0; k < count; ++k) {
          p[k] += dims_[operands[k].strides + d] * (1 - back);
        }
        if (back == 0) break;
        index[d] = 0;
      }
      if (d < 0) break;
    }
    Check(step.raises);
  }
}

}  // namespace fuseau

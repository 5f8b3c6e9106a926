// How a trace becomes the steps of an Interpreter.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "frontend/element_loops.h"
#include "frontend/interpreter.h"
#include "frontend/routine_call.h"
#include "runtime/base/status.h"
#include "runtime/routine.h"

namespace fuseau {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// Elements of a block, so that some rows of float64 stay in the L1 cache.
constexpr int64_t kBlockElements = 1024;
// What one thread does, about: the call of a loop, bytes in a cache, additions.
constexpr double kCallSeconds = 15e-9;
constexpr double kBytesPerSecond = 20e9;
constexpr double kFlopsPerSecond = 4e9;

int64_t Aligned(int64_t bytes) { return (bytes + 63) & ~int64_t{63}; }

// Places in a memory that grows, for values that live for a while.
class Places {
 public:
  int64_t Take(int64_t bytes) {
    bytes = Aligned(bytes);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->bytes >= bytes &&
          (best == free_.end() || it->bytes < best->bytes))
        best = it;
    }
    if (best != free_.end()) {
      const int64_t offset = best->offset;
      best->offset += bytes;
      best->bytes -= bytes;
      if (best->bytes == 0) free_.erase(best);
      return offset;
    }
    size_ += bytes;
    return size_ - bytes;
  }
  void Give(int64_t offset, int64_t bytes) {
    free_.push_back({offset, Aligned(bytes)});
  }
  int64_t size() const { return size_; }

 private:
  struct Hole {
    int64_t offset;
    int64_t bytes;
  };
  std::vector<Hole> free_;
  int64_t size_ = 0;
};

}  // namespace

class Interpreter::Maker {
 public:
  explicit Maker(const ir::Trace& trace)
      : trace_(trace), made_(new Interpreter), values_(trace.nodes.size()) {}

  absl::StatusOr<std::unique_ptr<const Interpreter>> Make() {
    const int32_t count = static_cast<int32_t>(trace_.nodes.size());
    for (int32_t i = 0; i < count; ++i) {
      for (const TraceOperand& o : trace_.nodes[i].operands) {
        values_[o.value].last_use = i;
      }
    }
    for (int32_t i : trace_.outputs) values_[i].last_use = count;
    for (int32_t i = 0; i < count; ++i) {
      FUSEAU_RETURN_IF_ERROR(Add(i, trace_.nodes[i]));
    }
    Flush(count);
    Place();
    for (int32_t i : trace_.outputs) {
      made_->outputs_.push_back(values_[i].storage);
    }
    for (const Group& group : made_->groups_) made_->seconds_ += group.seconds;
    return std::unique_ptr<const Interpreter>(std::move(made_));
  }

 private:
  struct Value {
    int32_t storage = -1;
    int32_t last_use = -1;
    int64_t bytes = 0;  // of its storage
  };
  // When a storage is in use, by groups.
  struct Life {
    int32_t first = -1;
    int32_t last = -1;
  };
  // A step of the open group, its operands still over the whole space.
  struct Draft {
    int32_t node;      // for which it is done
    int32_t last_use;  // the last node that reads its result
    runtime::InnerLoop loop;
    FloatErrors raises = {};                        // as in Step
    absl::InlinedVector<TraceOperand, 4> operands;  // `value` is a storage
  };

  int32_t NewStorage(Storage::Kind kind, int64_t index, int64_t bytes) {
    Storage storage;
    storage.kind = kind;
    storage.index = index;
    storage.bytes = bytes;
    made_->storages_.push_back(storage);
    lives_.emplace_back();
    return static_cast<int32_t>(made_->storages_.size()) - 1;
  }
  Storage& storage(int32_t i) { return made_->storages_[i]; }
  void Touch(int32_t i) {
    const int32_t group = static_cast<int32_t>(made_->groups_.size());
    if (lives_[i].first < 0) lives_[i].first = group;
    lives_[i].last = std::max(lives_[i].last, group);
  }
  bool IsResult(int32_t value) const {
    return values_[value].last_use == static_cast<int32_t>(trace_.nodes.size());
  }

  absl::Status Add(int32_t i, const TraceNode& node) {
    Value& value = values_[i];
    if (node.op == OpCode::kInput) {
      value.bytes = node.shape[0];
      value.storage =
          NewStorage(Storage::kInput, std::ssize(made_->inputs_), value.bytes);
      made_->inputs_.push_back(value.storage);
      return absl::OkStatus();
    }
    if (node.op == OpCode::kScalar) {
      value.bytes = ItemSize(node.dtype);
      value.storage = NewStorage(Storage::kScalar, std::ssize(made_->scalars_),
                                 value.bytes);
      made_->scalars_.push_back(value.storage);
      if (IsResult(i)) return absl::UnimplementedError("a number as result");
      return absl::OkStatus();
    }
    if (node.op == OpCode::kUpdate) return AddUpdate(i, node);
    value.bytes = ItemSize(node.dtype);
    for (size_t d = 0; d < node.shape.size(); ++d) {
      if (node.reduced.empty() || !node.reduced[d]) {
        value.bytes *= node.shape[d];
      }
    }
    const ir::Family family = ir::RowOf(node.op).family;
    if (family == ir::Family::kReduction) return AddReduction(i, node);
    if (family == ir::Family::kRoutine) return AddRoutine(i, node);
    if (node.op == OpCode::kUnset) {
      value.storage = NewStorage(
          IsResult(i) ? Storage::kOwn : Storage::kScratch, 0, value.bytes);
      return absl::OkStatus();
    }
    if (!Fits(node)) Flush(i);
    value.storage = NewStorage(IsResult(i) ? Storage::kOwn : Storage::kScratch,
                               0, value.bytes);
    return AddStep(i, node, 0, DenseStrides(node.shape, ItemSize(node.dtype)));
  }

  // Whether the operation may join the open group.
  bool Fits(const TraceNode& node) const {
    if (drafts_.empty()) return true;
    const int32_t first = drafts_.front().node;
    if (trace_.nodes[first].op == OpCode::kUpdate) return false;
    if (trace_.nodes[first].shape != node.shape) return false;
    for (const TraceOperand& o : node.operands) {
      if (o.value < first) continue;
      const TraceNode& read = trace_.nodes[o.value];
      if (read.op == OpCode::kScalar || read.op == OpCode::kInput) continue;
      if (o.offset != 0 || o.dtype != read.dtype ||
          o.strides != DenseStrides(node.shape, ItemSize(o.dtype))) {
        return false;
      }
    }
    return true;
  }

  absl::Status AddStep(int32_t i, const TraceNode& node, int64_t offset,
                       Dims strides) {
    Draft draft;
    draft.node = i;
    draft.last_use = values_[i].last_use;
    absl::InlinedVector<DType, 3> types;
    for (const TraceOperand& o : node.operands) types.push_back(o.dtype);
    const runtime::InnerLoop* loop =
        FindElementLoop(node.op, types, node.dtype);
    if (loop == nullptr) {
      return absl::UnimplementedError(
          absl::StrCat("no inner loop for ", ir::RowOf(node.op).name));
    }
    draft.loop = *loop;
    draft.raises = RaisesOf(node);
    if (node.op == OpCode::kIota) {
      TraceOperand& start = draft.operands.emplace_back();
      start.value = -1;
      start.offset = node.attribute;
      start.strides.assign(node.shape.size(), 0);
    }
    for (size_t k = node.op == OpCode::kUpdate ? 1 : 0;
         k < node.operands.size(); ++k) {
      TraceOperand& operand = draft.operands.emplace_back(node.operands[k]);
      operand.value = values_[operand.value].storage;
      if (RoundsByLayout(node.op, operand.dtype) &&
          !InRow(node.shape, operand.strides.data(), ItemSize(operand.dtype))) {
        Pack(i, node.shape, &operand);
      }
    }
    TraceOperand& result = draft.operands.emplace_back();
    result.value = values_[i].storage;
    result.dtype = node.dtype;
    result.offset = offset;
    result.strides = std::move(strides);
    for (const TraceOperand& o : draft.operands) {
      if (o.value >= 0) Touch(o.value);
    }
    drafts_.push_back(std::move(draft));
    return absl::OkStatus();
  }

  // Empty if the node cannot raise floating-point errors.
  FloatErrors RaisesOf(const TraceNode& node) {
    if (node.operands.empty()) return {};
    const uint8_t raised =
        RaisedFloatErrors(node.op, node.operands.back().dtype, node.dtype);
    if (raised == 0) return {};
    made_->raises_ = true;
    // Kinds beside those of the table may come up too: a signalling NaN.
    return {WordOf(node.op, node.watched), node.watched};
  }

  // A step that copies what the operand of node `i` reads; the operand becomes
  // the copy.
  void Pack(int32_t i, const Dims& shape, TraceOperand* operand) {
    const DType types[1] = {operand->dtype};
    Draft draft;
    draft.node = draft.last_use = i;
    draft.loop = *FindElementLoop(OpCode::kCopy, types, operand->dtype);
    draft.operands.push_back(*operand);
    Touch(operand->value);
    operand->value = NewStorage(Storage::kScratch, 0,
                                Count(shape) * ItemSize(operand->dtype));
    operand->offset = 0;
    operand->strides = DenseStrides(shape, ItemSize(operand->dtype));
    draft.operands.push_back(*operand);
    drafts_.push_back(std::move(draft));
  }

  // In the old value's memory if that is ours and nobody reads it any more,
  // this write included; else in a copy.
  absl::Status AddUpdate(int32_t i, const TraceNode& node) {
    Flush(i);
    const int32_t old_value = node.operands[0].value;
    const int32_t old = values_[old_value].storage;
    values_[i].bytes = values_[old_value].bytes;
    const bool ours = storage(old).kind == Storage::kInput
                          ? trace_.nodes[FirstOf(old)].donated
                          : storage(old).kind != Storage::kScalar;
    if (ours && values_[old_value].last_use == i &&
        values_[node.operands[1].value].storage != old) {
      values_[i].storage = old;
      if (storage(old).kind == Storage::kInput) {
        made_->overwrites_inputs_ = true;
      } else if (IsResult(i)) {
        storage(old).kind = Storage::kOwn;
      }
    } else {
      values_[i].storage = NewStorage(
          IsResult(i) ? Storage::kOwn : Storage::kScratch, 0, values_[i].bytes);
      Group copy;
      copy.kind = Group::kCopy;
      copy.from.storage = old;
      copy.to = values_[i].storage;
      copy.bytes = values_[i].bytes;
      copy.seconds =
          kCallSeconds + static_cast<double>(2 * copy.bytes) / kBytesPerSecond;
      Touch(copy.from.storage);
      Touch(copy.to);
      made_->groups_.push_back(copy);
    }
    FUSEAU_RETURN_IF_ERROR(
        AddStep(i, node, node.write_offset, node.write_strides));
    return absl::OkStatus();
  }

  // The node whose value is the input that a storage is.
  int32_t FirstOf(int32_t input_storage) const {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].storage == input_storage) return static_cast<int32_t>(i);
    }
    FUSEAU_CHECK(false);
    return -1;
  }

  absl::Status AddReduction(int32_t i, const TraceNode& node) {
    Flush(i);
    FUSEAU_ASSIGN_OR_RETURN(ReductionRuns runs, ReductionRuns::Make(node));
    values_[i].storage = NewStorage(
        IsResult(i) ? Storage::kOwn : Storage::kScratch, 0, values_[i].bytes);
    Group group;
    group.kind = Group::kReduction;
    group.raises = RaisesOf(node);
    group.first = static_cast<int32_t>(made_->reductions_.size());
    group.from.storage = values_[node.operands[0].value].storage;
    group.from.offset = node.operands[0].offset;
    group.to = values_[i].storage;
    const int64_t elements = Count(node.shape);
    const int64_t rows =
        node.shape.empty() ? 1
                           : elements / std::max<int64_t>(1, node.shape.back());
    group.seconds = 2 * kCallSeconds * static_cast<double>(rows) +
                    static_cast<double>(elements) *
                        std::max(ItemSize(node.dtype) / kBytesPerSecond,
                                 1 / kFlopsPerSecond);
    Touch(group.from.storage);
    Touch(group.to);
    made_->reductions_.push_back(std::move(runs));
    made_->groups_.push_back(group);
    return absl::OkStatus();
  }

  absl::Status AddRoutine(int32_t i, const TraceNode& node) {
    Flush(i);
    Routine& routine = made_->routines_.emplace_back();
    FUSEAU_ASSIGN_OR_RETURN(routine.call, RoutineCallOf(node));
    for (const TraceOperand& o : node.operands) {
      Operand& operand = routine.operands.emplace_back();
      operand.storage = values_[o.value].storage;
      operand.offset = o.offset;
      Touch(operand.storage);
    }
    values_[i].storage = NewStorage(
        IsResult(i) ? Storage::kOwn : Storage::kScratch, 0, values_[i].bytes);
    Group group;
    group.kind = Group::kRoutine;
    group.raises = RaisesOf(node);
    group.first = static_cast<int32_t>(made_->routines_.size()) - 1;
    group.to = values_[i].storage;
    group.seconds =
        kCallSeconds + runtime::StepsOf(routine.call) / kFlopsPerSecond;
    Touch(group.to);
    made_->groups_.push_back(group);
    return absl::OkStatus();
  }

  // Closes the group; `next` is the first node that is not in it.
  void Flush(int32_t next) {
    if (drafts_.empty()) return;
    Group group;
    group.first = static_cast<int32_t>(made_->steps_.size());
    group.count = static_cast<int32_t>(drafts_.size());
    const Dims& whole = trace_.nodes[drafts_.front().node].shape;
    const int64_t elements = Count(whole);
    const Dims shape = Collapse(whole);
    group.rank = static_cast<int32_t>(shape.size());
    group.shape = AddDims(shape);
    int64_t row = 1;
    for (size_t d = 1; d < shape.size(); ++d) row *= shape[d];
    group.block =
        std::max<int64_t>(1, kBlockElements / std::max<int64_t>(row, 1));
    group.block = std::min(group.block, std::max<int64_t>(shape[0], 1));
    FindLocals(next, group.block * row);
    const int64_t run = shape.size() < 2 ? group.block * row : shape.back();
    for (Draft& draft : drafts_) {
      AddCost(draft, elements, run, &group);
      Step step;
      step.loop = draft.loop;
      step.raises = draft.raises;
      step.first_operand = static_cast<int32_t>(made_->operands_.size());
      step.operand_count = static_cast<int32_t>(draft.operands.size());
      for (const TraceOperand& o : draft.operands) {
        Operand& operand = made_->operands_.emplace_back();
        operand.storage = o.value;
        operand.offset = o.offset;
        operand.strides = AddDims(o.strides);
      }
      made_->steps_.push_back(step);
    }
    // A space without elements needs no work.
    if (elements > 0) made_->groups_.push_back(group);
    drafts_.clear();
  }

  void AddCost(const Draft& draft, int64_t elements, int64_t run,
               Group* group) const {
    int64_t bytes = 0;
    for (const TraceOperand& o : draft.operands) {
      const bool moves = std::any_of(o.strides.begin(), o.strides.end(),
                                     [](int64_t s) { return s != 0; });
      if (moves) bytes += ItemSize(o.dtype);
    }
    const double calls = static_cast<double>(elements) /
                         static_cast<double>(std::max<int64_t>(run, 1));
    const double flops = ir::RowOf(trace_.nodes[draft.node].op).flops;
    group->seconds += std::max(calls, 1.0) * kCallSeconds +
                      static_cast<double>(elements) *
                          std::max(static_cast<double>(bytes) / kBytesPerSecond,
                                   flops / kFlopsPerSecond);
  }

  int32_t AddDims(const Dims& dims) {
    const int32_t at = static_cast<int32_t>(made_->dims_.size());
    made_->dims_.insert(made_->dims_.end(), dims.begin(), dims.end());
    return at;
  }

  // Joins dimensions of the drafts that all operands walk in one stride, and
  // leaves out those of one element.
  Dims Collapse(const Dims& whole) {
    const int rank = static_cast<int>(whole.size());
    absl::InlinedVector<int, 8> kept;  // the innermost of each joined run
    Dims shape;
    for (int d = 0; d < rank; ++d) {
      if (whole[d] == 1) continue;
      const bool joins =
          !kept.empty() &&
          std::all_of(drafts_.begin(), drafts_.end(), [&](const Draft& draft) {
            return std::all_of(draft.operands.begin(), draft.operands.end(),
                               [&](const TraceOperand& o) {
                                 return o.strides[kept.back()] ==
                                        o.strides[d] * whole[d];
                               });
          });
      if (joins) {
        shape.back() *= whole[d];
        kept.back() = d;
      } else {
        shape.push_back(whole[d]);
        kept.push_back(d);
      }
    }
    // A single element is a row of one: NumPy's loops are to see that it is no
    // number.
    const bool single = shape.empty();
    if (single) shape.push_back(1);
    for (Draft& draft : drafts_) {
      for (TraceOperand& o : draft.operands) {
        Dims strides;
        for (int d : kept) strides.push_back(o.strides[d]);
        if (single) strides.push_back(IsNumber(o) ? 0 : ItemSize(o.dtype));
        o.strides = std::move(strides);
      }
    }
    return shape;
  }

  bool IsNumber(const TraceOperand& o) {
    return o.value < 0 || storage(o.value).kind == Storage::kScalar;
  }

  // Values that only this group sees need memory for one block.
  void FindLocals(int32_t next, int64_t block_elements) {
    Places places;
    std::vector<std::pair<int32_t, int32_t>> live;  // last use, storage
    for (const Draft& draft : drafts_) {
      const TraceOperand& result = draft.operands.back();
      Storage& target = storage(result.value);
      if (trace_.nodes[draft.node].op == OpCode::kUpdate ||
          target.kind != Storage::kScratch || draft.last_use >= next) {
        continue;
      }
      // The loop's result must not be where its operands are.
      for (auto it = live.begin(); it != live.end();) {
        if (it->first < draft.node) {
          const Storage& dead = storage(it->second);
          places.Give(dead.index, dead.bytes);
          it = live.erase(it);
        } else {
          ++it;
        }
      }
      target.kind = Storage::kLocal;
      target.bytes = block_elements * ItemSize(result.dtype);
      target.index = places.Take(target.bytes);
      live.emplace_back(draft.last_use, result.value);
    }
    made_->local_bytes_ = std::max(made_->local_bytes_, places.size());
  }

  // Gives the temporary values their memory, behind that of the blocks.
  void Place() {
    Places places;
    places.Take(made_->local_bytes_);
    const int32_t count = static_cast<int32_t>(made_->storages_.size());
    std::vector<std::vector<int32_t>> starts(made_->groups_.size() + 1);
    std::vector<std::vector<int32_t>> ends(made_->groups_.size() + 1);
    for (int32_t i = 0; i < count; ++i) {
      if (storage(i).kind != Storage::kScratch || lives_[i].first < 0) continue;
      starts[lives_[i].first].push_back(i);
      ends[lives_[i].last].push_back(i);
    }
    for (size_t g = 0; g < starts.size(); ++g) {
      for (int32_t i : starts[g]) {
        storage(i).index = places.Take(storage(i).bytes);
        made_->scratch_.push_back(i);
      }
      for (int32_t i : ends[g]) places.Give(storage(i).index, storage(i).bytes);
    }
    made_->scratch_bytes_ = places.size();
  }

  const ir::Trace& trace_;
  std::unique_ptr<Interpreter> made_;
  std::vector<Value> values_;
  std::vector<Life> lives_;  // of storages
  std::vector<Draft> drafts_;
};

absl::StatusOr<std::unique_ptr<const Interpreter>> Interpreter::Make(
    const ir::Trace& trace) {
  return Maker(trace).Make();
}

}  // namespace fuseau

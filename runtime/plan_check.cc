#include "runtime/plan_check.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/routine.h"

namespace fuseau::runtime {
namespace {

class Checker {
 public:
  explicit Checker(const Plan& plan)
      : plan_(plan), exists_(plan.buffers.size(), false) {}

  absl::Status Check() {
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      const PlanBuffer& buffer = plan_.buffers[i];
      if (buffer.bytes < 0) return Bad("buffer ", i, " has a negative size");
      if (buffer.kind != BufferKind::kInput) continue;
      if (buffer.index < 0 || buffer.index >= plan_.input_count) {
        return Bad("buffer ", i, " is input ", buffer.index, " of ",
                   plan_.input_count);
      }
      exists_[i] = true;
    }
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      where_ = absl::StrCat("step ", i, ": ");
      FUSEAU_RETURN_IF_ERROR(CheckStep(plan_.steps[i]));
    }
    where_ = "outputs: ";
    for (int32_t buffer : plan_.outputs) {
      FUSEAU_RETURN_IF_ERROR(CheckExists(buffer));
    }
    if (!under_way_.empty()) return Bad("an exchange is not finished");
    return absl::OkStatus();
  }

 private:
  template <typename... T>
  absl::Status Bad(const T&... text) const {
    return absl::InternalError(absl::StrCat("bad plan: ", where_, text...));
  }

  absl::Status CheckExists(int32_t buffer) const {
    if (buffer < 0 || buffer >= static_cast<int64_t>(exists_.size())) {
      return Bad("there is no buffer ", buffer);
    }
    if (!exists_[buffer]) return Bad("buffer ", buffer, " does not exist now");
    if (under_way_.contains(buffer))
      return Bad("buffer ", buffer, " is the target of an exchange under way");
    return absl::OkStatus();
  }

  absl::Status CheckStep(const Step& step) {
    switch (step.kind) {
      case Step::kAllocate:
        if (step.buffer < 0 ||
            step.buffer >= static_cast<int64_t>(exists_.size())) {
          return Bad("there is no buffer ", step.buffer);
        }
        if (exists_[step.buffer]) {
          return Bad("buffer ", step.buffer, " exists already");
        }
        exists_[step.buffer] = true;
        return absl::OkStatus();
      case Step::kFree:
        FUSEAU_RETURN_IF_ERROR(CheckExists(step.buffer));
        exists_[step.buffer] = false;
        return absl::OkStatus();
      case Step::kCopy:
        FUSEAU_RETURN_IF_ERROR(CheckExists(step.buffer));
        FUSEAU_RETURN_IF_ERROR(CheckExists(step.source));
        if (plan_.buffers[step.buffer].bytes !=
            plan_.buffers[step.source].bytes) {
          return Bad("a copy between buffers of different size");
        }
        return CheckParts(step);
      case Step::kFill: {
        FUSEAU_RETURN_IF_ERROR(CheckExists(step.buffer));
        const int n = step.fill_size;
        if (n != 1 && n != 2 && n != 4 && n != 8 && n != 16) {
          return Bad("a fill with ", n, " bytes");
        }
        if (plan_.buffers[step.buffer].bytes % n != 0) {
          return Bad("a fill with part of an element");
        }
        return absl::OkStatus();
      }
      case Step::kLaunch:
        if (step.launch < 0 ||
            step.launch >= static_cast<int64_t>(plan_.launches.size())) {
          return Bad("there is no launch ", step.launch);
        }
        return CheckLaunch(plan_.launches[step.launch]);
      case Step::kRoutine:
        if (step.launch < 0 ||
            step.launch >= static_cast<int64_t>(plan_.routines.size())) {
          return Bad("there is no routine call ", step.launch);
        }
        return CheckRoutine(plan_.routines[step.launch]);
      case Step::kStart:
      case Step::kFinish:
        return CheckHalf(step);
      case Step::kMove:
        return CheckMove(step);
      case Step::kBands:
        if (step.group < 0 ||
            step.group >= static_cast<int64_t>(plan_.groups.size())) {
          return Bad("there is no group ", step.group);
        }
        return CheckGroup(plan_.groups[step.group]);
      case Step::kSweep:
        if (step.launch < 0 ||
            step.launch >= static_cast<int64_t>(plan_.sweeps.size())) {
          return Bad("there is no sweep ", step.launch);
        }
        return CheckSweep(plan_.sweeps[step.launch]);
    }
    return Bad("unknown kind");
  }

  absl::Status CheckParts(const Step& step) const {
    if (step.launch < 0) return absl::OkStatus();
    if (step.launch >= static_cast<int64_t>(plan_.copies.size())) {
      return Bad("there are no parts ", step.launch);
    }
    for (const CopyPart& part : plan_.copies[step.launch]) {
      if (part.bytes < 0 || part.sizes.size() != part.strides.size()) {
        return Bad("a part of a copy of ", part.bytes, " bytes");
      }
      const ByteRange range =
          Extent(part.offset, part.sizes, part.strides, part.bytes);
      if (range.lo < 0 || range.hi > plan_.buffers[step.buffer].bytes) {
        return Bad("a part of a copy touches bytes ", range.lo, " to ",
                   range.hi);
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckRoutine(const RoutineCall& call) const {
    if (call.fn == nullptr) return Bad("a call of no routine");
    if (call.operands.empty()) return Bad("a call without an output");
    if (call.sizes.size() > static_cast<size_t>(kMaxRank)) {
      return Bad("rank ", call.sizes.size());
    }
    for (size_t i = 0; i < call.operands.size(); ++i) {
      FUSEAU_RETURN_IF_ERROR(CheckOperand(call.operands[i], i, call.sizes));
    }
    return absl::OkStatus();
  }

  // Between its start and its finish the target of an exchange is its own.
  absl::Status CheckHalf(const Step& step) {
    if (step.launch < 0 ||
        step.launch >= static_cast<int64_t>(plan_.routines.size())) {
      return Bad("there is no routine call ", step.launch);
    }
    const RoutineCall& call = plan_.routines[step.launch];
    if (!IsExchange(call)) return Bad("only exchanges have a start");
    if (step.kind == Step::kStart) {
      FUSEAU_RETURN_IF_ERROR(CheckOperand(call.operands[0], 0, call.sizes));
      FUSEAU_RETURN_IF_ERROR(CheckOperand(call.output(), 1, call.sizes));
      under_way_[call.output().buffer] = step.launch;
      return absl::OkStatus();
    }
    const auto started = under_way_.find(call.output().buffer);
    if (started == under_way_.end() || started->second != step.launch)
      return Bad("exchange ", step.launch, " has not been started");
    under_way_.erase(started);
    return absl::OkStatus();
  }

  absl::Status CheckMove(const Step& step) const {
    FUSEAU_RETURN_IF_ERROR(CheckExists(step.buffer));
    FUSEAU_RETURN_IF_ERROR(CheckExists(step.source));
    if (step.launch < 0 ||
        step.launch >= static_cast<int64_t>(plan_.moves.size())) {
      return Bad("there is no move ", step.launch);
    }
    const Move& move = plan_.moves[step.launch];
    if (step.buffer == step.source || move.bytes < 0 || move.from < 0 ||
        move.to < 0 ||
        move.from + move.bytes > plan_.buffers[step.source].bytes ||
        move.to + move.bytes > plan_.buffers[step.buffer].bytes) {
      return Bad("a move of ", move.bytes, " bytes");
    }
    return absl::OkStatus();
  }

  // Whether the operand of a space has a place in its buffer.
  absl::Status CheckOperand(const PlanOperand& operand, int64_t i,
                            const Dims& sizes) const {
    if (operand.strides.size() != sizes.size()) {
      return Bad("operand ", i, " has ", operand.strides.size(),
                 " strides in a space of rank ", sizes.size());
    }
    FUSEAU_RETURN_IF_ERROR(CheckExists(operand.buffer));
    const ByteRange range =
        Extent(operand.offset, sizes, operand.strides, ItemSize(operand.dtype));
    if (!range.Empty() &&
        (range.lo < 0 || range.hi > plan_.buffers[operand.buffer].bytes)) {
      return Bad("operand ", i, " touches bytes ", range.lo, " to ", range.hi,
                 " of a buffer of ", plan_.buffers[operand.buffer].bytes);
    }
    return absl::OkStatus();
  }

  absl::Status CheckGroup(const BandGroup& group) const {
    if (group.bands < 1) return Bad("a group of ", group.bands, " bands");
    for (size_t i = 0; i < group.members.size(); ++i) {
      const BandMember& member = group.members[i];
      if (member.launch < 0 ||
          member.launch >= static_cast<int64_t>(plan_.launches.size())) {
        return Bad("there is no launch ", member.launch);
      }
      const Launch& launch = plan_.launches[member.launch];
      FUSEAU_RETURN_IF_ERROR(CheckLaunch(launch));
      if (launch.split != Split::kRows || launch.sizes.empty()) {
        return Bad("a launch of a group advances by rows");
      }
      for (const BandEdge& edge : member.edges) {
        if (edge.from < 0 || edge.from >= static_cast<int64_t>(i)) {
          return Bad("member ", i, " of a group waits for member ", edge.from);
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckLaunch(const Launch& launch) const {
    const size_t rank = launch.sizes.size();
    const int64_t operands = static_cast<int64_t>(launch.operands.size());
    if (launch.kernel == nullptr || launch.kernel->fn == nullptr) {
      return Bad("a launch without a kernel");
    }
    if (rank > static_cast<size_t>(kMaxRank)) return Bad("rank ", rank);
    for (int64_t size : launch.sizes) {
      if (size < 0) return Bad("a negative size");
    }
    if (launch.input_count < 0 || launch.input_count > operands) {
      return Bad(launch.input_count, " inputs of ", operands, " operands");
    }
    if (static_cast<int64_t>(launch.combiners.size()) !=
        operands - launch.input_count) {
      return Bad(launch.combiners.size(), " combiners for ",
                 operands - launch.input_count, " outputs");
    }
    for (int64_t i = 0; i < operands; ++i) {
      const PlanOperand& operand = launch.operands[i];
      if (operand.buffer == kIotaBuffer) {
        if (i >= launch.input_count) return Bad("an iota as an output");
        if (operand.strides.size() != rank) {
          return Bad("iota ", i, " has ", operand.strides.size(), " strides");
        }
        continue;
      }
      FUSEAU_RETURN_IF_ERROR(CheckOperand(operand, i, launch.sizes));
    }
    for (int32_t scalar : launch.scalars) {
      if (scalar < 0 || scalar >= plan_.scalar_count) {
        return Bad("there is no scalar ", scalar);
      }
    }
    if (launch.split == Split::kTree) FUSEAU_RETURN_IF_ERROR(CheckTree(launch));
    if (!launch.lagged.empty()) return CheckLagged(launch);
    return absl::OkStatus();
  }

  absl::Status CheckSweep(const Sweep& sweep) {
    if (sweep.tile < 1 || sweep.launches.size() != sweep.first.size() ||
        (!sweep.halos.empty() && sweep.halos.size() != sweep.launches.size())) {
      return Bad("a sweep of ", sweep.launches.size(),
                 " launches with tiles of ", sweep.tile, " rows");
    }
    for (const TileBuffer& tile : sweep.buffers) {
      if (tile.buffer < 0 ||
          tile.buffer >= static_cast<int64_t>(exists_.size()) ||
          plan_.buffers[tile.buffer].kind != BufferKind::kTile ||
          tile.stride <= 0) {
        return Bad("buffer ", tile.buffer, " is no tile of a sweep");
      }
      exists_[tile.buffer] = true;
    }
    bool trees = false;
    for (int32_t i : sweep.launches) {
      if (i < 0 || i >= static_cast<int64_t>(plan_.launches.size())) {
        return Bad("there is no launch ", i);
      }
      trees |= plan_.launches[i].split == Split::kTree;
    }
    for (size_t i = 0; i < sweep.launches.size(); ++i) {
      const Launch& launch = plan_.launches[sweep.launches[i]];
      FUSEAU_RETURN_IF_ERROR(CheckLaunch(launch));
      if (launch.split == Split::kSerial || !launch.lagged.empty() ||
          launch.sizes.empty()) {
        return Bad("launch ", i, " of a sweep has no rows to cut");
      }
      const int64_t first = sweep.first[i], rows = launch.sizes[0];
      if (first < 0 || rows > sweep.rows - first ||
          (trees && rows != sweep.rows)) {
        return Bad("launch ", i, " has rows ", first, " to ", first + rows,
                   " of a sweep of ", sweep.rows);
      }
      for (const TileBuffer& tile : sweep.buffers)
        FUSEAU_RETURN_IF_ERROR(CheckTile(launch, first, tile));
      if (!sweep.halos.empty())
        FUSEAU_RETURN_IF_ERROR(CheckHalo(launch, sweep.halos[i]));
    }
    for (const TileBuffer& tile : sweep.buffers) exists_[tile.buffer] = false;
    return absl::OkStatus();
  }

  // What is computed with several tiles is seen by each alone.
  absl::Status CheckHalo(const Launch& launch, const Sweep::Halo& halo) const {
    if (halo.before < 0 || halo.after < 0) return Bad("a negative halo");
    if (halo.before == 0 && halo.after == 0) return absl::OkStatus();
    for (size_t i = launch.input_count; i < launch.operands.size(); ++i) {
      if (plan_.buffers[launch.operands[i].buffer].kind != BufferKind::kTile) {
        return Bad("rows around a tile are written to memory");
      }
    }
    return absl::OkStatus();
  }

  // Each row of a launch stays in the row of the tile.
  absl::Status CheckTile(const Launch& launch, int64_t first,
                         const TileBuffer& tile) const {
    for (const PlanOperand& operand : launch.operands) {
      if (operand.buffer != tile.buffer) continue;
      const ByteRange row =
          Extent(operand.offset - first * tile.stride,
                 absl::MakeConstSpan(launch.sizes).subspan(1),
                 absl::MakeConstSpan(operand.strides).subspan(1),
                 ItemSize(operand.dtype));
      if (operand.strides[0] != tile.stride || row.lo < tile.low ||
          row.hi > tile.low + tile.row_bytes) {
        return Bad("rows of buffer ", tile.buffer, " leave their tile");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckTree(const Launch& launch) const {
    if (launch.sizes.size() != 1) return Bad("a tree launch has rank 1");
    if (launch.combiners.empty()) return Bad("a tree launch without outputs");
    for (Combiner combiner : launch.combiners) {
      if (combiner == Combiner::kNone) {
        return Bad("a tree launch joins every output");
      }
    }
    for (size_t i = launch.input_count; i < launch.operands.size(); ++i) {
      if (launch.operands[i].strides[0] != 0) {
        return Bad("an output of a tree launch is one element");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckLagged(const Launch& launch) const {
    if (launch.lagged.size() > 1) return Bad("more than one lagged write");
    if (launch.split != Split::kRows) return Bad("a lagged write runs by rows");
    const LaggedWrite& lag = launch.lagged[0];
    const int64_t operands = static_cast<int64_t>(launch.operands.size());
    if (lag.output < launch.input_count || lag.output >= operands) {
      return Bad("operand ", lag.output, " is no output");
    }
    const PlanOperand& output = launch.operands[lag.output];
    if (lag.readers.empty()) return Bad("a lagged write without readers");
    const bool rows = !launch.sizes.empty() && launch.sizes[0] > 1;
    if (rows && output.strides[0] <= 0) {
      return Bad("a lagged write goes backwards along dimension 0");
    }
    for (int32_t reader : lag.readers) {
      if (reader < 0 || reader >= launch.input_count) {
        return Bad("operand ", reader, " is no input");
      }
      const PlanOperand& input = launch.operands[reader];
      if (input.buffer != output.buffer) {
        return Bad("reader ", reader, " of a lagged write has another buffer");
      }
      if (rows && input.strides[0] != output.strides[0]) {
        return Bad("reader ", reader, " of a lagged write has stride ",
                   input.strides[0], ", the output ", output.strides[0]);
      }
    }
    return absl::OkStatus();
  }

  const Plan& plan_;
  std::vector<bool> exists_;
  std::map<int32_t, int32_t> under_way_;  // exchanges, by target
  std::string where_;
};

}  // namespace

absl::Status CheckPlan(const Plan& plan) { return Checker(plan).Check(); }

}  // namespace fuseau::runtime

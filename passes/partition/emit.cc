#include "passes/partition/emit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "passes/partition/reads.h"
#include "passes/partition/slots.h"
#include "runtime/base/status.h"

namespace fuseau::passes::partition {
namespace {

using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;
using runtime::Transfer;

class Emitter {
 public:
  Emitter(const ir::Trace& trace, const Program& program,
          absl::Span<const Distribution> inputs, int rank,
          const PartitionOptions& options)
      : global_(trace),
        program_(program),
        inputs_(inputs),
        rank_(rank),
        ranks_(program.ranks),
        options_(options),
        plan_(PlanReads(program, OutputsOf(trace, program))),
        values_(program.nodes.size()) {}

  absl::StatusOr<Partition> Run() {
    EmitInputs();
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
      if (program_.nodes[i].node.op == OpCode::kInput) continue;
      FUSEAU_RETURN_IF_ERROR(EmitNode(static_cast<int32_t>(i)));
    }
    EmitOutputs();
    DonateRoomForHalos();
    out_.gathered = program_.gathered;
    return std::move(out_);
  }

 private:
  // Bytes of a value from other ranks, as they were packed for this one.
  struct Packed {
    Wants wants;
    int32_t node = -1;  // -1: this rank has all it wants
  };
  struct Value {
    int32_t node = -1;  // in the rank's trace; -1 if it has no part
    // If it is cut: what the buffers of all ranks have room for.
    std::vector<Distribution::Window> windows;
    bool has_halo = false;
    std::vector<Packed> packed;
  };

  static std::vector<int32_t> OutputsOf(const ir::Trace& trace,
                                        const Program& program) {
    std::vector<int32_t> outputs;
    for (int32_t o : trace.outputs) outputs.push_back(program.values[o]);
    return outputs;
  }

  const Placed& placed(int32_t i) const { return program_.nodes[i]; }
  TraceNode& local(int32_t i) { return out_.trace.nodes[i]; }

  int32_t Add(TraceNode node, int64_t bytes) {
    out_.trace.nodes.push_back(std::move(node));
    bytes_.push_back(bytes);
    return static_cast<int32_t>(out_.trace.nodes.size()) - 1;
  }

  // --- Inputs and outputs --------------------------------------------------

  void EmitInputs() {
    int32_t input = 0;
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
      const Placed& p = program_.nodes[i];
      if (p.node.op != OpCode::kInput || p.table >= 0) continue;
      Value& value = values_[i];
      const Distribution& from = inputs_[input];
      if (from.kind == Distribution::kCut) {
        value.windows = from.windows;
      } else if (from.kind == Distribution::kRoot) {
        value.windows = ComputedWindows(p);
      }
      TraceNode node = p.node;
      if (p.cut())
        node.shape = {value.windows[rank_].hi - value.windows[rank_].lo};
      if (!p.cut() || !p.owned(rank_).Empty()) {
        value.node = Add(node, node.shape[0]);
        out_.inputs.push_back(input);
      }
      ++input;
    }
    for (size_t i = 0; i < program_.nodes.size(); ++i) {
      const Placed& p = program_.nodes[i];
      if (p.table >= 0) values_[i].node = Add(p.node, p.node.shape[0]);
    }
    out_.tables = program_.tables;
  }

  std::vector<Distribution::Window> ComputedWindows(const Placed& p) const {
    std::vector<Distribution::Window> windows;
    for (int r = 0; r < ranks_; ++r) {
      const ByteRange computed = p.computed(r);
      windows.push_back({computed.lo, computed.hi});
    }
    return windows;
  }

  void EmitOutputs() {
    std::vector<bool> taken(out_.trace.nodes.size(), false);
    for (int32_t o : global_.outputs) {
      const int32_t index = program_.values[o];
      const Placed& p = placed(index);
      Value& value = values_[index];
      Distribution& to = out_.distributions.emplace_back();
      if (p.cut()) {
        to.kind = Distribution::kCut;
        to.cuts = p.cuts;
        to.windows = value.windows;
      }
      if (value.node < 0) {
        out_.outputs.push_back(-1);
        continue;
      }
      int32_t node = value.node;
      const TraceNode& made = out_.trace.nodes[node];
      if (taken[node] || (made.op == OpCode::kInput && !made.donated))
        node = CopyOf(node);
      taken.resize(out_.trace.nodes.size(), false);
      taken[node] = true;
      out_.outputs.push_back(static_cast<int32_t>(out_.trace.outputs.size()));
      out_.trace.outputs.push_back(node);
    }
    if (exchange_ < 0) return;
    // Each exchange keeps the one before alive.
    taken.resize(out_.trace.nodes.size(), false);
    if (!taken[exchange_]) out_.trace.outputs.push_back(exchange_);
  }

  int32_t CopyOf(int32_t node) {
    TraceNode copy;
    copy.op = OpCode::kCopy;
    copy.dtype = DType::kUInt8;
    copy.shape = {bytes_[node]};
    copy.operands = {{node, DType::kUInt8, 0, {1}}};
    return Add(std::move(copy), bytes_[node]);
  }

  // Halos may be written to the room of an input that somebody reads later, if
  // nothing else would be.
  void DonateRoomForHalos() {
    std::vector<bool> updated(program_.nodes.size(), false);
    for (const Placed& p : program_.nodes) {
      if (p.node.op == OpCode::kUpdate)
        updated[p.node.operands[0].value] = true;
    }
    for (const auto& [value, node] : halo_inputs_)
      if (!updated[value]) local(node).donated = true;
  }

  // --- Exchanges -----------------------------------------------------------

  // Returns the target of an exchange, or -1 if this rank has no part in it.
  int32_t Exchange(const Value& source, int64_t target_bytes,
                   Transfer transfer) {
    // All ranks count alike, so that they know the exchange by its number.
    const int64_t number = static_cast<int64_t>(out_.transfers.size());
    out_.transfers.push_back(std::move(transfer));
    out_.routes.emplace_back();
    if (out_.transfers.back().empty()) return -1;
    const int32_t from = source.node >= 0 ? source.node : Nothing();
    const int32_t before = exchange_ >= 0 ? exchange_ : from;
    TraceNode node;
    node.op = OpCode::kExchange;
    node.dtype = DType::kUInt8;
    node.shape = {std::max<int64_t>(target_bytes, 1), bytes_[from],
                  bytes_[before]};
    node.reduced = {false, true, true};
    node.operands = {{from, DType::kUInt8, 0, {0, 1, 0}},
                     {before, DType::kUInt8, 0, {0, 0, 1}}};
    node.attribute = number;
    for (const Transfer::Message& message : out_.transfers.back().sends) {
      out_.sent_bytes += message.bytes;
      ++out_.messages;
    }
    const int64_t bytes = node.shape[0];
    exchange_ = Add(std::move(node), bytes);
    return exchange_;
  }

  // What ranks have selected goes to those who own it. All that may have a part
  // in it take part.
  absl::Status EmitRoute(int32_t index) {
    const Placed& p = placed(index);
    FUSEAU_ASSIGN_OR_RETURN(std::vector<TraceOperand> counts,
                            Read(p, 1, plan_.reaches[index][1]));
    Value& value = values_[index];
    value.windows = ComputedWindows(p);
    const int64_t number = static_cast<int64_t>(out_.transfers.size());
    out_.transfers.emplace_back();
    out_.routes.push_back(p.work.route);
    const Value& source = values_[p.node.operands[0].value];
    const ByteRange mine = p.owned(rank_);
    if (source.node < 0 && mine.Empty()) return absl::OkStatus();
    const int32_t from = source.node >= 0 ? source.node : Nothing();
    const int32_t before = exchange_ >= 0 ? exchange_ : from;
    TraceNode node = p.node;
    node.shape = {std::max<int64_t>(mine.hi - mine.lo, 1), bytes_[from],
                  bytes_[before], p.node.shape[2]};
    node.reduced = {false, true, true, true};
    counts[0].strides = {0, 0, 0, p.node.operands[1].strides[2]};
    node.operands = {{from, DType::kUInt8, 0, {0, 1, 0, 0}},
                     {before, DType::kUInt8, 0, {0, 0, 1, 0}},
                     std::move(counts[0])};
    node.attribute = number;
    const int64_t bytes = node.shape[0];
    exchange_ = Add(std::move(node), bytes);
    if (!mine.Empty()) value.node = exchange_;
    return absl::OkStatus();
  }

  // A byte for who has nothing to send or to read.
  int32_t Nothing() {
    if (nothing_ >= 0) return nothing_;
    TraceNode node;
    node.op = OpCode::kIota;
    node.dtype = DType::kUInt8;
    node.shape = {1};
    nothing_ = Add(std::move(node), 1);
    return nothing_;
  }

  static void WidenTo(const std::vector<ByteRange>& rooms,
                      std::vector<Distribution::Window>& windows) {
    for (size_t r = 0; r < windows.size(); ++r) {
      if (windows[r].lo == windows[r].hi) continue;
      windows[r].lo = std::min(windows[r].lo, rooms[r].lo);
      windows[r].hi = std::max(windows[r].hi, rooms[r].hi);
    }
  }

  int64_t Begin(const Value& value) const {
    return value.windows.empty() ? 0 : value.windows[rank_].lo;
  }

  void FillHaloOf(int32_t index) {
    Value& value = values_[index];
    if (std::exchange(value.has_halo, true)) return;
    const Placed& p = placed(index);
    const int64_t source = Begin(value);
    std::vector<HaloWant> wants(ranks_);
    bool moves = false;
    for (int r = 0; r < ranks_; ++r) {
      wants[r] = {p.owned(r), plan_.halos[index][r]};
      Distribution::Window& window = value.windows[r];
      if (Covers({window.lo, window.hi}, wants[r].needed)) continue;
      const ByteRange room = plan_.rooms[index][r];
      window.lo = std::min(window.lo, room.lo);
      window.hi = std::max(window.hi, room.hi);
      if (r == rank_) moves = true;
    }
    const HaloWant& mine = wants[rank_];
    HaloTarget target;
    target.whole = moves;
    target.lo = value.windows[rank_].lo;
    const int64_t before = mine.owned.lo - mine.needed.lo;
    const int64_t after = mine.needed.hi - mine.owned.hi;
    const int64_t bytes =
        moves ? value.windows[rank_].hi - target.lo : before + after;
    const int32_t got = Exchange(
        value, bytes, partition::FillHalo(wants, rank_, source, target));
    if (moves) {
      value.node = got;
      return;
    }
    if (before + after == 0) return;
    if (p.node.op == OpCode::kInput)
      halo_inputs_.push_back({index, value.node});
    Store(got, 0, before, mine.needed.lo - source, value);
    Store(got, before, after, mine.owned.hi - source, value);
  }

  // Writes bytes [first, first + count) of a target to byte `to` of a value.
  void Store(int32_t from, int64_t first, int64_t count, int64_t to,
             Value& value) {
    if (count == 0) return;
    TraceNode node;
    node.op = OpCode::kUpdate;
    node.dtype = DType::kUInt8;
    node.shape = {count};
    node.write_offset = to;
    node.write_strides = {1};
    node.operands = {{value.node, DType::kUInt8, 0, {}},
                     {from, DType::kUInt8, first, {1}}};
    value.node = Add(std::move(node), bytes_[value.node]);
  }

  // The target with what this rank wants, or -1 if it owns that.
  int32_t Fetch(int32_t index, Wants wants) {
    Value& value = values_[index];
    for (const Packed& packed : value.packed)
      if (packed.wants == wants) return packed.node;
    Transfer transfer = Collect(placed(index).cuts, wants, rank_, Begin(value));
    const bool takes = !Covers(placed(index).owned(rank_), wants[rank_]);
    const int64_t bytes = takes ? Bytes(wants[rank_]) : 0;
    const int32_t got = Exchange(value, bytes, std::move(transfer));
    value.packed.push_back({std::move(wants), takes ? got : -1});
    return value.packed.back().node;
  }

  // --- Operations ----------------------------------------------------------

  // The operand over each region that this rank computes.
  absl::StatusOr<std::vector<TraceOperand>> Read(const Placed& p, int k,
                                                 Reach reach) {
    const TraceOperand& o = p.node.operands[k];
    std::vector<TraceOperand> reads;
    const std::vector<Region> regions = RegionsRead(p, rank_, k);
    if (Count(p.node.shape) == 0) {
      TraceOperand& none = reads.emplace_back(o);
      none.value = Nothing();
      none.offset = 0;
      std::fill(none.strides.begin(), none.strides.end(), 0);
      return reads;
    }
    // Also for who needs none of it: the value without its halo would be needed
    // beside the one with it, and the halo not be stored in place.
    if (!plan_.halos[o.value].empty()) FillHaloOf(o.value);
    int32_t fetched = -1;
    if (reach == Reach::kPacked || reach == Reach::kWhole) {
      Wants wants = WantsOf(program_, p, k, reach);
      if (p.work.kind == Work::kEverywhere &&
          Bytes(wants[rank_]) > options_.max_whole_bytes) {
        return absl::ResourceExhaustedError(
            absl::StrCat(ir::RowOf(p.node.op).name, " needs ",
                         Bytes(wants[rank_]), " bytes on every rank"));
      }
      fetched = Fetch(o.value, std::move(wants));
    }
    if (fetched >= 0 && reach == Reach::kPacked) {
      int64_t base = 0;
      for (Packing& access : AccessesOf(p, k, rank_)) {
        TraceOperand& read = reads.emplace_back(o);
        read.value = fetched;
        read.offset = base + access.offset;
        read.strides = std::move(access.strides);
        base += access.box.bytes();
      }
      return reads;
    }
    const Value& value = values_[o.value];
    for (const Region& region : regions) {
      TraceOperand& read = reads.emplace_back(o);
      read.value = fetched >= 0 ? fetched : value.node;
      if (fetched < 0) read.offset -= Begin(value);
      for (size_t d = 0; d < o.strides.size(); ++d)
        read.offset += region.first[d] * o.strides[d];
    }
    return reads;
  }

  absl::Status EmitNode(int32_t index) {
    const Placed& p = placed(index);
    if (p.node.op == OpCode::kUpdate) return EmitUpdate(index);
    if (p.node.op == OpCode::kExchange) return EmitRoute(index);
    const std::vector<Region> regions = RegionsOf(p, rank_);
    TraceNode node = p.node;
    std::vector<std::vector<TraceOperand>> operands;  // over each region
    for (size_t k = 0; k < p.node.operands.size(); ++k) {
      FUSEAU_ASSIGN_OR_RETURN(
          operands.emplace_back(),
          Read(p, static_cast<int>(k), plan_.reaches[index][k]));
    }
    Value& value = values_[index];
    if (p.cut()) value.windows = ComputedWindows(p);
    // A copy of what an exchange brings stays where that is.
    const bool makes_room =
        p.cut() && !plan_.rooms[index].empty() &&
        !(p.node.op == OpCode::kCopy && plan_.reaches[index][0] > Reach::kHalo);
    if (makes_room) WidenTo(plan_.rooms[index], value.windows);
    if (regions.empty()) return absl::OkStatus();
    if (node.op == OpCode::kUnset && p.cut()) {
      const int64_t room = value.windows[rank_].hi - value.windows[rank_].lo;
      value.node = Add(Unset(room), room);
      return absl::OkStatus();
    }
    if (p.work.kind == Work::kPieces) {
      EmitPieces(p, operands, value);
      return absl::OkStatus();
    }
    if (regions.size() > 1) {
      EmitRegions(p, regions, operands, value);
      return absl::OkStatus();
    }
    for (size_t k = 0; k < operands.size(); ++k)
      node.operands[k] = std::move(operands[k][0]);
    node.shape = regions[0].count;
    if (node.op == OpCode::kIota) node.attribute += regions[0].first[0];
    const ByteRange computed = p.computed(rank_);
    const int64_t bytes = computed.hi - computed.lo;
    const bool along = p.work.kind == Work::kSelected &&
                       node.op == OpCode::kCoordinates &&
                       node.attribute + 1 == p.work.dim;
    value.node = IsExchanged(node, bytes) ? node.operands[0].value
                                          : Add(std::move(node), bytes);
    if (along) value.node = Shifted(value.node, regions[0].first[p.work.dim]);
    if (makes_room) PutInRoom(p, value);
    return absl::OkStatus();
  }

  // Places, counted from another one.
  int32_t Shifted(int32_t places, int64_t by) {
    if (by == 0) return places;
    const int64_t bytes = bytes_[places];
    TraceNode start;
    start.op = OpCode::kIota;
    start.dtype = DType::kInt64;
    start.shape = {1};
    start.attribute = by;
    TraceNode sum;
    sum.op = OpCode::kAdd;
    sum.dtype = DType::kInt64;
    sum.shape = {bytes / ItemSize(DType::kInt64)};
    sum.operands = {{places, DType::kInt64, 0, {ItemSize(DType::kInt64)}},
                    {Add(std::move(start), ItemSize(DType::kInt64)),
                     DType::kInt64,
                     0,
                     {0}}};
    return Add(std::move(sum), bytes);
  }

  // An operation each, stored in one buffer.
  void EmitRegions(const Placed& p, const std::vector<Region>& regions,
                   const std::vector<std::vector<TraceOperand>>& operands,
                   Value& value) {
    const int64_t begin = Begin(value);
    const int64_t room = value.windows[rank_].hi - begin;
    const int64_t item = ItemSize(p.node.dtype);
    const Dims dense = DenseStrides(p.node.shape, item);
    value.node = Add(Unset(room), room);
    for (size_t i = 0; i < regions.size(); ++i) {
      TraceNode part = p.node;
      part.shape = regions[i].count;
      for (size_t k = 0; k < operands.size(); ++k)
        part.operands[k] = operands[k][i];
      TraceNode store;
      store.op = OpCode::kUpdate;
      store.dtype = p.node.dtype;
      store.shape = part.shape;
      store.write_strides = dense;
      store.write_offset = -begin;
      for (size_t d = 0; d < dense.size(); ++d)
        store.write_offset += regions[i].first[d] * dense[d];
      const Dims strides = DenseStrides(part.shape, item);
      const int32_t result = Add(std::move(part), Count(store.shape) * item);
      store.operands = {{value.node, DType::kUInt8, 0, {}},
                        {result, p.node.dtype, 0, strides}};
      value.node = Add(std::move(store), room);
    }
  }

  // An operation for each piece, stored one after the other.
  void EmitPieces(const Placed& p,
                  const std::vector<std::vector<TraceOperand>>& operands,
                  Value& value) {
    const std::vector<Piece>& pieces = p.work.pieces[rank_];
    const Distribution::Window window = value.windows[rank_];
    const int64_t room = window.hi - window.lo;
    const int64_t item = ItemSize(p.node.dtype);
    int64_t at = p.owned(rank_).lo - window.lo;
    const bool alone =
        pieces.size() == 1 && PieceBytes(p, pieces.front()) == room;
    if (!alone) value.node = Add(Unset(room), room);
    absl::InlinedVector<size_t, 2> read(operands.size(), 0);
    for (const Piece& piece : pieces) {
      TraceNode part = p.node;
      part.shape[p.work.dim] = piece.count;
      part.operands = {operands[piece.operand][read[piece.operand]++]};
      const int64_t bytes = PieceBytes(p, piece);
      const int32_t result = Add(std::move(part), bytes);
      if (alone) {
        value.node = result;
        return;
      }
      TraceNode store = partition::Store(
          value.node, at, {result, p.node.dtype, 0, {}}, bytes / item);
      value.node = Add(std::move(store), room);
      at += bytes;
    }
  }

  // Moves a result to a buffer with room for a halo. The operations are one
  // where they are compiled.
  void PutInRoom(const Placed& p, Value& value) {
    const Distribution::Window window = value.windows[rank_];
    const ByteRange computed = p.computed(rank_);
    if (window == Distribution::Window{computed.lo, computed.hi}) return;
    const int64_t item = ItemSize(p.node.dtype);
    TraceNode store;
    store.op = OpCode::kUpdate;
    store.dtype = p.node.dtype;
    store.shape = {(computed.hi - computed.lo) / item};
    store.write_offset = computed.lo - window.lo;
    store.write_strides = {item};
    const int32_t result = value.node;
    const int64_t bytes = window.hi - window.lo;
    store.operands = {{Add(Unset(bytes), bytes), DType::kUInt8, 0, {}},
                      {result, p.node.dtype, 0, {item}}};
    value.node = Add(std::move(store), bytes);
  }

  // Whether the node copies all of what an exchange has brought.
  bool IsExchanged(const TraceNode& node, int64_t bytes) {
    if (node.op != OpCode::kCopy) return false;
    const TraceOperand& o = node.operands[0];
    return local(o.value).op == OpCode::kExchange && o.offset == 0 &&
           bytes_[o.value] == bytes &&
           o.strides == DenseStrides(node.shape, ItemSize(o.dtype));
  }

  absl::Status EmitUpdate(int32_t index) {
    const Placed& p = placed(index);
    const int32_t old = p.node.operands[0].value;
    const std::vector<Region> regions = RegionsOf(p, rank_);
    FUSEAU_ASSIGN_OR_RETURN(std::vector<TraceOperand> reads,
                            Read(p, 1, plan_.reaches[index][1]));
    if (plan_.reaches[index][0] == Reach::kHalo) FillHaloOf(old);
    // After reading: it may have brought the old value's halo.
    Value& value = values_[index];
    if (p.work.kind == Work::kEverywhere) {
      FUSEAU_ASSIGN_OR_RETURN(std::vector<TraceOperand> whole,
                              Read(p, 0, plan_.reaches[index][0]));
      value.node = whole[0].value;
    } else {
      value.node = values_[old].node;
      value.windows = WindowsOfUpdate(p, values_[old]);
      if (p.owned(rank_).Empty()) value.node = -1;
    }
    const int64_t begin = Begin(value);
    for (size_t i = 0; i < regions.size(); ++i) {
      TraceNode node = p.node;
      node.shape = regions[i].count;
      node.write_offset -= begin;
      for (size_t d = 0; d < node.shape.size(); ++d)
        node.write_offset += regions[i].first[d] * node.write_strides[d];
      node.operands[0].value = value.node;
      node.operands[1] = std::move(reads[i]);
      value.node = Add(std::move(node), bytes_[value.node]);
    }
    return absl::OkStatus();
  }

  // A value that was whole on every rank leaves room for all of it.
  std::vector<Distribution::Window> WindowsOfUpdate(const Placed& p,
                                                    const Value& old) const {
    if (!old.windows.empty()) return old.windows;
    std::vector<Distribution::Window> windows(ranks_);
    for (int r = 0; r < ranks_; ++r) {
      if (p.owned(r).Empty()) {
        windows[r] = {p.cuts[r], p.cuts[r]};
      } else {
        windows[r] = {0, p.bytes};
      }
    }
    return windows;
  }

  const ir::Trace& global_;
  const Program& program_;
  const absl::Span<const Distribution> inputs_;
  const int rank_;
  const int ranks_;
  const PartitionOptions& options_;
  const ReadPlan plan_;
  std::vector<Value> values_;
  Partition out_;
  std::vector<int64_t> bytes_;  // of the storages of out_.trace.nodes
  int32_t exchange_ = -1;       // the last one
  int32_t nothing_ = -1;
  // Inputs whose room was filled, and their nodes.
  std::vector<std::pair<int32_t, int32_t>> halo_inputs_;
};

}  // namespace

absl::StatusOr<Partition> Emit(const ir::Trace& trace, const Program& program,
                               absl::Span<const Distribution> inputs, int rank,
                               const PartitionOptions& options) {
  return Emitter(trace, program, inputs, rank, options).Run();
}

}  // namespace fuseau::passes::partition

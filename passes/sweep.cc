// Finds neighbouring nests that may run tile by tile.
//
// Nests meet in buffers. If what one writes is touched by another only where
// both are at the same row, both can do a tile of rows before any of them goes
// on: the order of all that touch a byte stays. Row numbers may differ by a
// constant, as for updates of different windows of one array.
//
// A nest that reads neighbouring rows of what another one makes for it alone
// (a stencil of an exponential) joins, too: the other one then computes the
// rows around each tile again.

#include <algorithm>
#include <optional>

#include "passes/cost.h"
#include "passes/nest.h"
#include "passes/passes.h"

namespace fuseau::passes {

#define GEN_PASS_DEF_SWEEPPASS
#include "passes/passes.h.inc"

namespace {

namespace exec = ir::exec;
using mlir::Operation;
using mlir::Value;

// Each nest is compared with all others of its sweep.
constexpr int kMaxMembers = 16;

// How a nest walks a buffer.
struct Touch {
  Value buffer;
  Access access;
  int64_t item = 0;
  bool write = false;
};

// A nest in a sweep.
struct Member {
  exec::RunOp run;
  Dims space;
  std::vector<Touch> touches;
  bool tree = false;  // one full reduction; else its rows may be cut anywhere
  int64_t split = 1;  // its one dimension was cut into rows of that length
  int64_t first = 0;  // row 0 is this row of the sweep
  // Rows that it computes before and after those of a tile.
  int64_t before = 0;
  int64_t after = 0;

  int64_t rows() const { return space[0]; }
  ByteRange RowOf(const Touch& t) const {
    return RowExtent(t.access, space, t.item);
  }
};

std::optional<Member> MemberOf(exec::RunOp run) {
  Member m;
  m.run = run;
  m.space.assign(run.getSpace().begin(), run.getSpace().end());
  if (m.space.empty() || !run.getLagged().empty()) return std::nullopt;
  if (run.getReduced()[0]) {
    if (m.space.size() > 1 || IsSequential(run)) return std::nullopt;
    m.tree = true;
  }
  const std::vector<Access> in = DecodeMaps(run.getInMaps());
  const std::vector<Access> out = DecodeMaps(run.getOutMaps());
  size_t next = 0;
  for (size_t i = 0; i < in.size(); ++i)
    if (run.getKinds()[i] == kMemory)
      m.touches.push_back({run.getInputs()[next++], in[i],
                           ItemSizeOf(run.getInTypes()[i]), false});
  for (size_t i = 0; i < out.size(); ++i)
    m.touches.push_back(
        {run.getOutputs()[i], out[i], ItemSizeOf(run.getOutTypes()[i]), true});
  return m;
}

// The member with its one dimension cut into rows of `length`, if that can be.
std::optional<Member> Split(Member m, int64_t length) {
  if (length == 1) return m;
  if (m.tree || m.space.size() != 1 || length < 1 || m.space[0] % length != 0)
    return std::nullopt;
  m.space = {m.space[0] / length, length};
  for (Touch& t : m.touches)
    t.access.strides = {t.access.strides[0] * length, t.access.strides[0]};
  m.split = length;
  return m;
}

// How a nest meets an earlier one, in rows of that one.
struct Meeting {
  std::optional<int64_t> offset;  // where its row 0 is
  std::optional<int64_t> near;    // the same for what both only read
  // Of what the earlier one makes, row 0 reads these rows.
  int64_t low = 0;
  int64_t high = -1;

  bool ReadsRows() const { return low < high; }
};

// Nothing if they meet at different rows in another way than by reading.
std::optional<Meeting> Align(const Member& o, const Member& m) {
  Meeting meeting;
  auto fix = [&](int64_t at) {
    if (meeting.offset && *meeting.offset != at) return false;
    meeting.offset = at;
    return true;
  };
  for (const Touch& a : o.touches) {
    for (const Touch& b : m.touches) {
      if (a.buffer != b.buffer) continue;
      const int64_t step = a.access.strides[0];
      const bool parallel = step > 0 && b.access.strides[0] == step;
      const ByteRange row_a = o.RowOf(a), row_b = m.RowOf(b);
      if (!a.write && !b.write) {
        if (parallel && !meeting.near)
          meeting.near = FloorDiv(row_b.lo - row_a.lo, step);
        continue;
      }
      const auto all = [](const Member& x, const Touch& t) {
        return Extent(t.access.offset, x.space, t.access.strides, t.item);
      };
      if (!all(o, a).Intersects(all(m, b))) continue;
      if (!parallel) return std::nullopt;
      // Row k of the write meets row 0 of the other if
      //   k * step + w.lo < x.hi  and  k * step + w.hi > x.lo
      const ByteRange& w = a.write ? row_a : row_b;
      const ByteRange& x = a.write ? row_b : row_a;
      if (w.hi - w.lo > step) return std::nullopt;
      const int64_t low = FloorDiv(x.lo - w.hi, step) + 1;
      const int64_t high = -FloorDiv(-(x.hi - w.lo), step) - 1;
      if (low > high) continue;
      if (!b.write) {
        const bool is_first = meeting.low > meeting.high;
        meeting.low = is_first ? low : std::min(meeting.low, low);
        meeting.high = is_first ? high : std::max(meeting.high, high);
        continue;
      }
      if (low < high || !fix(a.write ? low : -low)) return std::nullopt;
    }
  }
  if (meeting.low == meeting.high && !fix(meeting.low)) return std::nullopt;
  return meeting;
}

class Group {
 public:
  explicit Group(int64_t tile_bytes) : tile_bytes_(tile_bytes) {}

  bool empty() const { return members_.empty(); }
  const std::vector<Member>& members() const { return members_; }

  void Start(Member m) { members_.assign(1, std::move(m)); }

  // Adds a nest that runs after all others, or says no.
  bool Add(const Member& m) {
    if (static_cast<int>(members_.size()) >= kMaxMembers) return false;
    for (int64_t length : RowLengths(m)) {
      std::vector<Member> all;
      bool fits = true;
      // What has one dimension is cut into the rows of those with more.
      for (const Member& o : members_) {
        auto part = m.space.size() > 1 ? Split(o, length) : o;
        fits = fits && part && Place(*part, all);
        if (!fits) break;
        all.push_back(std::move(*part));
      }
      auto last = m.space.size() > 1 ? m : Split(m, length);
      if (!fits || !last || !Place(*last, all)) continue;
      all.push_back(std::move(*last));
      if (!TreesFit(all) || !HalosFit(all)) continue;
      members_ = std::move(all);
      return true;
    }
    return false;
  }

  // Rows of a tile.
  int64_t Tile() const { return TileOf(members_); }

  bool Touches(Value buffer) const {
    for (const Member& m : members_)
      for (const Touch& t : m.touches)
        if (t.buffer == buffer) return true;
    return false;
  }

  // Rows [low, high) of the sweep.
  std::pair<int64_t, int64_t> Rows() const {
    int64_t low = members_[0].first, high = low;
    for (const Member& m : members_) {
      low = std::min(low, m.first);
      high = std::max(high, m.first + m.rows());
    }
    return {low, high};
  }

 private:
  int64_t TileOf(llvm::ArrayRef<Member> members) const {
    return tile_bytes_ / std::max<int64_t>(RowBytes(members), 1);
  }

  // What all members touch in a row, each buffer counted once.
  static int64_t RowBytes(llvm::ArrayRef<Member> members) {
    llvm::MapVector<Value, int64_t> bytes;
    for (const Member& m : members) {
      for (const Touch& t : m.touches) {
        if (t.access.strides[0] == 0) continue;
        int64_t row = t.item;
        for (size_t d = 1; d < m.space.size(); ++d)
          if (t.access.strides[d] != 0) row *= m.space[d];
        bytes[t.buffer] = std::max(bytes[t.buffer], row);
      }
    }
    int64_t sum = 0;
    for (const auto& [buffer, row] : bytes) sum += row;
    return sum;
  }

  // The lengths that rows of one-dimensional nests may need, beside the others.
  std::vector<int64_t> RowLengths(const Member& m) const {
    std::vector<int64_t> lengths = {1};
    for (const Member& o : members_) {
      const bool flat = m.space.size() == 1;
      if (flat == (o.space.size() == 1)) continue;
      for (const Touch& a : o.touches) {
        for (const Touch& b : m.touches) {
          if (a.buffer != b.buffer) continue;
          const int64_t one = (flat ? b : a).access.strides[0];
          const int64_t row = (flat ? a : b).access.strides[0];
          if (one > 0 && row > one && row % one == 0 &&
              !llvm::is_contained(lengths, row / one))
            lengths.push_back(row / one);
        }
      }
    }
    return lengths;
  }

  // Gives `m` its first row, and others the rows around a tile that it reads.
  static bool Place(Member& m, std::vector<Member>& others) {
    m.before = m.after = 0;
    std::optional<int64_t> first, near;
    std::vector<Meeting> meetings;
    for (const Member& o : others) {
      std::optional<Meeting> meeting = Align(o, m);
      if (!meeting) return false;
      if (meeting->offset) {
        if (first && *first != o.first + *meeting->offset) return false;
        first = o.first + *meeting->offset;
      }
      if (meeting->ReadsRows()) near = o.first + meeting->low;
      if (meeting->near && !near) near = o.first + *meeting->near;
      meetings.push_back(*meeting);
    }
    if (!first) first = near;
    // Nothing in common: nothing to gain.
    if (!first && !others.empty()) return false;
    m.first = first.value_or(0);
    for (size_t i = 0; i < others.size(); ++i) {
      if (!meetings[i].ReadsRows()) continue;
      Member& o = others[i];
      o.before = std::max(o.before, m.first - o.first - meetings[i].low);
      o.after = std::max(o.after, o.first + meetings[i].high - m.first);
    }
    return true;
  }

  // Rows that are computed again must be seen by the sweep alone, and nothing
  // may change what they are computed from.
  bool HalosFit(llvm::ArrayRef<Member> members) const {
    for (const Member& o : members) {
      if (o.before == 0 && o.after == 0) continue;
      if ((o.before + o.after) * kTileHalos > TileOf(members)) return false;
      for (const Member& m : members) {
        if (m.tree) return false;
        if (m.run == o.run) continue;
        for (const Touch& t : m.touches)
          if (t.write && IsTouched(o, t.buffer)) return false;
      }
      for (const Touch& t : o.touches)
        if (t.write && !OnlyUsedBy(members, t.buffer)) return false;
    }
    return true;
  }

  static bool IsTouched(const Member& m, Value buffer) {
    return llvm::any_of(m.touches,
                        [&](const Touch& t) { return t.buffer == buffer; });
  }

  // Whether a buffer will exist for one tile at a time, and its writer does not
  // read it.
  static bool OnlyUsedBy(llvm::ArrayRef<Member> members, Value buffer) {
    if (!buffer.getDefiningOp<exec::AllocOp>()) return false;
    for (Operation* user : buffer.getUsers()) {
      if (mlir::isa<exec::FreeOp>(user)) continue;
      if (llvm::none_of(members,
                        [&](const Member& m) { return m.run == user; }))
        return false;
    }
    return llvm::all_of(members, [&](const Member& m) {
      bool reads = false, writes = false;
      for (const Touch& t : m.touches)
        if (t.buffer == buffer) (t.write ? writes : reads) = true;
      return !(reads && writes);
    });
  }

  // A full reduction is cut at the nodes of its tree, which real and complex
  // numbers do not share.
  static bool TreesFit(llvm::ArrayRef<Member> members) {
    bool real = false, complex = false;
    for (const Member& m : members) {
      if (!m.tree) continue;
      exec::RunOp run = m.run;
      for (mlir::Attribute type : run.getOutTypes()) {
        const bool parts = mlir::isa<mlir::ComplexType>(
            mlir::cast<mlir::TypeAttr>(type).getValue());
        (parts ? complex : real) = true;
      }
    }
    if (!real && !complex) return true;
    if (real && complex) return false;
    return llvm::all_of(members, [&](const Member& m) {
      return m.first == members[0].first && m.rows() == members[0].rows();
    });
  }

  const int64_t tile_bytes_;
  std::vector<Member> members_;
};

class Sweeper {
 public:
  Sweeper(mlir::func::FuncOp function, int64_t tile_bytes)
      : b_(function.getLoc(), function.getContext()),
        block_(function.getBody().front()),
        tile_bytes_(tile_bytes),
        group_(std::in_place, tile_bytes) {}

  void Run() {
    // Emitting a sweep moves and erases only what comes before this operation.
    std::vector<Operation*> ops;
    int64_t bytes = 0;
    for (Operation& op : block_) {
      ops.push_back(&op);
      if (auto alloc = mlir::dyn_cast<exec::AllocOp>(op))
        bytes += alloc.getBytes();
      if (auto input = mlir::dyn_cast<exec::InputOp>(op))
        bytes += input.getBytes();
    }
    if (bytes < kMinTiles * tile_bytes_) return;
    for (Operation* op : ops) {
      if (auto run = mlir::dyn_cast<exec::RunOp>(op)) {
        std::optional<Member> m = MemberOf(run);
        if (m && !group_->empty() && group_->Add(*m)) continue;
        Close();
        if (m) group_->Start(std::move(*m));
      } else if (mlir::isa<exec::CopyOp, exec::FillOp, exec::RoutineOp>(op)) {
        if (llvm::any_of(op->getOperands(),
                         [&](Value v) { return group_->Touches(v); }))
          Close();
      }
    }
    Close();
  }

 private:
  void Close() {
    if (group_->members().size() > 1) Emit();
    group_.emplace(tile_bytes_);
  }

  void Emit() {
    const auto [low, high] = group_->Rows();
    const int64_t rows = high - low, tile = group_->Tile();
    if (tile < 1 || rows / tile < kMinTiles) return;
    Operation* last = group_->members().back().run;
    b_.setInsertionPoint(last);
    llvm::SmallVector<int64_t> first, halo;
    for (const Member& m : group_->members()) {
      first.push_back(m.first - low);
      halo.append({m.before, m.after});
    }
    auto sweep = exec::SweepOp::create(b_, rows, tile, first, halo);
    sweep.getBody().emplaceBlock();
    mlir::Block* body = &sweep.getBody().front();
    for (const Member& m : group_->members()) {
      SetRows(m);
      m.run->moveBefore(body, body->end());
    }
    llvm::SmallVector<Value> buffers;
    for (const Member& m : group_->members())
      for (const Touch& t : m.touches)
        if (!llvm::is_contained(buffers, t.buffer)) buffers.push_back(t.buffer);
    for (Value buffer : buffers) {
      if (Shrink(buffer, sweep, low)) continue;
      // What was freed in between is freed after the sweep.
      for (Operation* user : buffer.getUsers())
        if (mlir::isa<exec::FreeOp>(user) && user->isBeforeInBlock(sweep))
          user->moveAfter(sweep);
    }
  }

  void SetRows(const Member& m) {
    if (m.split == 1) return;
    exec::RunOp run = m.run;
    auto split = [&](Access a) {
      if (a.strides.size() == 1)
        a.strides = {a.strides[0] * m.split, a.strides[0]};
      return a;
    };
    std::vector<Access> in = DecodeMaps(run.getInMaps());
    std::vector<Access> out = DecodeMaps(run.getOutMaps());
    std::transform(in.begin(), in.end(), in.begin(), split);
    std::transform(out.begin(), out.end(), out.begin(), split);
    run.setSpace(llvm::ArrayRef<int64_t>(m.space));
    run.setReduced({false, false});
    run.setInMapsAttr(EncodeMaps(b_.getContext(), in));
    run.setOutMapsAttr(EncodeMaps(b_.getContext(), out));
  }

  // A buffer that only the sweep uses exists for one tile at a time; false if
  // others need it.
  bool Shrink(Value buffer, exec::SweepOp sweep, int64_t low_row) {
    auto alloc = buffer.getDefiningOp<exec::AllocOp>();
    if (!alloc) return false;
    Operation* free = nullptr;
    for (Operation* user : buffer.getUsers()) {
      if (mlir::isa<exec::FreeOp>(user))
        free = user;
      else if (user->getParentOp() != sweep)
        return false;
    }
    int64_t stride = 0, low = 0, high = 0;
    bool seen = false;
    for (const Member& m : group_->members()) {
      for (const Touch& t : m.touches) {
        if (t.buffer != buffer) continue;
        const ByteRange row = m.RowOf(t);
        const int64_t step = t.access.strides[0];
        if (step <= 0 || (seen && step != stride)) return false;
        const int64_t back = (m.first - low_row) * step;
        low = seen ? std::min(low, row.lo - back) : row.lo - back;
        high = seen ? std::max(high, row.hi - back) : row.hi - back;
        stride = step;
        seen = true;
      }
    }
    b_.setInsertionPointToStart(&sweep.getBody().front());
    auto tile = exec::TileBufferOp::create(
        b_, buffer.getType(), alloc.getBytes(), low, stride, high - low);
    if (free) free->erase();
    buffer.replaceAllUsesWith(tile);
    alloc.erase();
    return true;
  }

  mlir::ImplicitLocOpBuilder b_;
  mlir::Block& block_;
  const int64_t tile_bytes_;
  std::optional<Group> group_;  // always there
};

struct SweepPass : impl::SweepPassBase<SweepPass> {
  using SweepPassBase::SweepPassBase;
  void runOnOperation() override {
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      Sweeper(function, tile_bytes).Run();
  }
};

}  // namespace
}  // namespace fuseau::passes

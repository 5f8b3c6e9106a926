#include "passes/partition/placement.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "passes/partition/chains.h"
#include "passes/partition/extremes.h"
#include "passes/partition/products.h"
#include "passes/partition/rows.h"
#include "passes/partition/selections.h"
#include "passes/partition/sorts.h"
#include "passes/partition/sums.h"
#include "passes/partition/uses.h"

namespace fuseau::passes::partition {
namespace {

using ir::Family;
using ir::OpCode;
using ir::TraceNode;
using ir::TraceOperand;

// Rows of floats that are added in order are brought together by columns, in
// one exchange. Fewer columns than ranks are added by as many ranks, if that is
// sooner done than by all of them one after the other, and these get no more
// than so many times their share.
constexpr int64_t kFewestColumns = 4;
// A chain of ranks, one after the other, in blocks of columns is sooner done
// than that exchange, which moves all of the rows, up to so many ranks for each
// block.
constexpr int64_t kRanksPerBlock = 8;
constexpr int64_t kMostShares = 8;
// So many numbers are added in order sooner than a rank hears of another.
constexpr int64_t kAddedPerMessage = 1024;
// Shorter rows of floats are summed by one rank each.
constexpr int64_t kLongRow = 4096;
// Fewer rows than this for each rank are not what is cut.
constexpr int64_t kRowsPerRank = 4;

class Placer {
 public:
  Placer(const ir::Trace& trace, absl::Span<const Distribution> inputs,
         int ranks, const PartitionOptions& options)
      : trace_(trace),
        inputs_(inputs),
        ranks_(ranks),
        min_bytes_(options.min_bytes),
        min_product_(options.min_product),
        uses_(FindUses(trace)),
        out_(&program_) {
    program_.ranks = ranks;
  }

  Program Run() {
    size_t next_input = 0;
    for (size_t i = 0; i < trace_.nodes.size(); ++i) {
      current_ = static_cast<int32_t>(i);
      TraceNode node = trace_.nodes[i];
      for (TraceOperand& o : node.operands) o.value = program_.values[o.value];
      if (node.op == OpCode::kInput) {
        program_.values.push_back(Input(node, inputs_[next_input++]));
      } else if (node.op == OpCode::kUpdate) {
        program_.values.push_back(Update(node));
      } else {
        program_.values.push_back(Compute(node));
      }
    }
    return std::move(program_);
  }

 private:
  const Placed& placed(int32_t i) const { return program_.nodes[i]; }
  int Parts(int64_t bytes) const { return PartsOf(bytes, ranks_, min_bytes_); }
  bool Large(int64_t bytes) const { return Parts(bytes) > 1; }

  // On how many ranks an operation is cut evenly: as many as its result or what
  // it reads is worth.
  int PartsFor(const TraceNode& node) const {
    int64_t most = ResultBytes(node);
    for (const TraceOperand& o : node.operands) {
      int64_t bytes = ItemSize(o.dtype);
      for (size_t d = 0; d < o.strides.size(); ++d)
        if (o.strides[d] != 0) bytes *= node.shape[d];
      most = std::max(most, bytes);
    }
    return Parts(most);
  }

  int32_t Input(const TraceNode& node, const Distribution& from) {
    const int32_t input = out_.Everywhere(node);
    Placed& made = program_.nodes[input];
    if (from.kind == Distribution::kCut) made.cuts = from.cuts;
    if (from.kind != Distribution::kRoot) return input;
    made.cuts.assign(ranks_ + 1, made.bytes);
    made.cuts[0] = 0;
    // All is cheaper to read in parts, or from a copy of one's own.
    TraceNode copy;
    copy.op = OpCode::kCopy;
    copy.dtype = DType::kUInt8;
    copy.shape = node.shape;
    copy.operands = {{input, DType::kUInt8, 0, {1}}};
    if (!Large(made.bytes)) return out_.Everywhere(copy);
    return out_.Rows(copy, 0, EvenRows(copy, 0));
  }

  int32_t Update(TraceNode node) {
    const int32_t old = node.operands[0].value;
    if (Count(node.shape) == 0) return old;
    TraceNode collapsed = node;
    const bool regular = CollapseUpdate(collapsed);
    const bool cut = placed(old).cut() || Large(placed(old).bytes);
    if (!cut) return out_.Everywhere(regular ? collapsed : node);
    if (!regular || !WritesWholeElements(collapsed)) {
      return Gathered(std::move(node));
    }
    std::vector<int64_t> cuts = placed(old).cuts;
    if (cuts.empty()) {
      const int64_t bytes = placed(old).bytes;
      const int parts = Parts(bytes);
      cuts = EvenCuts(ranks_, bytes, RowUnit(bytes, 1, parts), parts);
    }
    return out_.Update(collapsed, std::move(cuts));
  }

  // Whether no element that an update writes belongs to two ranks.
  bool WritesWholeElements(const TraceNode& node) const {
    const Placed& old = placed(node.operands[0].value);
    if (!old.cut()) return true;
    Box box;
    box.offset = node.write_offset;
    box.run = ItemSize(node.dtype);
    box.shape = node.shape;
    box.strides = node.write_strides;
    for (int r = 0; r < ranks_; ++r) {
      for (const Region& region : Clip(box, old.owned(r))) {
        if (region.run_bytes != box.run) return false;
      }
    }
    return true;
  }

  int32_t Compute(TraceNode node) {
    if (node.op == OpCode::kScalar || Count(node.shape) == 0) {
      return out_.Everywhere(node);
    }
    switch (ir::RowOf(node.op).family) {
      case Family::kElementwise:
        Collapse(node);
        return Elementwise(node);
      case Family::kReduction:
        return Reduction(std::move(node));
      case Family::kRoutine:
        return Routine(std::move(node));
      case Family::kStructure:
        return Elementwise(node);  // an iota
    }
    __builtin_unreachable();
  }

  int32_t Elementwise(const TraceNode& node) {
    const int dim = CutDimension(node);
    if (dim == 0 && node.shape.size() > 1 &&
        node.shape[0] < kRowsPerRank * PartsFor(node)) {
      return FewRows(node);
    }
    if (auto rows = RowsOfUpdate(node, RowCount(node, dim)))
      return out_.Rows(node, dim, *rows);
    if (dim < 0) return out_.Everywhere(node);
    if (auto rows = RowsOfOperands(node, dim))
      return out_.Rows(node, dim, *rows);
    if (ReadsCut(node, dim) || Large(ResultBytes(node)))
      return out_.Rows(node, dim, EvenRows(node, dim));
    return out_.Everywhere(node);
  }

  // Cut anywhere, since rows would give some ranks too much.
  int32_t FewRows(const TraceNode& node) {
    const int64_t count = Count(node.shape), item = ItemSize(node.dtype);
    auto elements = RowsOfUpdate(node, count);
    if (!elements) elements = ElementsOfOperands(node);
    if (!elements) {
      if (!ReadsAnyCut(node) && !Large(count * item))
        return out_.Everywhere(node);
      const int parts = PartsFor(node);
      elements = EvenCuts(ranks_, count,
                          RowUnit(count * item, item, parts) / item, parts);
    }
    for (int64_t& element : *elements) element *= item;
    return out_.Elements(node, *std::move(elements));
  }

  int32_t Reduction(TraceNode node) {
    if (!JoinsInAnyOrder(node)) NormalizeSum(node);
    const TraceOperand& operand = node.operands[0];
    const int dim = CutDimension(node);
    if (!placed(operand.value).cut()) {
      if (dim < 0 || !Large(ResultBytes(node))) return out_.Everywhere(node);
      return out_.Rows(node, dim, EvenRows(node, dim));
    }
    const int outer = OutermostDimension(node, operand);
    if (HasFewLongRows(node)) return SumsOfLongRows(node);
    if (dim >= 0 && (outer < 0 || outer == dim)) return InRows(node, dim);
    if (outer >= 0 && node.reduced[outer]) {
      if (JoinsInAnyOrder(node)) {
        return Join(PlacePartials(node, outer, OwnedRows(node, outer), out_));
      }
      if (node.op == OpCode::kSum && node.reduced.back()) {
        if (node.shape.size() == 1)
          return PlaceTreeSum(node, OwnedRows(node, 0), out_);
        if (std::count(node.reduced.begin(), node.reduced.end(), true) > 1)
          return SumOfRows(node);
      }
    }
    const bool chains = outer == 0 && node.reduced[0] && CanChain(node);
    const int64_t blocks = chains ? ChainBlocks(node) : 0;
    if (dim >= 0 && AddsByColumns(node.shape[dim]) &&
        ranks_ > kRanksPerBlock * blocks) {
      return InRows(node, dim);
    }
    if (dim < 0 && Count(node.shape) <= kAddedPerMessage * ranks_)
      return out_.Everywhere(node);
    if (chains) {
      const int32_t last = PlaceChain(node, OwnedRows(node, 0),
                                      std::max<int64_t>(1, blocks), out_);
      return Stored() ? last : Shared(last, node.dtype);
    }
    if (dim >= 0) return InRows(node, dim);
    return Gathered(std::move(node));
  }

  // In how many blocks of results a chain goes: so many that a rank has some
  // work for each message, and reads more than a few lines of the cache a row.
  // None if all of its rows are no more than that work.
  int64_t ChainBlocks(const TraceNode& node) const {
    constexpr int64_t kBlockWork = int64_t{256} << 10;
    constexpr int64_t kBlockRow = 8192;
    constexpr int64_t kMostBlocks = 16;
    const int dim = CutDimension(node);
    const int64_t work = Count(node.shape) * ItemSize(node.dtype) / ranks_;
    const int64_t most =
        std::min({work / kBlockWork, ResultBytes(node) / kBlockRow, kMostBlocks,
                  dim >= 0 ? node.shape[dim] : 1});
    return work < kBlockWork ? 0 : std::max<int64_t>(1, most);
  }

  bool AddsByColumns(int64_t columns) const {
    return columns >= ranks_ ||
           (columns >= kFewestColumns && columns * kMostShares >= ranks_);
  }

  // Whether parts of the rows of dimension 0 can be joined one after the other.
  bool CanChain(const TraceNode& node) const {
    const TraceOperand& operand = node.operands[0];
    return operand.strides[0] > 0 && operand.dtype == node.dtype &&
           // A product with 1 + 0j is not the number itself.
           !(node.op == OpCode::kProd && IsComplex(node.dtype));
  }

  bool Stored() const { return uses_[current_].stored_by >= 0; }

  // A copy on every rank, unless the value is large.
  int32_t Shared(int32_t value, DType dtype) {
    const Placed& p = placed(value);
    if (Large(p.bytes)) return value;
    TraceNode copy;
    copy.op = OpCode::kCopy;
    copy.dtype = dtype;
    const int64_t item = ItemSize(copy.dtype);
    copy.shape = {p.bytes / item};
    copy.operands = {{value, copy.dtype, 0, {item}}};
    Collapse(copy);
    return out_.Everywhere(copy);
  }

  // What joins partial results, or the sums of rows.
  int32_t Join(const TraceNode& node) {
    const int dim = CutDimension(node);
    if (dim < 0) return out_.Everywhere(node);
    if (auto rows = RowsOfUpdate(node, RowCount(node, dim)))
      return out_.Rows(node, dim, *rows);
    if (!Large(ResultBytes(node))) return out_.Everywhere(node);
    return out_.Rows(node, dim, EvenRows(node, dim));
  }

  // Whether sums of rows of floats are fewer than the ranks, whose parts each
  // are worth a tree.
  bool HasFewLongRows(const TraceNode& node) const {
    if (node.op != OpCode::kSum || JoinsInAnyOrder(node)) return false;
    const int64_t rows = Count(node.shape) / node.shape.back();
    return node.reduced.back() && rows > 1 && rows < ranks_ &&
           std::count(node.reduced.begin(), node.reduced.end(), true) == 1 &&
           std::abs(node.operands[0].strides.back()) > 0 &&
           node.shape.back() * ItemSize(node.dtype) >= min_bytes_ &&
           node.shape.back() >= kLongRow;
  }

  // Every row is a sum of all ranks.
  int32_t SumsOfLongRows(const TraceNode& node) {
    const TraceOperand& operand = node.operands[0];
    const int64_t item = ItemSize(node.dtype);
    const int64_t rows = Count(node.shape) / node.shape.back();
    int32_t sums = out_.Everywhere(Unset(rows * item));
    const Dims outer(node.shape.begin(), node.shape.end() - 1);
    const Dims strides(operand.strides.begin(), operand.strides.end() - 1);
    for (int64_t i = 0; i < rows; ++i) {
      TraceNode row = node;
      row.shape = {node.shape.back()};
      row.reduced = {true};
      row.operands[0].offset = PlaceOf(i, outer, strides, operand.offset);
      row.operands[0].strides = {operand.strides.back()};
      const int32_t sum = PlaceTreeSum(row, OwnedRows(row, 0), out_);
      TraceNode store;
      store.op = OpCode::kUpdate;
      store.dtype = node.dtype;
      store.write_offset = i * item;
      store.operands = {{sums, DType::kUInt8, 0, {}}, {sum, node.dtype, 0, {}}};
      sums = out_.Everywhere(store);
    }
    return sums;
  }

  // A sum whose innermost dimension vanishes, and others: the sums of rows are
  // added one after the other.
  int32_t SumOfRows(const TraceNode& node) {
    TraceNode rows = node;
    std::fill(rows.reduced.begin(), rows.reduced.end() - 1, false);
    TraceNode sum = node;
    sum.op = OpCode::kOrderedSum;
    sum.shape.pop_back();
    sum.reduced.pop_back();
    const int32_t value = Reduction(std::move(rows));
    sum.operands[0] = {value, node.dtype, 0,
                       DenseStrides(sum.shape, ItemSize(node.dtype))};
    return Reduction(std::move(sum));
  }

  int32_t Routine(TraceNode node) {
    const int dim = CutDimension(node);
    if (node.op == OpCode::kMatmul && IsSmallProduct(node))
      return out_.Everywhere(node);
    if (node.op == OpCode::kMatmul) {
      if (auto rows = SummedRows(node))
        return Join(PlacePartialProducts(node, *rows, out_));
    }
    if (node.op == OpCode::kMatmul && HasLargeRight(node))
      return PlaceProduct(node, RowsFor(node, dim), out_);
    if (const int outer = RowsOwned(node); outer >= 0) {
      if (node.op == OpCode::kBincount)
        return Join(PlacePartials(node, outer, OwnedRows(node, outer), out_));
      if (dim < 0 || node.shape[outer] >= kRowsPerRank * ranks_)
        return PlaceOfExtreme(node, outer);
    }
    if (dim >= 0 && (ReadsAnyCut(node) || Large(ResultBytes(node))))
      return InRows(node, dim);
    if (IsSelection(node) && ReadsAnyCut(node)) return Selection(node);
    if (dim < 0 && IsTransform(node) && ReadsAnyCut(node))
      return Transform(node);
    if (dim < 0 && IsSort(node) &&
        (ReadsAnyCut(node) || Large(ResultBytes(node)))) {
      return Sort(node);
    }
    if (dim < 0 && IsRunning(node) && CanChain(node) &&
        placed(node.operands[0].value).cut() &&
        OutermostDimension(node, node.operands[0]) == node.attribute) {
      return PlaceRunningChain(node, OwnedRows(node, 0), out_);
    }
    return ReadsAnyCut(node) ? Gathered(std::move(node))
                             : out_.Everywhere(node);
  }

  // Whether a product is to have the bits of one rank, and little is gathered
  // for that.
  bool IsSmallProduct(const TraceNode& node) const {
    constexpr int64_t kLittle = int64_t{1} << 20;
    int64_t bytes = 0;
    for (const TraceOperand& o : node.operands)
      if (placed(o.value).cut()) bytes += placed(o.value).bytes;
    return Count(node.shape) < min_product_ && bytes <= kLittle;
  }

  // The rows of the dimension that a product sums over, of which ranks have
  // some each, if all ranks' results together are little beside an operand.
  std::optional<std::vector<RowRange>> SummedRows(const TraceNode& node) const {
    constexpr int64_t kShare = 4;
    if (node.shape.size() != 3) return std::nullopt;
    constexpr int kInner = 2;
    const auto along = [&](const TraceOperand& o) {
      return placed(o.value).cut() && o.strides[kInner] > 0 &&
             OutermostDimension(node, o) == kInner;
    };
    for (const TraceOperand& o : node.operands)
      if (placed(o.value).cut() && !along(o)) return std::nullopt;
    for (const TraceOperand& o : node.operands) {
      if (!along(o) ||
          ResultBytes(node) * ranks_ * kShare > placed(o.value).bytes) {
        continue;
      }
      const std::vector<int64_t> rows = OwnedRows(node, kInner, o);
      std::vector<RowRange> ranges;
      for (int r = 0; r < ranks_; ++r) ranges.push_back({rows[r], rows[r + 1]});
      return ranges;
    }
    return std::nullopt;
  }

  // Whether the right operand of a product, which every rank reads, is cut and
  // larger than what a rank has of the left one and the result.
  bool HasLargeRight(const TraceNode& node) const {
    const size_t row = node.shape.size() - 3;
    if (CutDimension(node) != static_cast<int>(row)) return false;
    if (!placed(node.operands[1].value).cut()) return false;
    const int64_t m = node.shape[row], n = node.shape[row + 1];
    const int64_t k = node.shape[row + 2];
    return n * k > m * (n + k) / ranks_;
  }

  // The dimension that vanishes and of which ranks have rows, of a search or a
  // count; -1 if there is none.
  int RowsOwned(const TraceNode& node) const {
    if (node.op != OpCode::kArgmax && node.op != OpCode::kArgmin &&
        node.op != OpCode::kBincount) {
      return -1;
    }
    if (!placed(node.operands[0].value).cut()) return -1;
    const int outer = OutermostDimension(node, node.operands[0]);
    return outer >= 0 && node.reduced[outer] ? outer : -1;
  }

  // Each rank searches its rows; then the extremes are searched.
  int32_t PlaceOfExtreme(const TraceNode& node, int dim) {
    const Extremes extremes =
        PlaceExtremes(node, dim, OwnedRows(node, dim), out_);
    const int32_t winners = Join(WinnersOf(node, dim, extremes));
    return Join(PlacesOf(node, dim, extremes, winners));
  }

  // Along the dimension that the result would be cut in. Lines are brought
  // together if each rank gets one; else all ranks sort each of them.
  int32_t Sort(const TraceNode& node) {
    const auto axis = static_cast<size_t>(node.attribute);
    const int64_t count = Count(node.shape) / node.shape[axis];
    if (count == 1 || count < ranks_) return PlaceSort(node, out_);
    return InLines(node, node.shape.size());
  }

  // The same of a transform, whose lines no rank can do in part.
  int32_t Transform(const TraceNode& node) {
    const size_t kept = node.shape.size() - 1;
    const int64_t count = ResultBytes(node) / ItemSize(node.dtype) /
                          node.shape[static_cast<size_t>(node.attribute)];
    return count < ranks_ ? Gathered(node) : InLines(node, kept);
  }

  // Lines along the dimension that the result would be cut in are brought
  // together, and their results are brought back. The first `kept` dimensions
  // are those of the result.
  int32_t InLines(const TraceNode& node, size_t kept) {
    const auto last = static_cast<std::ptrdiff_t>(kept);
    TraceNode lines = node;
    const auto to_end = [&](Dims& dims) {
      std::rotate(dims.begin() + node.attribute,
                  dims.begin() + node.attribute + 1, dims.begin() + last);
    };
    to_end(lines.shape);
    for (TraceOperand& o : lines.operands) to_end(o.strides);
    lines.attribute = last - 1;
    const int dim = CutDimension(lines);
    auto rows = RowsOfOperands(lines, dim);
    if (!rows) rows = EvenRows(lines, dim);
    TraceNode back;
    back.op = OpCode::kCopy;
    back.dtype = node.dtype;
    back.shape.assign(node.shape.begin(), node.shape.begin() + last);
    Dims strides =
        DenseStrides(absl::MakeConstSpan(lines.shape).subspan(0, kept),
                     ItemSize(node.dtype));
    std::rotate(strides.begin() + node.attribute, strides.end() - 1,
                strides.end());
    back.operands = {
        {out_.Rows(lines, dim, *rows), node.dtype, 0, std::move(strides)}};
    Collapse(back);
    return Elementwise(back);
  }

  // Each rank searches its rows of the mask. What is selected is cut evenly.
  int32_t Selection(TraceNode node) {
    CollapseMask(node);
    const int dim = MaskDimension(node);
    if (dim < 0) return out_.Everywhere(node);
    auto rows = RowsOfOperands(node, dim);
    if (!rows) {
      const int parts = PartsFor(node);
      rows = EvenCuts(ranks_, node.shape[dim], /*unit=*/1, parts);
    }
    const int64_t bytes = ResultBytes(node);
    const int64_t unit = bytes / node.shape[0];
    auto cuts = RowsOfUpdate(node, node.shape[0]);
    if (!cuts) {
      const int parts = Parts(bytes);
      cuts = EvenCuts(ranks_, node.shape[0], RowUnit(bytes, unit, parts) / unit,
                      parts);
    }
    for (int64_t& cut : *cuts) cut *= unit;
    const int32_t value =
        PlaceSelection(node, dim, *std::move(rows), *std::move(cuts), out_);
    return Stored() ? value : Shared(value, node.dtype);
  }

  int32_t InRows(const TraceNode& node, int dim) {
    return out_.Rows(node, dim, RowsFor(node, dim));
  }
  std::vector<int64_t> RowsFor(const TraceNode& node, int dim) const {
    if (auto rows = RowsOfUpdate(node, RowCount(node, dim))) return *rows;
    if (auto rows = RowsOfOperands(node, dim)) return *rows;
    return EvenRows(node, dim);
  }

  // Every rank reads all of the operands.
  int32_t Gathered(TraceNode node) {
    const char* name = ir::RowOf(node.op).name;
    const auto same = [&](const char* other) {
      return std::strcmp(name, other) == 0;
    };
    auto& gathered = program_.gathered;
    if (std::none_of(gathered.begin(), gathered.end(), same))
      gathered.push_back(name);
    return out_.Everywhere(node);
  }

  // --- Who reads what ------------------------------------------------------

  bool ReadsAnyCut(const TraceNode& node) const {
    return std::any_of(
        node.operands.begin(), node.operands.end(),
        [&](const TraceOperand& o) { return placed(o.value).cut(); });
  }
  // Whether a cut value is read that differs from row to row.
  bool ReadsCut(const TraceNode& node, int dim) const {
    return std::any_of(node.operands.begin(), node.operands.end(),
                       [&](const TraceOperand& o) {
                         return placed(o.value).cut() && o.strides[dim] != 0;
                       });
  }

  static bool JoinsInAnyOrder(const TraceNode& node) {
    if (node.op == OpCode::kSum || node.op == OpCode::kProd ||
        node.op == OpCode::kOrderedSum) {
      return !IsFloat(node.dtype) && !IsComplex(node.dtype);
    }
    return true;
  }

  // --- Rows ----------------------------------------------------------------

  static int64_t RowCount(const TraceNode& node, int dim) {
    return dim < 0 ? 1 : node.shape[dim];
  }

  // `count` equal parts of the result by who owns what they are written to in
  // the end.
  std::optional<std::vector<int64_t>> RowsOfUpdate(const TraceNode& node,
                                                   int64_t count) const {
    const int32_t stored = uses_[current_].stored_by;
    if (stored < 0) return std::nullopt;
    const TraceNode& update = trace_.nodes[stored];
    int32_t old = update.operands[0].value;
    while (trace_.nodes[old].op == OpCode::kUpdate)
      old = trace_.nodes[old].operands[0].value;
    if (old >= current_) return std::nullopt;  // not placed yet
    const Placed& base = placed(program_.values[old]);
    if (!base.cut() || !Ascends(update.shape, update.write_strides))
      return std::nullopt;
    const int64_t row = ResultBytes(node) / ItemSize(node.dtype) / count;
    return RowsBy(ranks_, count, base.cuts, [&](int64_t i) {
      return PlaceOf(i * row, update.shape, update.write_strides,
                     update.write_offset);
    });
  }

  // Elements of the result by who owns those of the largest operand, if work is
  // not too uneven then.
  std::optional<std::vector<int64_t>> ElementsOfOperands(
      const TraceNode& node) const {
    const TraceOperand* best = nullptr;
    for (const TraceOperand& o : node.operands) {
      if (!placed(o.value).cut() || !Ascends(node.shape, o.strides)) continue;
      if (best == nullptr || ItemSize(o.dtype) > ItemSize(best->dtype))
        best = &o;
    }
    if (best == nullptr) return std::nullopt;
    std::vector<int64_t> elements = RowsBy(
        ranks_, Count(node.shape), placed(best->value).cuts, [&](int64_t i) {
          return PlaceOf(i, node.shape, best->strides, best->offset);
        });
    if (Large(ResultBytes(node)) && Uneven(elements, PartsFor(node)))
      return std::nullopt;
    return elements;
  }

  // Rows by who owns the largest operand, if work is not too uneven then.
  std::optional<std::vector<int64_t>> RowsOfOperands(const TraceNode& node,
                                                     int dim) const {
    const TraceOperand* best = nullptr;
    int64_t most = 0;
    for (const TraceOperand& o : node.operands) {
      if (!placed(o.value).cut() || o.strides[dim] <= 0 ||
          OutermostDimension(node, o) != dim) {
        continue;
      }
      int64_t bytes = ItemSize(o.dtype);
      for (size_t d = 0; d < node.shape.size(); ++d)
        if (o.strides[d] != 0) bytes *= node.shape[d];
      if (bytes <= most) continue;
      most = bytes;
      best = &o;
    }
    if (best == nullptr) return std::nullopt;
    std::vector<int64_t> rows = OwnedRows(node, dim, *best);
    if (Large(ResultBytes(node)) && Uneven(rows, PartsFor(node)))
      return std::nullopt;
    return rows;
  }

  // Rows of `dim` by who owns their first bytes in the operand. Ascending; of
  // an operand that goes backwards, the rows are counted from the end.
  std::vector<int64_t> OwnedRows(const TraceNode& node, int dim,
                                 const TraceOperand& operand) const {
    const int64_t n = node.shape[dim], stride = operand.strides[dim];
    int64_t first = operand.offset;
    for (size_t d = 0; d < node.shape.size(); ++d) {
      if (operand.strides[d] < 0)
        first += operand.strides[d] * (node.shape[d] - 1);
    }
    return RowsBy(ranks_, n, placed(operand.value).cuts,
                  [&](int64_t i) { return first + i * std::abs(stride); });
  }

  // The rows of `dim` of each rank, for a reduction along it.
  std::vector<RowRange> OwnedRows(const TraceNode& node, int dim) const {
    const TraceOperand& operand = node.operands[0];
    const std::vector<int64_t> rows = OwnedRows(node, dim, operand);
    const int64_t n = node.shape[dim];
    std::vector<RowRange> ranges;
    for (int r = 0; r < ranks_; ++r) {
      if (operand.strides[dim] < 0) {
        ranges.push_back({n - rows[r + 1], n - rows[r]});
      } else {
        ranges.push_back({rows[r], rows[r + 1]});
      }
    }
    return ranges;
  }

  std::vector<int64_t> EvenRows(const TraceNode& node, int dim) const {
    const int64_t n = RowCount(node, dim);
    const int64_t bytes = ResultBytes(node);
    const int64_t row = bytes / n;
    const int parts = PartsFor(node);
    return EvenCuts(ranks_, n, RowUnit(bytes, row, parts) / row, parts);
  }

  // So many bytes of the value that is placed now, a multiple of `step`, are
  // better not cut.
  int64_t RowUnit(int64_t bytes, int64_t step, int parts) const {
    constexpr int64_t kLine = 64;
    int64_t unit = step;
    if (bytes / parts >= 16 * kLine && kLine % step == 0) unit = kLine;
    const TraceNode& node = trace_.nodes[current_];
    const bool update = node.op == OpCode::kUpdate;
    const int64_t own_row =
        update || node.shape.empty() ? 0 : ResultBytes(node) / node.shape[0];
    const Use& use = uses_[update ? node.operands[0].value : current_];
    for (int64_t row : {own_row, use.row_bytes}) {
      if (row > unit && row % step == 0 && bytes / row >= parts) unit = row;
    }
    return unit;
  }

  const ir::Trace& trace_;
  const absl::Span<const Distribution> inputs_;
  const int ranks_;
  const int64_t min_bytes_;
  const int64_t min_product_;
  const std::vector<Use> uses_;
  Program program_;
  Writer out_;
  int32_t current_ = 0;  // the node of the global trace that is placed
};

}  // namespace

Program Place(const ir::Trace& trace, absl::Span<const Distribution> inputs,
              int ranks, const PartitionOptions& options) {
  return Placer(trace, inputs, ranks, options).Run();
}

}  // namespace fuseau::passes::partition

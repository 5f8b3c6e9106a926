// A trace whose operations know which rank computes what of them: what
// placement makes, and what each rank's own trace is made from.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "ir/trace.h"
#include "passes/partition/box.h"
#include "runtime/base/route.h"

namespace fuseau::passes::partition {

// Some rows of a dimension of one operand, of which a rank computes a result of
// their own.
struct Piece {
  int operand = 0;
  int64_t first = 0;
  int64_t count = 0;
};

// Who computes which part of an operation.
struct Work {
  enum Kind : uint8_t {
    kEverywhere,  // every rank all of it
    kRows,        // rank r the rows [rows[r], rows[r + 1]) of dimension `dim`
    kElements,    // each rank the elements of the result that it owns
    kWrites,      // an update: each rank what it owns of the old value
    kSelected,  // rank r what it selects of the rows [rows[r], rows[r + 1]) of
                // `dim`; its part has room for as much as may be selected
    kRouted,    // an exchange: each rank what it owns of the elements that are
                // operand 0, of which ranks have as many as operand 1 says
    kPieces,    // rank r the operation of one operand for each of pieces[r],
                // rows of `dim`; the results follow each other
  };
  Kind kind = kEverywhere;
  int dim = -1;  // -1: there is one row, and it is everything
  std::vector<int64_t> rows;
  std::vector<std::vector<Piece>> pieces;
  runtime::Route route;  // kRouted
};

// An operation and its value. The spaces of elementwise operations and updates
// have the fewest dimensions; those of updates are in the order of the
// addresses that are written.
struct Placed {
  ir::TraceNode node;
  Work work;
  int64_t bytes = 0;
  // Rank r owns the bytes [cuts[r], cuts[r + 1]). Empty: every rank has all.
  std::vector<int64_t> cuts;
  // What rank r computes: what it owns, and bytes around it that it would else
  // get from their owners. Empty: what it owns.
  std::vector<ByteRange> wider;
  // An input with known contents: which of Program::tables. Else -1.
  int32_t table = -1;

  bool cut() const { return !cuts.empty(); }
  ByteRange owned(int rank) const {
    if (!cut()) return {0, bytes};
    return {cuts[rank], cuts[rank + 1]};
  }
  ByteRange computed(int rank) const {
    return wider.empty() ? owned(rank) : wider[rank];
  }
};

struct Program {
  int ranks = 1;
  std::vector<Placed> nodes;
  std::vector<int32_t> values;  // of the nodes of the global trace
  std::vector<std::vector<int64_t>> tables;
  std::vector<const char*> gathered;
};

// Adds operations to a program, each with its work; they return the value's
// number.
class Writer {
 public:
  explicit Writer(Program* program) : program_(*program) {}

  int ranks() const { return program_.ranks; }
  const Placed& at(int32_t value) const { return program_.nodes[value]; }

  int32_t Everywhere(const ir::TraceNode& node);
  // The parts of the result follow each other.
  int32_t Rows(const ir::TraceNode& node, int dim, std::vector<int64_t> rows);
  int32_t Elements(const ir::TraceNode& node, std::vector<int64_t> cuts);
  int32_t OnRank(const ir::TraceNode& node, int rank);
  int32_t Update(const ir::TraceNode& node, std::vector<int64_t> cuts);
  int32_t Pieces(const ir::TraceNode& node, int dim,
                 std::vector<std::vector<Piece>> pieces);
  // A routine that selects, whose results are dimension 0 and may be as many on
  // each rank as the cuts have room for.
  int32_t Selected(const ir::TraceNode& node, int dim,
                   std::vector<int64_t> rows, std::vector<int64_t> cuts);
  int32_t Routed(int32_t selected, int32_t counts, runtime::Route route);
  // These numbers, on every rank.
  int32_t Table(std::vector<int64_t> numbers);

 private:
  Placed& Add(const ir::TraceNode& node);

  Program& program_;
  std::vector<int32_t> tables_;  // by table: its value
};

// Memory for results that updates bring.
ir::TraceNode Unset(int64_t bytes);

// What a rank computes of an operation: mostly one part of its space or none.
std::vector<Region> RegionsOf(const Placed& placed, int rank);

// Where it reads an operand: what it computes, but for operations in pieces.
std::vector<Region> RegionsRead(const Placed& placed, int rank, int operand);

// The least range that has all that it reads of an operand.
ByteRange HullRead(const Placed& placed, int rank, int operand);

// Bytes of the result of a piece.
int64_t PieceBytes(const Placed& placed, const Piece& piece);

// Where an operand reads the first element of a region.
int64_t OffsetOf(const ir::TraceOperand& operand, const Region& region);

// The place of an element, in C order of a space, in a storage.
int64_t PlaceOf(int64_t element, const Dims& shape, const Dims& strides,
                int64_t offset);

// The least range that has both.
ByteRange Join(ByteRange a, ByteRange b);

// Bytes of a result, without those of updates.
int64_t ResultBytes(const ir::TraceNode& node);

// The dimension of an operand's longest steps; -1 if it is one element.
int OutermostDimension(const ir::TraceNode& node,
                       const ir::TraceOperand& operand);

// Whether an operand reads its value from the first element to the last, in
// order and in its own type.
bool ReadsAll(const ir::Trace& trace, const ir::TraceNode& reader,
              const ir::TraceOperand& operand);

// Elementwise: joins dimensions that all operands walk as one.
void Collapse(ir::TraceNode& node);
// An update: the same, with dimensions in the order of what is written. False
// if elements that are written share bytes or rows of them interleave.
bool CollapseUpdate(ir::TraceNode& node);

// A Fourier transform of lines; the last dimension is that of their elements.
bool IsTransform(const ir::TraceNode& node);

// The dimension along which an operation may be cut so that the parts of its
// result follow each other; -1 if there is none.
int CutDimension(const ir::TraceNode& node);

}  // namespace fuseau::passes::partition

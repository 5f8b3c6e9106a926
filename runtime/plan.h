// What the compiler hands to the runtime: a plan is a straight list of steps
// over numbered buffers. It holds no MLIR and no pointers to data, so it can be
// run any number of times, on other buffers and other scalars.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/base/combiner.h"
#include "runtime/base/dims.h"
#include "runtime/base/dtype.h"
#include "runtime/base/transfer.h"

namespace fuseau::runtime {

namespace cuda {
struct GpuKernel;  // cuda/kernel.h
}

// The signature of every compiled kernel. It computes rows [lo, hi) of the
// outermost dimension (a launch of rank 0 is called with [0, 1)). `args` is a
// block of 64-bit slots:
//   sizes            rank slots (size 0 is not read: lo and hi stand for it)
//   for each operand, inputs first, then outputs: its address, then rank
//                    strides in bytes
//   for each scalar  two slots; its value starts the first one
using KernelFn = void (*)(int64_t lo, int64_t hi, const int64_t* args);

constexpr int OperandSlot(int rank, int operand) {
  return rank + operand * (rank + 1);
}
constexpr int ScalarSlot(int rank, int operands, int scalar) {
  return OperandSlot(rank, operands) + 2 * scalar;
}
constexpr int SlotCount(int rank, int operands, int scalars) {
  return ScalarSlot(rank, operands, scalars);
}

// A loaded kernel. Owned by the kernel cache; plans share it. `fn` stays valid
// as long as the object lives.
struct Kernel {
  virtual ~Kernel() = default;
  std::string name;  // a readable name with a hash, e.g. "add_mul_3f2a91"
  KernelFn fn = nullptr;
  mutable std::atomic<int64_t> launches{0};
  mutable std::atomic<int64_t> bytes{0};  // moved by all launches, at least
};

// An input whose elements are not in memory but are numbers in a row: element
// i is offset + sum(i * strides). The address slot then holds `offset`.
inline constexpr int32_t kIotaBuffer = -1;

struct PlanOperand {
  int32_t buffer = 0;  // index in Plan::buffers, or kIotaBuffer
  int64_t offset = 0;  // bytes, or the start value of an iota
  Dims strides;        // bytes or steps, one per dimension of the launch
  DType dtype = DType::kFloat64;
};

// How a launch may be cut into pieces that run side by side.
enum class Split : uint8_t {
  kSerial,  // one call with [0, size 0)
  kRows,    // any cut of dimension 0 gives the same result
  kTree,    // rank 1, every output a full reduction: [lo, hi) gives the partial
            // result of that range; joined along NumPy's pairwise tree
};

// A write whose kernel also reads old elements of the same buffer, other than
// exactly the element it writes. The executor runs it in tiles along dimension
// 0 whose results wait in a ring of tiles until no later row reads the old ones
// (see runtime/README.md).
struct LaggedWrite {
  int32_t output = 0;  // operand index of the output
  // Reading row i may touch old elements of written rows [i-behind, i+ahead].
  int64_t behind = 0;
  int64_t ahead = 0;
  std::vector<int32_t> readers;  // operand indices that read the buffer
};

// A launch so short that one thread does it in one call: the argument block but
// for addresses and scalars, and where those go.
struct QuickCall {
  struct Address {
    int32_t slot = 0;
    int32_t buffer = 0;
  };
  std::vector<int64_t> block;  // addresses are offsets in their buffers
  std::vector<Address> addresses;
  int32_t first_scalar = 0;  // slot
  int64_t rows = 0;
};

struct Launch {
  std::shared_ptr<const Kernel> kernel;
  // The same for a device; null if there is none.
  std::shared_ptr<const cuda::GpuKernel> gpu;
  Dims sizes;
  std::vector<PlanOperand> operands;  // inputs, then outputs
  int32_t input_count = 0;
  std::vector<int32_t> scalars;  // indices of the run's scalars
  Split split = Split::kRows;
  // Bit d: any cut of dimension d gives the same result too. With kRows, the
  // executor adds the dimensions along which every output has its own elements
  // when all are plain writes; other launches say so here, e.g. a sum over
  // dimension 0 (kSerial), which may be cut along the others.
  uint64_t parallel_dims = 0;
  std::vector<Combiner> combiners;  // one per output; kNone for plain writes
  std::vector<LaggedWrite> lagged;  // at most one per launch
  int64_t bytes = 0;           // minimum traffic: each operand's elements once
  double flops = 0;            // estimate of work, in cheap operations
  std::vector<int32_t> nodes;  // of the trace, that it computes
  std::optional<QuickCall> quick;  // made by PrepareQuickCalls
};

struct InnerLoop;
struct RoutineCall;
struct RunContext;

// A routine of the library; `addresses` are those of the call's operands. It
// cuts its work itself and needs no lock of the language.
using RoutineFn = absl::Status (*)(const RoutineCall& call,
                                   absl::Span<char* const> addresses,
                                   const RunContext& context);

// A step that no loop nest computes, such as a matrix product. All operands
// have strides over one space; the output is dense over the dimensions that are
// not `reduced`, and has stride 0 along those. runtime/cpu/routines says what
// the dimensions of each routine are.
struct RoutineCall {
  RoutineFn fn = nullptr;
  const InnerLoop* loop = nullptr;  // NumPy's, if it does the work
  Dims sizes;
  uint64_t reduced = 0;               // bit d: dimension d
  std::vector<PlanOperand> operands;  // inputs, then the output
  int64_t attribute = 0;
  std::vector<int32_t> nodes;  // of the trace, that it computes

  const PlanOperand& output() const { return operands.back(); }
};

// How the rows of a launch (steps of dimension 0) lie in a buffer: row i
// touches bytes [lo + i * step, hi + i * step).
struct RowSpan {
  int64_t lo = 0;
  int64_t hi = 0;
  int64_t step = 0;
  int64_t rows = 0;
};

// A row of `after` waits until no row of `before`, in an earlier launch, that
// touches the same bytes is still to come.
struct BandEdge {
  int32_t from = 0;      // the member of the group that `before` belongs to
  bool written = false;  // it writes these bytes; else it reads them
  RowSpan before;
  RowSpan after;
};

struct BandMember {
  int32_t launch = 0;
  std::vector<BandEdge> edges;  // to members before this one
};

// Consecutive launches that advance together, some rows of each at a time, each
// as far behind the ones before it as their data demand. So what one wrote is
// in the cache when the next reads it. Results are those of running the
// launches one after the other.
struct BandGroup {
  std::vector<BandMember> members;
  int64_t bands = 1;   // in how many parts each launch advances
  int32_t large = 0;   // members with much to do: the others are details
  bool alone = false;  // pays for one thread only
};

enum class BufferKind : uint8_t {
  kInput,  // given by the caller, `index` is its place among the inputs
  kNew,    // made by the plan
  kTile,   // inside a sweep: one tile of its rows exists at a time
};

struct PlanBuffer {
  BufferKind kind = BufferKind::kNew;
  int32_t index = 0;
  int64_t bytes = 0;
};

// The part of a kTile buffer that row r of its sweep has: `row_bytes` bytes
// from `low + r * stride` on.
struct TileBuffer {
  int32_t buffer = 0;
  int64_t low = 0;
  int64_t stride = 0;
  int64_t row_bytes = 0;
};

// Launches that run one after the other for a tile of rows, then for the next
// tile. No launch touches in another row what one of them writes, so tiles may
// run in any order and side by side. Launches of split kTree are cut at nodes
// of their tree; all launches then have the same rows.
struct Sweep {
  int64_t rows = 0;
  int64_t tile = 0;               // rows of a tile, at most
  std::vector<int32_t> launches;  // of split kRows or kTree, without lag
  std::vector<int64_t> first;     // the row of the sweep at which each starts
  // The rows around a tile that a launch computes with it; empty if none does.
  // Such a launch writes to tile buffers only, so tiles do not meet.
  struct Halo {
    int64_t before = 0;
    int64_t after = 0;
  };
  std::vector<Halo> halos;
  std::vector<TileBuffer> buffers;
};

// Bytes [from, from + bytes) of one buffer to [to, to + bytes) of another.
struct Move {
  int64_t from = 0;
  int64_t to = 0;
  int64_t bytes = 0;
};

struct Step {
  enum Kind : uint8_t {
    kAllocate,  // makes `buffer`
    kFree,      // gives `buffer` back (or the plan's hold on an input)
    kCopy,      // copies `source` to `buffer`: all, or copies[launch]
    kFill,      // fills `buffer` with copies of the `fill_size` bytes in `fill`
    kLaunch,    // runs launches[launch]
    kRoutine,   // runs routines[launch]
    kStart,     // starts the exchange routines[launch]
    kFinish,    // waits until it has filled its target
    kMove,      // copies moves[launch] from `source` to `buffer`
    kBands,     // runs the launches of groups[group]
    kSweep,     // runs sweeps[launch]
  };
  Kind kind;
  int32_t buffer = -1;
  int32_t source = -1;
  int32_t launch = -1;
  int32_t group = -1;
  uint8_t fill_size = 0;
  alignas(16) char fill[16] = {};
};

struct Plan {
  std::vector<PlanBuffer> buffers;
  std::vector<Launch> launches;
  std::vector<RoutineCall> routines;
  std::vector<BandGroup> groups;
  std::vector<Sweep> sweeps;
  std::vector<std::vector<CopyPart>> copies;  // of parts of buffers
  std::vector<Move> moves;
  std::vector<Step> steps;
  std::vector<int32_t> outputs;  // the buffer that holds each result
  int32_t input_count = 0;
  int32_t scalar_count = 0;
  // Whether a step writes to an input: such a run can't be broken off and be
  // repeated.
  bool overwrites_inputs = false;
};

}  // namespace fuseau::runtime

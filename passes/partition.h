// One trace for many ranks: what each of them computes and exchanges.
//
// Partitioning turns a trace over whole values into the trace of one rank over
// its parts, before any other pass. Its result is a pure function of its
// arguments, so every rank makes its own and all agree.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ir/trace.h"
#include "runtime/base/route.h"
#include "runtime/base/transfer.h"

namespace fuseau::passes {

// Where the bytes of a value are.
struct Distribution {
  enum Kind : uint8_t {
    kWhole,  // every rank has all of it
    kRoot,   // only rank 0 has it, all of it
    kCut,    // rank r owns the bytes [cuts[r], cuts[r + 1])
  };
  // Bytes of the value that the buffer of a rank has room for. It holds those
  // that the rank owns; what is around them is room for its neighbours' bytes,
  // with any content.
  struct Window {
    int64_t lo = 0;
    int64_t hi = 0;
    friend bool operator==(const Window&, const Window&) = default;
  };

  Kind kind = kWhole;
  // kCut alone: ranks + 1 ascending offsets from 0 to the size of the value,
  // and a window for each rank. A rank that owns nothing has no buffer.
  std::vector<int64_t> cuts;
  std::vector<Window> windows;

  friend bool operator==(const Distribution&, const Distribution&) = default;
};

struct PartitionOptions {
  // A part has at least so many bytes. A value that has fewer of them than
  // there are ranks is on the first ranks only, and one of less than two is not
  // cut.
  int64_t min_bytes = int64_t{512} << 10;
  // A product of two matrices of fewer multiplications is computed whole, if
  // its operands are no more than a MiB: BLAS gives other bits to parts of it.
  int64_t min_product = int64_t{1} << 24;
  // Values that no rule can compute in parts are made whole on every rank, up
  // to so many bytes each.
  int64_t max_whole_bytes = INT64_MAX;
  // On either side of what a rank owns it computes at most one part in so many
  // of that again, where this saves exchanges.
  int64_t overlap_share = 8;
};

// What one rank does for a trace.
struct Partition {
  // Inputs, then the rest. Exchanges are operations of it ("exchange"), each
  // with the one before as second operand, so that all ranks do them in one
  // order. All numbers of the global trace are there, in order.
  ir::Trace trace;
  // By attribute of the exchanges, which is the same on all ranks; empty where
  // this rank has no part.
  std::vector<runtime::Transfer> transfers;
  // Likewise: where the exchange moves what ranks have selected, the transfer
  // is empty, and the route has a unit.
  std::vector<runtime::Route> routes;
  // The inputs of the global trace that are those of `trace`, in order. An
  // input that this rank has no part of is not there.
  std::vector<int32_t> inputs;
  // The contents of the inputs of `trace` that follow those.
  std::vector<std::vector<int64_t>> tables;
  // For each output of the global trace: which output of `trace` it is (-1 if
  // this rank has no part of it), and how it is distributed. `trace` may have
  // more outputs, which keep exchanges alive.
  std::vector<int32_t> outputs;
  std::vector<Distribution> distributions;
  // Operations that were computed whole on every rank although their operands
  // are cut, by name of their row ("stable_sort"), each once.
  std::vector<const char*> gathered;
  int64_t sent_bytes = 0;  // by this rank, in all exchanges
  int64_t messages = 0;
};

// Whether a value of so many bytes is cut, and for how many ranks, the first
// ones.
bool IsLarge(int64_t bytes, int ranks, int64_t min_bytes);
int PartsOf(int64_t bytes, int ranks, int64_t min_bytes);

// `inputs` has a distribution for each input of the trace, in order. A donated
// input may be overwritten in parts as well. ResourceExhausted if a value would
// have to be whole that is larger than the options allow.
absl::StatusOr<Partition> PartitionTrace(const ir::Trace& trace,
                                         absl::Span<const Distribution> inputs,
                                         int rank, int ranks,
                                         const PartitionOptions& options = {});

// Whether cutting the trace pays: it reads something cut, or computes values
// that are large enough.
bool WorthCutting(const ir::Trace& trace, absl::Span<const Distribution> inputs,
                  int ranks, const PartitionOptions& options = {});

// What a rank gives and takes so that a value goes from one distribution to
// another. Sources and targets are the buffers of both.
runtime::Transfer Redistribute(int64_t bytes, const Distribution& from,
                               const Distribution& to, int rank, int ranks);

}  // namespace fuseau::passes

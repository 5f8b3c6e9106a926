// How the operands of a program reach the bytes that other ranks own.
#pragma once

#include <vector>

#include "passes/partition/program.h"
#include "passes/partition/transfers.h"

namespace fuseau::passes::partition {

enum class Reach : uint8_t {
  kOwn,     // every rank has what it reads
  kHalo,    // a little more than it owns: bytes around its part
  kPacked,  // an exchange brings what it reads, and nothing else
  kWhole,   // an exchange brings all of the value
};

struct ReadPlan {
  // By node and operand.
  std::vector<absl::InlinedVector<Reach, 3>> reaches;
  // By node: for each rank, what it owns of the value and all that its readers
  // need around it. Empty if no reader needs more.
  std::vector<std::vector<ByteRange>> halos;
  // The same with what readers of later versions of the storage need, and, for
  // outputs, what is needed of other values that are cut alike: how large a
  // buffer is worth making.
  std::vector<std::vector<ByteRange>> rooms;
};

// `outputs` are the nodes that outlive the trace.
ReadPlan PlanReads(const Program& program, const std::vector<int32_t>& outputs);

// What a rank reads by an operand, one access for each of its regions.
std::vector<Packing> AccessesOf(const Placed& placed, int operand, int rank);

Wants WantsOf(const Program& program, const Placed& placed, int operand,
              Reach reach);

}  // namespace fuseau::passes::partition

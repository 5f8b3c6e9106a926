#include "ir/trace_words.h"

#include <algorithm>

namespace fuseau::ir {
namespace {

class Reader {
 public:
  explicit Reader(TraceWords words) : at_(words.data()) {}

  uint64_t Word() { return *at_++; }
  int64_t Number() { return static_cast<int64_t>(*at_++); }
  Dims Row(size_t rank) {
    Dims dims(rank);
    for (int64_t& d : dims) d = Number();
    return dims;
  }

 private:
  const uint64_t* at_;
};

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

bool IsReduction(OpCode op) { return RowOf(op).family == Family::kReduction; }
bool IsRoutine(OpCode op) { return RowOf(op).family == Family::kRoutine; }

TraceNode ReadNode(const Trace& trace, Reader* in) {
  TraceNode node;
  const uint64_t head = in->Word();
  node.op = static_cast<OpCode>(head & 0xff);
  node.dtype = static_cast<DType>(head >> 8 & 0xff);
  const size_t rank = head >> 16 & 0xff;
  const size_t operands = head >> 24 & 0xff;
  node.watched = static_cast<uint8_t>(head >> 32);
  if (node.op == OpCode::kScalar) return node;
  node.shape = in->Row(rank);
  if (node.op == OpCode::kInput) return node;
  if (IsReduction(node.op) || IsRoutine(node.op)) {
    const uint64_t reduced = in->Word();
    for (size_t d = 0; d < rank; ++d) {
      node.reduced.push_back((reduced >> d & 1) != 0);
    }
  }
  if (IsRoutine(node.op) || node.op == OpCode::kIota) {
    node.attribute = in->Number();
  }
  const bool update = node.op == OpCode::kUpdate;
  if (update) {
    node.write_offset = in->Number();
    node.write_strides = in->Row(rank);
  }
  for (size_t k = 0; k < operands; ++k) {
    TraceOperand& operand = node.operands.emplace_back();
    const uint64_t word = in->Word();
    operand.value = static_cast<int32_t>(word & 0xffffffff);
    operand.dtype = static_cast<DType>(word >> 32);
    if (update && k == 0) continue;
    if (trace.nodes[operand.value].op == OpCode::kScalar) {
      operand.strides.assign(rank, 0);
    } else {
      operand.offset = in->Number();
      operand.strides = in->Row(rank);
    }
  }
  return node;
}

}  // namespace

void TraceWriter::Grow(size_t more) {
  capacity_ = std::max(2 * capacity_, size_ + more);
  auto words = std::make_unique<uint64_t[]>(capacity_);
  std::copy_n(words_.get(), size_, words.get());
  words_ = std::move(words);
}

// A multiplication for each two words, in two chains so that they overlap.
uint64_t HashWords(TraceWords words) {
  constexpr uint64_t kOdd[3] = {0xa0761d6478bd642f, 0xe7037ed1a0b428db,
                                0x8ebc6af09c88c6e3};
  const uint64_t* at = words.data();
  size_t left = words.size();
  uint64_t even = left, odd = kOdd[2];
  for (; left >= 4; left -= 4, at += 4) {
    even = Mix(at[0] ^ kOdd[0], at[1] ^ even);
    odd = Mix(at[2] ^ kOdd[1], at[3] ^ odd);
  }
  for (; left > 0; --left, ++at) even = Mix(*at ^ kOdd[0], even ^ kOdd[1]);
  return Mix(even ^ kOdd[2], odd);
}

Trace ReadTrace(TraceWords words) {
  Trace trace;
  Reader in(words);
  const uint64_t counts = in.Word();
  trace.nodes.reserve(counts & 0xffffffff);
  for (uint64_t i = counts & 0xffffffff; i > 0; --i) {
    trace.nodes.push_back(ReadNode(trace, &in));
  }
  uint64_t bits = in.Word();
  int input = 0;
  for (TraceNode& node : trace.nodes) {
    if (node.op != OpCode::kInput) continue;
    if (input == 64) {
      bits = in.Word();
      input = 0;
    }
    node.donated = (bits >> input++ & 1) != 0;
  }
  // A full last word is followed by an empty one.
  if (input == 64) in.Word();
  for (uint64_t i = counts >> 32; i > 0; --i) {
    trace.outputs.push_back(static_cast<int32_t>(in.Word()));
  }
  return trace;
}

void WriteTrace(const Trace& trace, TraceWriter* writer) {
  writer->Clear();
  absl::InlinedVector<bool, 64> donated;
  for (const TraceNode& node : trace.nodes) {
    if (node.op == OpCode::kInput) {
      donated.push_back(node.donated);
      writer->Input(node.shape[0]);
      continue;
    }
    if (node.op == OpCode::kScalar) {
      writer->Scalar(node.dtype);
      continue;
    }
    TraceWriter::Operation out =
        writer->Begin(node.op, node.dtype, static_cast<int>(node.shape.size()),
                      static_cast<int>(node.operands.size()), node.watched,
                      node.shape.data());
    uint64_t reduced = 0;
    for (size_t d = 0; d < node.reduced.size(); ++d) {
      reduced |= uint64_t{node.reduced[d]} << d;
    }
    if (IsReduction(node.op)) out.Reduced(reduced);
    if (IsRoutine(node.op)) out.Calls(reduced, node.attribute);
    if (node.op == OpCode::kIota) out.CountsFrom(node.attribute);
    const bool update = node.op == OpCode::kUpdate;
    if (update) out.WritesTo(node.write_offset, node.write_strides.data());
    for (size_t k = 0; k < node.operands.size(); ++k) {
      const TraceOperand& o = node.operands[k];
      if (update && k == 0) {
        out.Whole(o.value, o.dtype);
      } else if (trace.nodes[o.value].op == OpCode::kScalar) {
        out.Number(o.value, o.dtype);
      } else {
        out.Window(o.value, o.dtype, o.offset, o.strides.data());
      }
    }
    writer->End(out);
  }
  writer->BeginEnds(donated.size());
  for (int32_t node : trace.outputs) writer->Output(node);
  for (size_t i = 0; i < donated.size(); ++i) {
    if (donated[i]) writer->Donate(i);
  }
  writer->Finish();
}

}  // namespace fuseau::ir

#include "ir/trace_words.h"

#include <algorithm>

namespace fuseau::ir {
namespace {

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

bool IsReduction(OpCode op) { return RowOf(op).family == Family::kReduction; }
bool IsRoutine(OpCode op) { return RowOf(op).family == Family::kRoutine; }

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

NodeReader::NodeReader(TraceWords words)
    : at_(words.data() + 1),
      nodes_(static_cast<int32_t>(words[0] & 0xffffffff)),
      outputs_(static_cast<int32_t>(words[0] >> 32)) {}

NodeWords NodeReader::Head() {
  NodeWords node;
  const uint64_t head = *at_++;
  node.op = static_cast<OpCode>(head & 0xff);
  node.dtype = static_cast<DType>(head >> 8 & 0xff);
  node.rank = static_cast<int>(head >> 16 & 0xff);
  node.operands.resize(head >> 24 & 0xff);
  node.watched = static_cast<uint8_t>(head >> 32);
  if (node.op == OpCode::kScalar) return node;
  node.shape = Row(node.rank);
  if (node.op == OpCode::kInput) return node;
  if (IsReduction(node.op) || IsRoutine(node.op)) node.reduced = *at_++;
  if (IsRoutine(node.op) || node.op == OpCode::kIota) {
    node.attribute = static_cast<int64_t>(*at_++);
  }
  if (node.op == OpCode::kUpdate) {
    node.write_offset = static_cast<int64_t>(*at_++);
    node.write_strides = Row(node.rank);
  }
  return node;
}

TraceNode NodeWords::Node() const {
  TraceNode node;
  node.op = op;
  node.dtype = dtype;
  node.watched = watched;
  if (op == OpCode::kScalar) return node;
  node.shape.assign(shape, shape + rank);
  if (IsReduction(op) || IsRoutine(op)) {
    for (int d = 0; d < rank; ++d) {
      node.reduced.push_back((reduced >> d & 1) != 0);
    }
  }
  node.attribute = attribute;
  if (op == OpCode::kUpdate) {
    node.write_offset = write_offset;
    node.write_strides.assign(write_strides, write_strides + rank);
  }
  for (size_t k = 0; k < operands.size(); ++k) {
    TraceOperand& operand = node.operands.emplace_back();
    operand.value = operands[k].value;
    operand.dtype = operands[k].dtype;
    operand.offset = operands[k].offset;
    if (operands[k].strides != nullptr) {
      operand.strides.assign(operands[k].strides, operands[k].strides + rank);
    } else if (op != OpCode::kUpdate || k > 0) {
      operand.strides.assign(rank, 0);
    }
  }
  return node;
}

Trace ReadTrace(TraceWords words) {
  Trace trace;
  NodeReader in(words);
  trace.nodes.reserve(in.nodes());
  for (int32_t i = in.nodes(); i > 0; --i) {
    trace.nodes.push_back(in.Next([&](int32_t value) {
                              return trace.nodes[value].op == OpCode::kScalar;
                            }).Node());
  }
  const uint64_t* at = in.ends();
  uint64_t bits = *at++;
  int input = 0;
  for (TraceNode& node : trace.nodes) {
    if (node.op != OpCode::kInput) continue;
    if (input == 64) {
      bits = *at++;
      input = 0;
    }
    node.donated = (bits >> input++ & 1) != 0;
  }
  // A full last word is followed by an empty one.
  if (input == 64) ++at;
  for (int32_t i = in.outputs(); i > 0; --i) {
    trace.outputs.push_back(static_cast<int32_t>(*at++));
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

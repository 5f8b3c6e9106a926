#include "passes/testing/random_trace.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "runtime/arena.h"

namespace fuseau::passes::testing {

using ir::OpCode;
using ir::Trace;
using ir::TraceNode;
using ir::TraceOperand;

namespace {

constexpr DType kTypes[] = {DType::kFloat64,   DType::kFloat64, DType::kFloat64,
                            DType::kFloat32,   DType::kInt64,   DType::kInt8,
                            DType::kComplex128};

int64_t Bytes(const Dims& shape, DType dtype) {
  return Count(shape) * ItemSize(dtype);
}

}  // namespace

std::string Text(const Trace& trace) {
  std::string text;
  for (size_t i = 0; i < trace.nodes.size(); ++i) {
    const TraceNode& node = trace.nodes[i];
    absl::StrAppend(&text, "%", i, " = ", ir::RowOf(node.op).name, " ",
                    Name(node.dtype), " [", absl::StrJoin(node.shape, " "),
                    "]");
    if (node.donated) absl::StrAppend(&text, " donated");
    if (!node.reduced.empty())
      absl::StrAppend(&text, " reduced ", absl::StrJoin(node.reduced, ""));
    if (node.attribute != 0) absl::StrAppend(&text, " #", node.attribute);
    if (node.op == OpCode::kUpdate) {
      absl::StrAppend(&text, " to ", node.write_offset, "/",
                      absl::StrJoin(node.write_strides, " "));
    }
    for (const TraceOperand& o : node.operands) {
      absl::StrAppend(&text, ", %", o.value, ":", Name(o.dtype), "+", o.offset,
                      "/", absl::StrJoin(o.strides, " "));
    }
    absl::StrAppend(&text, "\n");
  }
  return absl::StrCat(text, "results ", absl::StrJoin(trace.outputs, " "));
}

Dims TraceMaker::RandomShape() {
  static constexpr int kLimits[] = {0, 40, 14, 8, 5};
  const int rank = Pick(1, 4);
  if (rank == 1 && Chance(4)) return {Pick(100, 3000)};
  Dims shape(rank);
  for (int64_t& n : shape) n = Pick(1, kLimits[rank]);
  return shape;
}

int32_t TraceMaker::Push(TraceNode node) {
  trace_.nodes.push_back(std::move(node));
  return static_cast<int32_t>(trace_.nodes.size()) - 1;
}

void TraceMaker::AddValue(TraceNode node, DType dtype, Dims shape) {
  values_.push_back({dtype, std::move(shape), Push(std::move(node))});
}

Trace TraceMaker::Make() {
  trace_ = Trace();
  values_.clear();
  scalars_.clear();
  const int more = inputs_.empty() ? Pick(1, 3) : Pick(0, 1);
  for (int i = 0; i < more; ++i)
    inputs_.push_back({kTypes[Pick(0, std::size(kTypes) - 1)], RandomShape()});
  for (const Input& input : inputs_) {
    TraceNode node;
    node.op = OpCode::kInput;
    node.dtype = DType::kUInt8;
    node.shape = {Bytes(input.shape, input.dtype)};
    node.donated = Chance(2);
    AddValue(node, input.dtype, input.shape);
  }
  for (DType dtype : {DType::kFloat64, DType::kInt64}) {
    TraceNode scalar;
    scalar.op = OpCode::kScalar;
    scalar.dtype = dtype;
    scalars_.push_back(Push(scalar));
  }
  const int steps = Pick(2, 12);
  for (int i = 0; i < steps; ++i) {
    switch (Pick(0, 12)) {
      case 0:
      case 1:
      case 2:
        AddElementwise();
        break;
      case 3:
      case 4:
      case 5:
        AddUpdate();
        break;
      case 6:
      case 7:
      case 8:
        AddReduction();
        break;
      case 9:
        AddChain();
        break;
      case 10:
      case 11:
        AddRoutine();
        break;
      case 12:
        AddIota();
        break;
    }
  }
  for (size_t i = inputs_.size(); i < values_.size(); ++i) {
    if (Chance(2) || i + 1 == values_.size())
      trace_.outputs.push_back(values_[i].node);
  }
  // Inputs that were updated are results as well.
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const int32_t node = values_[i].node;
    if (trace_.nodes[node].op == OpCode::kUpdate)
      trace_.outputs.push_back(node);
  }
  return trace_;
}

void TraceMaker::Continue() {
  std::vector<Input> next;
  for (int32_t o : trace_.outputs) {
    for (const Value& value : values_) {
      if (value.node != o) continue;
      next.push_back({value.dtype, value.shape});
      break;
    }
  }
  inputs_ = std::move(next);
}

runtime::BufferRef TraceMaker::Data(const Input& input) {
  const int64_t bytes = Bytes(input.shape, input.dtype);
  auto buffer = runtime::Arena::Global().Allocate(bytes);
  EXPECT_TRUE(buffer.ok());
  char* data = (*buffer)->data();
  const auto fill = [&](auto make) {
    const auto one = make();
    for (int64_t i = 0; i < bytes / static_cast<int64_t>(sizeof(one)); ++i) {
      const auto element = make();
      std::memcpy(data + i * sizeof(element), &element, sizeof(element));
    }
  };
  // Of different magnitudes, so that the order of additions is seen.
  std::uniform_real_distribution<double> near(0.5, 1.5);
  const auto number = [&] {
    return near(random_) * (Chance(3) ? -1 : 1) * (Chance(3) ? 1e-3 : 1);
  };
  switch (PartType(input.dtype)) {
    case DType::kFloat64:
      fill(number);
      break;
    case DType::kFloat32:
      fill([&] { return static_cast<float>(number()); });
      break;
    case DType::kInt64:
      fill([&] { return static_cast<int64_t>(Pick(-1000, 1000)); });
      break;
    case DType::kBool:
      fill([&] { return Chance(2); });
      break;
    default:
      fill([&] { return static_cast<int8_t>(Pick(-100, 100)); });
      break;
  }
  return *std::move(buffer);
}

std::vector<runtime::ScalarValue> TraceMaker::scalars() const {
  std::vector<runtime::ScalarValue> scalars(2);
  const double real = 0.75;
  const int64_t integer = 3;
  std::memcpy(scalars[0].bytes, &real, sizeof(real));
  std::memcpy(scalars[1].bytes, &integer, sizeof(integer));
  return scalars;
}

const TraceMaker::Value& TraceMaker::RandomValue() {
  return values_[Pick(0, static_cast<int>(values_.size()) - 1)];
}

const TraceMaker::Value* TraceMaker::ValueOf(DType dtype) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const Value& value = RandomValue();
    if (value.dtype == dtype) return &value;
  }
  return nullptr;
}

// A window by slices, steps, flips and transposition.
TraceMaker::Window TraceMaker::View(const Value& value) {
  const Dims dense = DenseStrides(value.shape, ItemSize(value.dtype));
  Window w;
  const bool all = Chance(3);
  for (size_t d = 0; d < value.shape.size(); ++d) {
    const int n = static_cast<int>(value.shape[d]);
    const int lo = all ? 0 : Pick(0, std::min(2, n - 1));
    const int hi = all ? n : Pick(std::max(lo + 1, n - 2), n);
    const int step = !all && Chance(5) ? Pick(2, 3) : 1;
    const int64_t count = (hi - lo + step - 1) / step;
    w.offset += lo * dense[d];
    if (!all && Chance(10)) continue;  // one index
    w.shape.push_back(count);
    w.strides.push_back(step * dense[d]);
    if (Chance(8)) {
      w.offset += (count - 1) * w.strides.back();
      w.strides.back() = -w.strides.back();
    }
  }
  if (w.shape.size() > 1 && Chance(4)) {
    const int a = Pick(0, static_cast<int>(w.shape.size()) - 1);
    const int b = Pick(0, static_cast<int>(w.shape.size()) - 1);
    std::swap(w.shape[a], w.shape[b]);
    std::swap(w.strides[a], w.strides[b]);
  }
  return w;
}

// A window of exactly `space`, by slices, flips, transposition and broadcasts.
TraceMaker::Window TraceMaker::Fitting(const Value& value, const Dims& space) {
  const Dims dense = DenseStrides(value.shape, ItemSize(value.dtype));
  Window w;
  w.shape = space;
  w.strides.assign(space.size(), 0);
  std::vector<int> dims(value.shape.size());
  for (size_t d = 0; d < dims.size(); ++d) dims[d] = static_cast<int>(d);
  if (Chance(4)) std::shuffle(dims.begin(), dims.end(), random_);
  for (size_t d = 0; d < space.size() && d < dims.size(); ++d) {
    const int from = dims[dims.size() - 1 - d];
    const size_t to = space.size() - 1 - d;
    const int64_t have = value.shape[from], want = space[to];
    if (have < want || Chance(12)) {
      w.offset += Pick(0, static_cast<int>(have) - 1) * dense[from];
      continue;
    }
    const int64_t step =
        want > 1 && (have - 1) / (want - 1) > 1 && Chance(4) ? 2 : 1;
    const int64_t span = (want - 1) * step;
    const int64_t room = have - 1 - span;
    // Mostly near the edges, like the windows of stencils.
    const int64_t first = Chance(3) ? Pick(0, static_cast<int>(room))
                                    : std::min<int64_t>(room, Pick(0, 2));
    w.offset += first * dense[from];
    w.strides[to] = step * dense[from];
    if (Chance(10)) {
      w.offset += span * dense[from];
      w.strides[to] = -w.strides[to];
    }
  }
  for (size_t d = space.size(); d < dims.size(); ++d) {
    const int from = dims[dims.size() - 1 - d];
    w.offset += Pick(0, static_cast<int>(value.shape[from]) - 1) * dense[from];
  }
  return w;
}

TraceOperand TraceMaker::Operand(DType dtype, const Dims& space) {
  TraceOperand o;
  o.dtype = dtype;
  // A part of complex numbers; bytes of anything; overlapping windows.
  if (dtype == DType::kFloat64 && Chance(6)) {
    if (const Value* value = ValueOf(DType::kComplex128)) {
      const Window w = Fitting(*value, space);
      o.value = value->node;
      o.offset = w.offset + (Chance(2) ? 8 : 0);
      o.strides = w.strides;
      return o;
    }
  }
  if (dtype == DType::kInt8 && Chance(3)) {
    const Value& value = RandomValue();
    const Window w = Fitting(value, space);
    o.value = value.node;
    o.offset = w.offset + Pick(0, ItemSize(value.dtype) - 1);
    o.strides = w.strides;
    return o;
  }
  const Value* value = ValueOf(dtype);
  if (value == nullptr) {
    if (dtype == DType::kFloat64 || dtype == DType::kInt64) {
      o.value = scalars_[dtype == DType::kInt64];
      o.strides.assign(space.size(), 0);
      return o;
    }
    // Any other type comes from a cast of the number.
    TraceNode cast;
    cast.op = OpCode::kCast;
    cast.dtype = dtype;
    cast.operands = {{scalars_[0], DType::kFloat64, 0, {}}};
    o.value = Push(cast);
    o.strides.assign(space.size(), 0);
    return o;
  }
  o.value = value->node;
  if (space.size() == 2 && Chance(8) &&
      Count(value->shape) >= space[0] + space[1]) {
    o.strides.assign(2, ItemSize(dtype));
    return o;
  }
  const Window w = Fitting(*value, space);
  o.offset = w.offset;
  o.strides = w.strides;
  return o;
}

// A new node over `space`.
int32_t TraceMaker::Expression(DType dtype, const Dims& space) {
  TraceNode node;
  node.dtype = dtype;
  node.shape = space;
  if (dtype == DType::kBool) {
    node.op = OpCode::kLess;
    const DType of = Chance(2) ? DType::kFloat64 : DType::kInt64;
    node.operands = {Operand(of, space), Operand(of, space)};
    return Push(node);
  }
  if (Chance(8)) {
    node.op = OpCode::kCast;
    const DType from = dtype == DType::kFloat64 ? DType::kInt64
                       : dtype == DType::kInt64 ? DType::kInt8
                                                : DType::kFloat64;
    if (dtype == DType::kInt8) node.op = OpCode::kCopy;
    node.operands = {Operand(node.op == OpCode::kCopy ? dtype : from, space)};
    return Push(node);
  }
  if (Chance(6)) {
    node.op = OpCode::kCopy;
    node.operands = {Operand(dtype, space)};
    return Push(node);
  }
  if (dtype == DType::kFloat64 && Chance(5)) {
    node.op = OpCode::kMultiply;
    TraceOperand number;
    number.value = scalars_[0];
    number.dtype = dtype;
    number.strides.assign(space.size(), 0);
    node.operands = {number, Operand(dtype, space)};
    return Push(node);
  }
  node.op = Chance(2) ? OpCode::kAdd : OpCode::kSubtract;
  node.operands = {Operand(dtype, space), Operand(dtype, space)};
  return Push(node);
}

void TraceMaker::AddElementwise() {
  const Value value = RandomValue();
  const Dims space = View(value).shape;
  const DType dtype = Chance(6) ? DType::kBool : value.dtype;
  const int32_t node = Expression(dtype, space);
  values_.push_back({dtype, space, node});
}

// A stencil: a sum of windows of one array, written to its inside.
void TraceMaker::AddChain() {
  const int index = Pick(0, static_cast<int>(values_.size()) - 1);
  const Value value = values_[index];
  if (!IsFloat(value.dtype) || value.shape.empty()) return;
  const Dims dense = DenseStrides(value.shape, ItemSize(value.dtype));
  Dims space;
  int64_t center = 0;
  for (size_t d = 0; d < value.shape.size(); ++d) {
    if (value.shape[d] < 3) return;
    space.push_back(value.shape[d] - 2);
    center += dense[d];
  }
  int32_t sum = -1;
  const size_t dims = value.shape.size();
  for (size_t d = 0; d < dims; ++d) {
    for (int64_t side : {-1, 1}) {
      const TraceOperand read{value.node, value.dtype, center + side * dense[d],
                              dense};
      TraceNode node;
      node.op = sum < 0 ? OpCode::kCopy : OpCode::kAdd;
      node.dtype = value.dtype;
      node.shape = space;
      if (sum >= 0) {
        node.operands.push_back(
            {sum, value.dtype, 0, DenseStrides(space, ItemSize(value.dtype))});
      }
      node.operands.push_back(read);
      sum = Push(node);
    }
  }
  TraceNode update;
  update.op = OpCode::kUpdate;
  update.dtype = value.dtype;
  update.shape = space;
  update.write_offset = center;
  update.write_strides = dense;
  update.operands = {
      {value.node, DType::kUInt8, 0, {}},
      {sum, value.dtype, 0, DenseStrides(space, ItemSize(value.dtype))}};
  values_[index].node = Push(update);
  values_[index].numbers = 0;
}

void TraceMaker::AddUpdate() {
  const int index = Pick(0, static_cast<int>(values_.size()) - 1);
  const Value value = values_[index];
  Window w = View(value);
  if (value.shape.size() == 1 && value.shape[0] > 8 && Chance(12)) {
    // Rows that interleave: 0, 2, 4 and 3, 5, 7.
    const int64_t item = ItemSize(value.dtype);
    w = {{2, 3}, 0, {3 * item, 2 * item}};
  }
  TraceNode node;
  node.op = OpCode::kUpdate;
  node.dtype = value.dtype;
  node.shape = w.shape;
  node.write_offset = w.offset;
  node.write_strides = w.strides;
  TraceOperand source;
  if (Chance(3)) {
    source = Operand(value.dtype, w.shape);
  } else {
    source = {Expression(value.dtype, w.shape), value.dtype, 0,
              DenseStrides(w.shape, ItemSize(value.dtype))};
  }
  node.operands = {{value.node, DType::kUInt8, 0, {}}, source};
  values_[index].node = Push(node);
  values_[index].numbers = 0;
}

void TraceMaker::AddReduction() {
  const Value value = RandomValue();
  const Window w = View(value);
  if (w.shape.empty()) return;
  TraceNode node;
  node.dtype = value.dtype;
  node.shape = w.shape;
  node.operands = {{value.node, value.dtype, w.offset, w.strides}};
  Dims kept;
  bool any = false;
  int64_t joined = 1;
  for (int64_t n : w.shape) {
    node.reduced.push_back(!Chance(3));
    any |= node.reduced.back();
    if (node.reduced.back()) {
      joined *= n;
    } else {
      kept.push_back(n);
    }
  }
  if (!any) return;
  if (value.dtype == DType::kBool) {
    node.op = Chance(2) ? OpCode::kAny : OpCode::kAll;
  } else if (Chance(4) && !IsComplex(value.dtype)) {
    node.op = Chance(2) ? OpCode::kMax : OpCode::kMin;
  } else if (Chance(6) && (IsInteger(value.dtype) || joined < 20) &&
             value.node < static_cast<int32_t>(inputs_.size())) {
    node.op = OpCode::kProd;
  } else {
    node.op = Chance(5) ? OpCode::kOrderedSum : OpCode::kSum;
  }
  AddValue(node, value.dtype, kept);
}

// Places of extremes along an axis of a window, or its sorted lines.
void TraceMaker::AddLines() {
  const Value value = RandomValue();
  Window w = View(value);
  if (w.shape.empty()) return;
  const int axis = Pick(0, static_cast<int>(w.shape.size()) - 1);
  TraceNode node;
  node.shape = w.shape;
  node.operands = {{value.node, value.dtype, w.offset, w.strides}};
  node.reduced.assign(w.shape.size(), false);
  Dims shape = w.shape;
  switch (Pick(0, 3)) {
    case 0:
    case 1:
      node.op = Chance(2) ? OpCode::kArgmax : OpCode::kArgmin;
      node.dtype = DType::kInt64;
      node.reduced[axis] = true;
      shape.erase(shape.begin() + axis);
      break;
    case 2:
      node.op = OpCode::kStableSort;
      node.dtype = value.dtype;
      node.attribute = axis;
      break;
    case 3:
      node.op = OpCode::kStableArgsort;
      node.dtype = DType::kInt64;
      node.attribute = axis;
      break;
  }
  AddValue(node, node.dtype, shape);
}

void TraceMaker::AddRoutine() {
  if (Chance(2)) return AddLines();
  const Value value = RandomValue();
  TraceNode node;
  if (Chance(2)) {
    if (value.dtype != DType::kFloat64 && value.dtype != DType::kInt64) return;
    const Window w = View(value);
    if (w.shape.empty()) return;
    node.op = OpCode::kCumsum;
    node.dtype = value.dtype;
    node.shape = w.shape;
    node.operands = {{value.node, value.dtype, w.offset, w.strides}};
    node.reduced.assign(w.shape.size(), false);
    node.attribute = Pick(0, static_cast<int>(w.shape.size()) - 1);
    AddValue(node, value.dtype, w.shape);
    return;
  }
  // Rows of a value at the numbers of an iota.
  const Value* numbers = nullptr;
  for (const Value& v : values_)
    if (v.numbers > 0 && Chance(2)) numbers = &v;
  if (numbers == nullptr) return;
  if (Chance(4)) {
    node.op = OpCode::kBincount;
    node.dtype = DType::kInt64;
    node.shape = {numbers->shape[0], numbers->numbers};
    node.reduced = {true, false};
    node.operands = {{numbers->node, DType::kInt64, 0, {8, 0}}};
    AddValue(node, DType::kInt64, {numbers->numbers});
    return;
  }
  if (value.shape.empty() || value.shape[0] < numbers->numbers) return;
  const Dims dense = DenseStrides(value.shape, ItemSize(value.dtype));
  Dims shape = value.shape;
  shape[0] = numbers->shape[0];
  node.op = OpCode::kGather;
  node.dtype = value.dtype;
  node.shape = shape;
  node.shape.push_back(value.shape[0]);
  node.reduced.assign(node.shape.size(), false);
  node.reduced.back() = true;
  TraceOperand source{value.node, value.dtype, 0, dense};
  source.strides[0] = 0;
  source.strides.push_back(dense[0]);
  TraceOperand index{numbers->node, DType::kInt64, 0, {}};
  index.strides.assign(node.shape.size(), 0);
  index.strides[0] = 8;
  if (Chance(2)) {
    index.offset = 8 * (shape[0] - 1);
    index.strides[0] = -8;
  }
  node.operands = {source, index};
  AddValue(node, value.dtype, shape);
}

void TraceMaker::AddIota() {
  TraceNode node;
  node.op = OpCode::kIota;
  node.dtype = Chance(4) ? DType::kInt8 : DType::kInt64;
  const int64_t n = Pick(1, 40);
  node.shape = {n};
  AddValue(node, node.dtype, {n});
  if (node.dtype == DType::kInt64) values_.back().numbers = n;
}

}  // namespace fuseau::passes::testing

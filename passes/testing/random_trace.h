// Random traces: windows of all kinds, updates, reductions, routines.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ir/trace.h"
#include "runtime/buffer.h"
#include "runtime/executor.h"

namespace fuseau::passes::testing {

// A line for each node, for messages of failed tests.
std::string Text(const ir::Trace& trace);

struct Input {
  DType dtype = DType::kFloat64;
  Dims shape;
};

class TraceMaker {
 public:
  explicit TraceMaker(int seed) : random_(seed) {}

  // A trace over the inputs so far and maybe some more.
  ir::Trace Make();
  // The results of the last trace are the inputs of the next.
  void Continue();

  const std::vector<Input>& inputs() const { return inputs_; }
  runtime::BufferRef Data(const Input& input);
  std::vector<runtime::ScalarValue> scalars() const;

 private:
  // An array that operations read windows of.
  struct Value {
    DType dtype = DType::kFloat64;
    Dims shape;
    int32_t node = -1;
    int64_t numbers = 0;  // all elements are integers below this, if not 0
  };
  struct Window {
    Dims shape;
    int64_t offset = 0;
    Dims strides;
  };

  int Pick(int lo, int hi) {
    return std::uniform_int_distribution<int>(lo, hi)(random_);
  }
  bool Chance(int in) { return Pick(1, in) == 1; }

  Dims RandomShape();
  int32_t Push(ir::TraceNode node);
  void AddValue(ir::TraceNode node, DType dtype, Dims shape);
  const Value& RandomValue();
  const Value* ValueOf(DType dtype);
  Window View(const Value& value);
  Window Fitting(const Value& value, const Dims& space);
  ir::TraceOperand Operand(DType dtype, const Dims& space);
  int32_t Expression(DType dtype, const Dims& space);
  void AddElementwise();
  void AddChain();
  void AddUpdate();
  void AddReduction();
  void AddLines();
  void AddRoutine();
  void AddIota();

  std::mt19937 random_;
  std::vector<Input> inputs_;
  ir::Trace trace_;
  std::vector<Value> values_;  // the newest version of each storage, and others
  std::vector<int32_t> scalars_;  // nodes: float64, int64
};

}  // namespace fuseau::passes::testing

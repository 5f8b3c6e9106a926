// Kernels and plans for the tests of this folder, written by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "runtime/plan.h"

namespace fuseau::runtime::testing {

struct FakeKernel : Kernel {
  FakeKernel(std::string kernel_name, KernelFn kernel_fn) {
    name = std::move(kernel_name);
    fn = kernel_fn;
  }
};

inline std::shared_ptr<const Kernel> MakeKernel(KernelFn fn) {
  return std::make_shared<FakeKernel>("fake", fn);
}

// A kernel has no closure: its rank and its numbers of inputs and outputs are
// template arguments. Output k of a point is, for a body `double f(const
// double* inputs, int k)`, f of all inputs at that point; all elements are
// float64. Rows run from last to first, which every executor must allow.
template <int kRank, int kInputs, int kOutputs,
          double (*kBody)(const double*, int)>
void MapKernel(int64_t lo, int64_t hi, const int64_t* args) {
  int64_t index[kRank == 0 ? 1 : kRank] = {};
  auto at = [&](int operand) {
    const int slot = OperandSlot(kRank, operand);
    int64_t address = args[slot];
    for (int d = 0; d < kRank; ++d) address += index[d] * args[slot + 1 + d];
    return reinterpret_cast<double*>(address);
  };
  for (int d = 1; d < kRank; ++d) {
    if (args[d] <= 0) return;
  }
  for (int64_t row = hi - 1; row >= lo; --row) {
    index[0] = kRank == 0 ? 0 : row;
    for (int d = 1; d < kRank; ++d) index[d] = 0;
    for (;;) {
      double inputs[kInputs == 0 ? 1 : kInputs] = {};
      for (int i = 0; i < kInputs; ++i) inputs[i] = *at(i);
      for (int k = 0; k < kOutputs; ++k) *at(kInputs + k) = kBody(inputs, k);
      int d = kRank - 1;
      while (d > 0 && ++index[d] == args[d]) index[d--] = 0;
      if (d <= 0) break;
    }
  }
}

}  // namespace fuseau::runtime::testing

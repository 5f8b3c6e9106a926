// Reductions of the innermost dimension.
//
// A sum of floats follows NumPy's pairwise tree: a leaf of up to 128 floats has
// eight accumulators, the lanes of one vector; longer runs are halved at a
// multiple of eight. A product of floats is joined in order. All else may be
// joined in any order and uses several vectors.

#include "codegen/cpu/kernel_emitter.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

constexpr int64_t kLeafFloats = 128;
constexpr int kAccumulators = 8;
// Each level of the tree halves a 64-bit count.
constexpr int kMaxDepth = 64;
constexpr int64_t kMaxBlock = 512;
constexpr size_t kManyChainsLimit = 16;

enum class Kind { kTree, kInOrder, kFree };

Kind KindOf(Combiner combiner, DType dtype) {
  if (!IsFloat(dtype) && !IsComplex(dtype)) return Kind::kFree;
  if (combiner == Combiner::kSum) return Kind::kTree;
  if (combiner == Combiner::kProd || combiner == Combiner::kOrderedSum)
    return Kind::kInOrder;
  return Kind::kFree;
}

// A zero of the type of `value`.
Val PositiveZero(Val value) {
  llvm::Constant* zero = llvm::Constant::getNullValue(value.re->getType());
  return {zero, value.im ? zero : nullptr};
}

}  // namespace

// In the state that loops carry, an accumulator has
//   kTree     the sum of the last leaf
//   kInOrder  the product so far
//   kFree     a vector, and a scalar for elements taken one by one
// each with the parts that its type has.
struct KernelEmitter::Accumulator {
  int output;
  Combiner combiner;
  DType dtype;
  Kind kind;
  size_t slot;  // first place in the state

  bool complex() const { return IsComplex(dtype); }
  size_t slots() const { return kind == Kind::kFree || complex() ? 2 : 1; }
};

void KernelEmitter::EmitReduction(llvm::Value* n) {
  auto* none = llvm::BasicBlock::Create(context_, "none", function_);
  auto* some = llvm::BasicBlock::Create(context_, "some", function_);
  auto* done = llvm::BasicBlock::Create(context_, "reduced", function_);
  b_.CreateCondBr(b_.CreateICmpSGT(n, I64(0)), some, none);
  b_.SetInsertPoint(none);
  for (size_t i = 0; i < spec_.outputs.size(); ++i)
    StoreResult(i, EmptyResult(spec_.combiners[i], spec_.outputs[i].dtype),
                /*joined=*/false);
  b_.CreateBr(done);

  b_.SetInsertPoint(some);
  // The trees of real and complex sums differ, so they take a pass each.
  std::vector<int> complex_sums, others;
  for (size_t i = 0; i < spec_.outputs.size(); ++i) {
    const DType dtype = spec_.outputs[i].dtype;
    const bool sum = KindOf(spec_.combiners[i], dtype) == Kind::kTree;
    (sum && IsComplex(dtype) ? complex_sums : others).push_back(i);
  }
  const bool real_sums = llvm::any_of(others, [&](int i) {
    return KindOf(spec_.combiners[i], spec_.outputs[i].dtype) == Kind::kTree;
  });
  if (!real_sums && !complex_sums.empty()) {
    complex_sums.insert(complex_sums.end(), others.begin(), others.end());
    others.clear();
  }
  if (!complex_sums.empty()) ReduceRow(complex_sums, n);
  if (!others.empty()) ReduceRow(others, n);
  b_.CreateBr(done);
  done->moveAfter(b_.GetInsertBlock());
  b_.SetInsertPoint(done);
}

void KernelEmitter::ReduceRow(const std::vector<int>& outputs, llvm::Value* n) {
  Accumulators accumulators;
  bool tree = false, complex_tree = false;
  size_t slots = 0;
  for (int i : outputs) {
    const DType dtype = spec_.outputs[i].dtype;
    const Kind kind = KindOf(spec_.combiners[i], dtype);
    accumulators.push_back({i, spec_.combiners[i], dtype, kind, slots});
    slots += accumulators.back().slots();
    tree |= kind == Kind::kTree;
    complex_tree |= kind == Kind::kTree && IsComplex(dtype);
  }
  width_ = !tree          ? NaturalWidth()
           : complex_tree ? kAccumulators / 2
                          : kAccumulators;
  PlanStages(outputs, tree ? kLeafFloats : kMaxBlock);
  MakeRows();
  EmitUniform();

  Carried state = InitialState(accumulators);
  if (tree) {
    state = AccumulateTree(accumulators, n);
  } else if (HasCalls()) {
    state =
        For(I64(0), n, block_, state,
            [&](llvm::Value* offset, llvm::ArrayRef<llvm::Value*> carried) {
              llvm::Value* count = b_.CreateBinaryIntrinsic(
                  llvm::Intrinsic::smin, b_.CreateSub(n, offset), I64(block_));
              return AccumulateRange(accumulators,
                                     Carried(carried.begin(), carried.end()),
                                     offset, count, /*chains=*/1);
            });
  } else {
    const bool few = stages_.back().ops.size() <= kManyChainsLimit;
    state = AccumulateRange(accumulators, state, I64(0), n, few ? 4 : 2);
  }

  for (const Accumulator& a : accumulators) {
    llvm::Value** slot = &state[a.slot];
    Val value{slot[0], a.complex() ? slot[1] : nullptr};
    if (a.kind == Kind::kTree) {
      // NumPy adds the sum to its identity: -0.0 becomes 0.0.
      value = Combine(b_, a.combiner, a.dtype, PositiveZero(value), value);
    }
    if (a.kind == Kind::kFree)
      value = Combine(b_, a.combiner, a.dtype,
                      JoinLanes(a.combiner, a.dtype, {slot[0]}), {slot[1]});
    StoreResult(a.output, value, /*joined=*/a.kind == Kind::kInOrder);
  }
}

KernelEmitter::Carried KernelEmitter::InitialState(
    const Accumulators& accumulators) {
  Carried state;
  for (const Accumulator& a : accumulators) {
    Val one = Identity(context_, a.combiner, a.dtype, 1);
    if (a.kind == Kind::kInOrder) {
      // Joining in order goes on from what the output holds.
      if (spec_.reduction == Reduction::kInnerAccumulate)
        one = LoadElement(TypeInMemory(a.dtype),
                          bases_[spec_.inputs.size() + a.output]);
      else if (a.combiner == Combiner::kOrderedSum)
        one = PositiveZero(one);
    }
    if (a.kind == Kind::kFree)
      state.push_back(Identity(context_, a.combiner, a.dtype, width_).re);
    state.push_back(one.re);
    if (a.complex()) state.push_back(one.im);
  }
  return state;
}

// Neighbouring lanes are joined first: ((0 + 1) + (2 + 3)) + ((4 + 5) + ...).
Val KernelEmitter::JoinLanes(Combiner combiner, DType dtype, Val value) {
  for (int n = width_; n > 1; n /= 2) {
    llvm::SmallVector<int> even, odd;
    for (int l = 0; l < n; l += 2) {
      even.push_back(l);
      odd.push_back(l + 1);
    }
    auto pick = [&](const llvm::SmallVector<int>& lanes) {
      Val part{b_.CreateShuffleVector(value.re, lanes)};
      if (value.im) part.im = b_.CreateShuffleVector(value.im, lanes);
      return part;
    };
    const Val first = pick(even), second = pick(odd);
    value = Combine(b_, combiner, dtype, first, second);
  }
  value.re = b_.CreateExtractElement(value.re, uint64_t{0});
  if (value.im) value.im = b_.CreateExtractElement(value.im, uint64_t{0});
  return value;
}

Val KernelEmitter::EmptyResult(Combiner combiner, DType dtype) {
  const Val identity = Identity(context_, combiner, dtype, 1);
  const bool sum =
      combiner == Combiner::kSum || combiner == Combiner::kOrderedSum;
  return sum && KindOf(combiner, dtype) != Kind::kFree ? PositiveZero(identity)
                                                       : identity;
}

void KernelEmitter::StoreResult(int output, Val value, bool joined) {
  const OperandSpec& out = spec_.outputs[output];
  const MemType type = TypeInMemory(out.dtype);
  llvm::Value* address = bases_[spec_.inputs.size() + output];
  const Combiner combiner = spec_.combiners[output];
  if (spec_.reduction == Reduction::kInnerAccumulate && !joined)
    value = Combine(b_, combiner, out.dtype, LoadElement(type, address), value);
  StoreElement(type, address, value);
}

KernelEmitter::Carried KernelEmitter::AccumulateRange(
    const Accumulators& accumulators, Carried state, llvm::Value* offset,
    llvm::Value* n, int chains) {
  llvm::Value* from = offset;
  if (HasCalls()) {
    EmitEarlyStages(offset, n);
    from = I64(0);
  }
  llvm::Value* to = b_.CreateAdd(from, n);
  const int last = static_cast<int>(stages_.size()) - 1;
  auto elements = [&](const Step& step) {
    Env env;
    EmitStage(last, step, env);
    llvm::SmallVector<Val> values;
    for (const Accumulator& a : accumulators)
      values.push_back(
          Read(spec_.body->getTerminator()->getOperand(a.output), step, env));
    return values;
  };
  auto get = [](llvm::ArrayRef<llvm::Value*> values, const Accumulator& a,
                size_t place) {
    return Val{values[place], a.complex() ? values[place + 1] : nullptr};
  };
  auto put = [](Carried& values, size_t place, Val value) {
    values[place] = value.re;
    if (value.im) values[place + 1] = value.im;
  };

  // Full vectors. The loop carries the state, with a vector for each tree, and
  // behind it the further chains of the free accumulators.
  bool any_tree = false, any_in_order = false;
  Carried carried = state;
  std::vector<size_t> chain_slots;
  for (const Accumulator& a : accumulators) {
    any_tree |= a.kind == Kind::kTree;
    any_in_order |= a.kind == Kind::kInOrder;
    const Val identity = Identity(context_, a.combiner, a.dtype, width_);
    if (a.kind == Kind::kTree) put(carried, a.slot, identity);
    chain_slots.push_back(carried.size());
    if (a.kind == Kind::kFree)
      for (int c = 1; c < chains; ++c) carried.push_back(identity.re);
  }
  const int unroll = chains;
  const int64_t stride = int64_t{width_} * unroll;
  llvm::Value* end = b_.CreateAdd(from, b_.CreateAnd(n, I64(-stride)));
  carried = For(from, end, stride, carried,
                [&](llvm::Value* index, llvm::ArrayRef<llvm::Value*> current) {
                  Carried next(current.begin(), current.end());
                  for (int u = 0; u < unroll; ++u) {
                    const auto values = elements(
                        Step{width_, b_.CreateAdd(index, I64(u * width_))});
                    for (size_t i = 0; i < accumulators.size(); ++i) {
                      const Accumulator& a = accumulators[i];
                      const size_t place = a.kind == Kind::kFree && u > 0
                                               ? chain_slots[i] + u - 1
                                               : a.slot;
                      Val sum = get(next, a, place);
                      if (a.kind != Kind::kInOrder) {
                        put(next, place,
                            Combine(b_, a.combiner, a.dtype, sum, values[i]));
                        continue;
                      }
                      for (int l = 0; l < width_; ++l) {
                        Val lane{b_.CreateExtractElement(values[i].re, l)};
                        if (a.complex())
                          lane.im = b_.CreateExtractElement(values[i].im, l);
                        sum = Combine(b_, a.combiner, a.dtype, sum, lane);
                      }
                      put(next, a.slot, sum);
                    }
                  }
                  return next;
                });
  for (size_t i = 0; i < accumulators.size(); ++i) {
    const Accumulator& a = accumulators[i];
    Val sum = get(carried, a, a.slot);
    if (a.kind == Kind::kTree) sum = JoinLanes(a.combiner, a.dtype, sum);
    if (a.kind == Kind::kFree)
      for (int c = 1; c < chains; ++c)
        sum = Combine(b_, a.combiner, a.dtype, sum,
                      {carried[chain_slots[i] + c - 1]});
    put(carried, a.slot, sum);
  }
  carried.truncate(state.size());

  // The rest: in order one by one, or with a mask if the order is free.
  if (target_.HasMasks() && !any_tree && !any_in_order) {
    return For(
        end, to, width_, carried,
        [&](llvm::Value* index, llvm::ArrayRef<llvm::Value*> current) {
          Carried next(current.begin(), current.end());
          const Step step = MaskedStep(index, to);
          const auto values = elements(step);
          for (size_t i = 0; i < accumulators.size(); ++i) {
            const Accumulator& a = accumulators[i];
            const Val rest =
                Select(b_, step.mask, values[i],
                       Identity(context_, a.combiner, a.dtype, width_));
            put(next, a.slot,
                Combine(b_, a.combiner, a.dtype, get(next, a, a.slot), rest));
          }
          return next;
        });
  }
  return For(
      end, to, 1, carried,
      [&](llvm::Value* index, llvm::ArrayRef<llvm::Value*> current) {
        Carried next(current.begin(), current.end());
        const auto values = elements(Step{1, index});
        for (size_t i = 0; i < accumulators.size(); ++i) {
          const Accumulator& a = accumulators[i];
          const size_t place = a.kind == Kind::kFree ? a.slot + 1 : a.slot;
          put(next, place,
              Combine(b_, a.combiner, a.dtype, get(next, a, place), values[i]));
        }
        return next;
      });
}

// Walks the tree of halves without recursion. The stack holds, for each left
// half being summed, the size of its right sibling; then, while that is summed,
// -1 and the left half's sum.
KernelEmitter::Carried KernelEmitter::AccumulateTree(
    const Accumulators& accumulators, llvm::Value* n) {
  const bool complex = width_ < kAccumulators;
  const Carried initial = InitialState(accumulators);
  llvm::Value* sizes = StackMemory(8 * kMaxDepth, 8);
  // Per place of the state: left sums, or what the other accumulators hold.
  std::vector<llvm::Value*> memory;
  for (llvm::Value* value : initial) {
    const int64_t bytes = std::max<int64_t>(
        8, module_.getDataLayout().getTypeStoreSize(value->getType()));
    memory.push_back(StackMemory(bytes * kMaxDepth, 64));
  }
  auto tree_slots = [&] {
    std::vector<size_t> slots;
    for (const Accumulator& a : accumulators)
      if (a.kind == Kind::kTree)
        for (size_t s = 0; s < a.slots(); ++s) slots.push_back(a.slot + s);
    return slots;
  }();
  auto is_tree = [&](size_t s) { return llvm::is_contained(tree_slots, s); };
  auto at = [&](llvm::Type* type, llvm::Value* stack, llvm::Value* place) {
    return b_.CreateGEP(type, stack, place);
  };
  for (size_t s = 0; s < initial.size(); ++s)
    if (!is_tree(s))
      b_.CreateAlignedStore(initial[s], memory[s], llvm::Align(1));

  auto block = [&](const char* name) {
    return llvm::BasicBlock::Create(context_, name, function_);
  };
  auto *descend = block("descend"), *split = block("split"),
       *leaf = block("leaf"), *ascend = block("ascend"),
       *sibling = block("sibling"), *right = block("right"),
       *join = block("join"), *done = block("summed");
  llvm::Type* i64 = b_.getInt64Ty();
  llvm::BasicBlock* before = b_.GetInsertBlock();
  b_.CreateBr(descend);

  b_.SetInsertPoint(descend);
  llvm::PHINode* count = b_.CreatePHI(i64, 3);
  llvm::PHINode* depth = b_.CreatePHI(i64, 3);
  llvm::PHINode* offset = b_.CreatePHI(i64, 3);
  count->addIncoming(n, before);
  depth->addIncoming(I64(0), before);
  offset->addIncoming(I64(0), before);
  const int64_t leaf_size = complex ? kLeafFloats / 2 : kLeafFloats;
  b_.CreateCondBr(b_.CreateICmpSGT(count, I64(leaf_size)), split, leaf);

  b_.SetInsertPoint(split);
  // Half the floats, less what is beyond a multiple of eight.
  llvm::Value* half =
      complex ? b_.CreateLShr(b_.CreateAnd(count, I64(-kAccumulators)), 1)
              : b_.CreateAnd(b_.CreateLShr(count, 1), I64(-kAccumulators));
  b_.CreateStore(b_.CreateSub(count, half), at(i64, sizes, depth));
  count->addIncoming(half, split);
  depth->addIncoming(b_.CreateAdd(depth, I64(1)), split);
  offset->addIncoming(offset, split);
  b_.CreateBr(descend);

  b_.SetInsertPoint(leaf);
  Carried state = initial;
  for (size_t s = 0; s < state.size(); ++s)
    if (!is_tree(s))
      state[s] = b_.CreateAlignedLoad(initial[s]->getType(), memory[s],
                                      llvm::Align(1));
  state = AccumulateRange(accumulators, state, offset, count, /*chains=*/1);
  for (size_t s = 0; s < state.size(); ++s)
    if (!is_tree(s)) b_.CreateAlignedStore(state[s], memory[s], llvm::Align(1));
  llvm::Value* next_offset = b_.CreateAdd(offset, count);
  llvm::BasicBlock* leaf_end = b_.GetInsertBlock();
  b_.CreateBr(ascend);

  b_.SetInsertPoint(ascend);
  llvm::PHINode* level = b_.CreatePHI(i64, 2);
  level->addIncoming(depth, leaf_end);
  std::vector<llvm::PHINode*> sums;
  for (size_t s : tree_slots) {
    sums.push_back(b_.CreatePHI(state[s]->getType(), 2));
    sums.back()->addIncoming(state[s], leaf_end);
  }
  b_.CreateCondBr(b_.CreateICmpEQ(level, I64(0)), done, sibling);

  b_.SetInsertPoint(sibling);
  llvm::Value* above = b_.CreateSub(level, I64(1));
  llvm::Value* size = b_.CreateLoad(i64, at(i64, sizes, above));
  b_.CreateCondBr(b_.CreateICmpSGE(size, I64(0)), right, join);

  b_.SetInsertPoint(right);
  for (size_t i = 0; i < sums.size(); ++i)
    b_.CreateStore(sums[i],
                   at(sums[i]->getType(), memory[tree_slots[i]], above));
  b_.CreateStore(I64(-1), at(i64, sizes, above));
  count->addIncoming(size, right);
  depth->addIncoming(level, right);
  offset->addIncoming(next_offset, right);
  b_.CreateBr(descend);

  b_.SetInsertPoint(join);
  level->addIncoming(above, join);
  for (size_t i = 0; i < sums.size(); ++i) {
    llvm::Type* type = sums[i]->getType();
    llvm::Value* left =
        b_.CreateLoad(type, at(type, memory[tree_slots[i]], above));
    sums[i]->addIncoming(b_.CreateFAdd(left, sums[i]), join);
  }
  b_.CreateBr(ascend);

  b_.SetInsertPoint(done);
  Carried result = initial;
  for (size_t s = 0; s < result.size(); ++s)
    if (!is_tree(s))
      result[s] = b_.CreateAlignedLoad(initial[s]->getType(), memory[s],
                                       llvm::Align(1));
  for (size_t i = 0; i < sums.size(); ++i) result[tree_slots[i]] = sums[i];
  return result;
}

}  // namespace fuseau::codegen

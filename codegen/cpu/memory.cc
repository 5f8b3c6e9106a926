// Loads and stores of rows. Arrays need not be aligned, so every access says
// alignment 1; the processor's unaligned moves cost nothing on aligned data.

#include "codegen/cpu/kernel_emitter.h"
#include "runtime/base/status.h"
#include "runtime/plan.h"

namespace fuseau::codegen {
namespace {

constexpr llvm::Align kAlign{};  // 1

// Stores past the caches are at least so long.
constexpr int64_t kStreamBytes = 16;

// Shuffle masks: lane l takes element first + l * step.
llvm::SmallVector<int> Pick(int width, int first, int step) {
  llvm::SmallVector<int> mask(width);
  for (int l = 0; l < width; ++l) mask[l] = first + l * step;
  return mask;
}

// Each lane of a mask twice: for both parts of complex numbers.
llvm::Value* Twice(llvm::IRBuilder<>& b, llvm::Value* mask, int width) {
  llvm::SmallVector<int> lanes;
  for (int l = 0; l < 2 * width; ++l) lanes.push_back(l / 2);
  return b.CreateShuffleVector(mask, lanes);
}

// A bool is a byte in memory and an i1 in the body.
Val ToBody(llvm::IRBuilder<>& b, const MemType& type, Val raw) {
  if (!type.boolean) return raw;
  return {
      b.CreateICmpNE(raw.re, llvm::Constant::getNullValue(raw.re->getType()))};
}

Val ToMemory(llvm::IRBuilder<>& b, const MemType& type, Val value) {
  if (!type.boolean) return value;
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value.re->getType());
  const int width = vector ? vector->getNumElements() : 1;
  return {b.CreateZExt(value.re, WithLanes(type.part, width))};
}

}  // namespace

MemType KernelEmitter::TypeInMemory(mlir::Type type) {
  MemType result;
  result.part = PartType(context_, type);
  result.complex = mlir::isa<mlir::ComplexType>(type);
  result.boolean = type.isInteger(1);
  if (result.boolean) result.part = b_.getInt8Ty();
  result.size = result.part->getScalarSizeInBits() / 8;
  if (result.complex) result.size *= 2;
  return result;
}

MemType KernelEmitter::TypeInMemory(DType dtype) {
  return TypeInMemory(
      ir::ScalarType(spec_.body->getParentOp()->getContext(), dtype));
}

Row KernelEmitter::MakeRow(const OperandSpec& operand, int place,
                           llvm::Value* base) {
  Row row;
  row.type = TypeInMemory(operand.dtype);
  row.inner = operand.inner;
  row.iota = operand.iota;
  row.streamed = operand.streamed && VectorBytes(row) >= kStreamBytes;
  row.base = base;
  if (row.inner != Inner::kStrided || spec_.rank == 0) return row;
  row.stride = LoadSlot(runtime::OperandSlot(spec_.rank, place) + 1 +
                        spec_.InnerDimension());
  if (width_ > 1 && row.iota) {
    llvm::SmallVector<llvm::Constant*> lanes;
    for (int l = 0; l < width_; ++l) lanes.push_back(b_.getInt64(l));
    row.lanes = b_.CreateMul(llvm::ConstantVector::get(lanes),
                             Splat(b_, row.stride, width_));
  }
  return row;
}

Row KernelEmitter::Advance(const Row& row, llvm::Value* offset) {
  Row moved = row;
  if (row.inner == Inner::kBroadcast) return moved;
  if (row.iota)
    moved.base = b_.CreateAdd(row.base, b_.CreateMul(offset, row.stride));
  else
    moved.base = ElementAddress(row, offset);
  return moved;
}

llvm::Value* KernelEmitter::ElementAddress(const Row& row, llvm::Value* index) {
  switch (row.inner) {
    case Inner::kBroadcast:
      return row.base;
    case Inner::kStrided:
      // A single element has no stride.
      if (!row.stride) return row.base;
      return b_.CreatePtrAdd(row.base, b_.CreateMul(index, row.stride));
    case Inner::kBackwards:
      index = b_.CreateNeg(index);
      break;
    case Inner::kContiguous:
      break;
  }
  if (row.type.complex) index = b_.CreateShl(index, 1);
  return b_.CreateGEP(row.type.part, row.base, index);
}

// The lowest address that a full vector touches.
llvm::Value* KernelEmitter::DenseAddress(const Row& row, const Step& step) {
  llvm::Value* index = step.index;
  if (row.inner == Inner::kBackwards)
    index = b_.CreateAdd(index, I64(step.width - 1));
  return ElementAddress(row, index);
}

llvm::Value* KernelEmitter::LastIndex(const Step& step) {
  return b_.CreateAdd(step.index, b_.CreateSub(step.rem, I64(1)));
}

llvm::Value* KernelEmitter::Reverse(llvm::Value* vector) {
  const int n =
      llvm::cast<llvm::FixedVectorType>(vector->getType())->getNumElements();
  return b_.CreateShuffleVector(vector, Pick(n, n - 1, -1));
}

Val KernelEmitter::LoadElement(const MemType& type, llvm::Value* address) {
  Val raw{b_.CreateAlignedLoad(type.part, address, kAlign)};
  if (type.complex) {
    llvm::Value* im = b_.CreateConstGEP1_64(type.part, address, 1);
    raw.im = b_.CreateAlignedLoad(type.part, im, kAlign);
  }
  return ToBody(b_, type, raw);
}

void KernelEmitter::StoreElement(const MemType& type, llvm::Value* address,
                                 Val value) {
  const Val raw = ToMemory(b_, type, value);
  b_.CreateAlignedStore(raw.re, address, kAlign);
  if (type.complex)
    b_.CreateAlignedStore(raw.im, b_.CreateConstGEP1_64(type.part, address, 1),
                          kAlign);
}

Val KernelEmitter::Load(const Row& row, const Step& step) {
  if (row.iota) return LoadIota(row, step);
  if (step.width == 1 || row.inner == Inner::kBroadcast) {
    Val value = LoadElement(row.type, ElementAddress(row, step.index));
    value.re = Splat(b_, value.re, step.width);
    if (value.im) value.im = Splat(b_, value.im, step.width);
    return value;
  }
  if (row.inner == Inner::kStrided) return LoadStrided(row, step);
  return LoadDense(row, step);
}

void KernelEmitter::Store(const Row& row, const Step& step, Val value) {
  if (step.width == 1) {
    StoreElement(row.type, ElementAddress(row, step.index), value);
  } else if (row.inner == Inner::kBroadcast) {
    // All lanes go to one place; the last one stays.
    llvm::Value* last =
        step.rem ? b_.CreateSub(step.rem, I64(1)) : I64(step.width - 1);
    value.re = b_.CreateExtractElement(value.re, last);
    if (value.im) value.im = b_.CreateExtractElement(value.im, last);
    StoreElement(row.type, row.base, value);
  } else if (row.inner == Inner::kStrided) {
    StoreStrided(row, step, value);
  } else {
    StoreDense(row, step, value);
  }
}

// The value converted from 64 bits to the type of the body argument.
Val KernelEmitter::LoadIota(const Row& row, const Step& step) {
  llvm::Value* value = row.base;
  if (row.stride)
    value = b_.CreateAdd(value, b_.CreateMul(step.index, row.stride));
  value = Splat(b_, value, step.width);
  if (step.width > 1 && row.lanes)
    value = b_.CreateAdd(value, LaneOffsets(row, step));
  llvm::Type* type = WithLanes(row.type.part, step.width);
  if (type->isFPOrFPVectorTy()) {
    value = b_.CreateSIToFP(value, type);
  } else if (row.type.boolean) {
    value =
        b_.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
  } else {
    value = b_.CreateTrunc(value, type);
  }
  if (!row.type.complex) return {value};
  return {value, llvm::Constant::getNullValue(type)};
}

// lane * stride, where lanes that do not exist stand at the last that does.
llvm::Value* KernelEmitter::LaneOffsets(const Row& row, const Step& step) {
  if (!step.rem) return row.lanes;
  llvm::SmallVector<llvm::Constant*> lanes;
  for (int l = 0; l < step.width; ++l) lanes.push_back(b_.getInt64(l));
  llvm::Value* last = b_.CreateSub(step.rem, I64(1));
  llvm::Value* clamped = b_.CreateBinaryIntrinsic(
      llvm::Intrinsic::umin, llvm::ConstantVector::get(lanes),
      Splat(b_, last, step.width));
  return b_.CreateMul(clamped, Splat(b_, row.stride, step.width));
}

Val KernelEmitter::LoadDense(const Row& row, const Step& step) {
  const MemType& type = row.type;
  const int width = step.width;
  const int parts = type.complex ? 2 * width : width;
  llvm::Type* vector = WithLanes(type.part, parts);
  llvm::Value* address = DenseAddress(row, step);
  const bool backwards = row.inner == Inner::kBackwards;
  llvm::Value* loaded;
  if (step.mask) {
    llvm::Value* mask = backwards ? Reverse(step.mask) : step.mask;
    if (type.complex) mask = Twice(b_, mask, width);
    llvm::Value* last_address = ElementAddress(row, LastIndex(step));
    llvm::Value* last = b_.CreateAlignedLoad(type.part, last_address, kAlign);
    llvm::Value* rest = Splat(b_, last, parts);
    if (type.complex) {
      llvm::Value* im = b_.CreateAlignedLoad(
          type.part, b_.CreateConstGEP1_64(type.part, last_address, 1), kAlign);
      llvm::SmallVector<int> mix(parts);
      for (int i = 0; i < parts; ++i) mix[i] = i % 2 ? parts + i : i;
      rest = b_.CreateShuffleVector(rest, Splat(b_, im, parts), mix);
    }
    loaded = b_.CreateMaskedLoad(vector, address, kAlign, mask, rest);
  } else {
    loaded = b_.CreateAlignedLoad(vector, address, kAlign);
  }
  if (!type.complex)
    return ToBody(b_, type, {backwards ? Reverse(loaded) : loaded});
  const int first = backwards ? parts - 2 : 0;
  const int stride = backwards ? -2 : 2;
  return {b_.CreateShuffleVector(loaded, Pick(width, first, stride)),
          b_.CreateShuffleVector(loaded, Pick(width, first + 1, stride))};
}

void KernelEmitter::StoreDense(const Row& row, const Step& step, Val value) {
  const MemType& type = row.type;
  const int width = step.width;
  const bool backwards = row.inner == Inner::kBackwards;
  const Val raw = ToMemory(b_, type, value);
  llvm::Value* vector = raw.re;
  if (type.complex) {
    llvm::SmallVector<int> mix(2 * width);
    for (int i = 0; i < width; ++i) {
      const int lane = backwards ? width - 1 - i : i;
      mix[2 * i] = lane;
      mix[2 * i + 1] = width + lane;
    }
    vector = b_.CreateShuffleVector(raw.re, raw.im, mix);
  } else if (backwards) {
    vector = Reverse(vector);
  }
  llvm::Value* address = DenseAddress(row, step);
  if (!step.mask) {
    const bool streams = row.streamed && step.aligned;
    llvm::StoreInst* store = b_.CreateAlignedStore(
        vector, address, streams ? llvm::Align(VectorBytes(row)) : kAlign);
    if (streams)
      store->setMetadata(
          llvm::LLVMContext::MD_nontemporal,
          llvm::MDNode::get(context_,
                            llvm::ConstantAsMetadata::get(b_.getInt32(1))));
    return;
  }
  llvm::Value* mask = backwards ? Reverse(step.mask) : step.mask;
  if (type.complex) mask = Twice(b_, mask, width);
  b_.CreateMaskedStore(vector, address, kAlign, mask);
}

// A load for each lane: gathers take five times as long where the processor is
// guarded against data sampling, and scatters twice as long as single stores on
// processors that run them as microcode.
Val KernelEmitter::LoadStrided(const Row& row, const Step& step) {
  const MemType& type = row.type;
  const int width = step.width;
  llvm::Type* vector = WithLanes(type.part, width);
  llvm::Value* address = ElementAddress(row, step.index);
  Val raw;
  raw.re = llvm::PoisonValue::get(vector);
  if (type.complex) raw.im = raw.re;
  for (int l = 0; l < width; ++l) {
    raw.re = b_.CreateInsertElement(
        raw.re, b_.CreateAlignedLoad(type.part, address, kAlign), l);
    if (type.complex) {
      llvm::Value* im = b_.CreateConstGEP1_64(type.part, address, 1);
      raw.im = b_.CreateInsertElement(
          raw.im, b_.CreateAlignedLoad(type.part, im, kAlign), l);
    }
    llvm::Value* move = row.stride;
    if (step.rem)
      move =
          b_.CreateSelect(b_.CreateICmpSLT(I64(l + 1), step.rem), move, I64(0));
    if (l + 1 < width) address = b_.CreatePtrAdd(address, move);
  }
  return ToBody(b_, type, raw);
}

void KernelEmitter::StoreStrided(const Row& row, const Step& step, Val value) {
  const MemType& type = row.type;
  const int width = step.width;
  const Val raw = ToMemory(b_, type, value);
  llvm::Value* address = ElementAddress(row, step.index);
  for (int l = 0; l < width; ++l) {
    b_.CreateAlignedStore(b_.CreateExtractElement(raw.re, l), address, kAlign);
    if (type.complex)
      b_.CreateAlignedStore(b_.CreateExtractElement(raw.im, l),
                            b_.CreateConstGEP1_64(type.part, address, 1),
                            kAlign);
    llvm::Value* move = row.stride;
    if (step.rem)
      move =
          b_.CreateSelect(b_.CreateICmpSLT(I64(l + 1), step.rem), move, I64(0));
    if (l + 1 < width) address = b_.CreatePtrAdd(address, move);
  }
}

}  // namespace fuseau::codegen

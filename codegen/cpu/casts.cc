#include "codegen/cpu/casts.h"

#include <cmath>

#include "llvm/IR/Constants.h"

namespace fuseau::codegen {
namespace {

// The processor's conversions give the smallest number for what does not fit.
int64_t ToInt(double x, unsigned bits) {
  const double limit = std::ldexp(1.0, bits - 1);
  x = std::trunc(x);
  if (!(x >= -limit && x < limit)) return INT64_MIN >> (64 - bits);
  return static_cast<int64_t>(x);
}

// LLVM folds conversions of constants; out of range that gives poison, so
// constants are converted here. Other operands become the processor's
// instruction, which is what we want of them.
llvm::Value* Convert(llvm::IRBuilder<>& b, llvm::Value* x, unsigned bits) {
  llvm::Type* type = b.getIntNTy(bits);
  if (auto* vector = llvm::dyn_cast<llvm::VectorType>(x->getType()))
    type = llvm::VectorType::get(type, vector->getElementCount());
  llvm::Constant* constant = llvm::dyn_cast<llvm::Constant>(x);
  if (constant && x->getType()->isVectorTy())
    constant = constant->getSplatValue();
  if (auto* fp = llvm::dyn_cast_or_null<llvm::ConstantFP>(constant)) {
    llvm::APFloat value = fp->getValueAPF();
    bool inexact;
    value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmTowardZero,
                  &inexact);
    return llvm::ConstantInt::getSigned(type,
                                        ToInt(value.convertToDouble(), bits));
  }
  return b.CreateFPToSI(x, type);
}

}  // namespace

llvm::Value* CastFloatToInt(llvm::IRBuilder<>& b, llvm::Value* x,
                            llvm::Type* type, bool is_signed) {
  const unsigned bits = type->getScalarSizeInBits();
  // Narrow types go through int32 and keep its low bits.
  if (bits < 32) return b.CreateTrunc(Convert(b, x, 32), type);
  if (is_signed) return Convert(b, x, bits);
  // Unsigned: numbers in the upper half are moved down by half the range.
  llvm::Constant* half =
      llvm::ConstantFP::get(x->getType(), std::ldexp(1.0, bits - 1));
  llvm::Value* upper = b.CreateFCmpOGE(x, half);
  llvm::Value* low = b.CreateSelect(upper, b.CreateFSub(x, half), x);
  llvm::Value* flip = b.CreateSelect(
      upper, llvm::ConstantInt::get(type, llvm::APInt::getSignMask(bits)),
      llvm::Constant::getNullValue(type));
  return b.CreateXor(Convert(b, low, bits), flip);
}

}  // namespace fuseau::codegen

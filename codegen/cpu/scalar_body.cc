#include "codegen/cpu/scalar_body.h"

#include "absl/strings/str_cat.h"
#include "codegen/cpu/casts.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Intrinsics.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

namespace arith = mlir::arith;
using Builder = llvm::IRBuilder<>;
using Operands = llvm::ArrayRef<Val>;

// What a row of the table gets.
struct Context {
  Builder& b;
  int width;
  mlir::Operation& op;

  llvm::Type* ResultType() const {
    return WithLanes(PartType(b.getContext(), op.getResult(0).getType()),
                     width);
  }
  llvm::Constant* Int(llvm::Type* type, const llvm::APInt& value) const {
    return llvm::ConstantInt::get(type, value);
  }
};
using Form = Val (*)(const Context&, Operands);

template <llvm::Instruction::BinaryOps opcode>
Val Binary(const Context& c, Operands x) {
  return {c.b.CreateBinOp(opcode, x[0].re, x[1].re)};
}
template <llvm::Intrinsic::ID id>
Val BinaryIntrinsic(const Context& c, Operands x) {
  return {c.b.CreateBinaryIntrinsic(id, x[0].re, x[1].re)};
}
template <llvm::Intrinsic::ID id>
Val Unary(const Context& c, Operands x) {
  return {c.b.CreateUnaryIntrinsic(id, x[0].re)};
}
template <llvm::Instruction::CastOps opcode>
Val Cast(const Context& c, Operands x) {
  return {c.b.CreateCast(opcode, x[0].re, c.ResultType())};
}
template <bool is_signed>
Val FloatToInt(const Context& c, Operands x) {
  return {CastFloatToInt(c.b, x[0].re, c.ResultType(), is_signed)};
}

// Integer division never traps: as in NumPy, n / 0 and n % 0 are 0, and the
// smallest number divided by -1 stays as it is.
template <llvm::Instruction::BinaryOps opcode>
Val Divide(const Context& c, Operands x) {
  using llvm::Instruction;
  constexpr bool is_signed =
      opcode == Instruction::SDiv || opcode == Instruction::SRem;
  constexpr bool is_quotient =
      opcode == Instruction::SDiv || opcode == Instruction::UDiv;
  llvm::Value *n = x[0].re, *d = x[1].re;
  llvm::Type* type = n->getType();
  const unsigned bits = type->getScalarSizeInBits();
  llvm::Value* zero = llvm::Constant::getNullValue(type);
  llvm::Value* one = c.Int(type, llvm::APInt(bits, 1));
  llvm::Value* by_zero = c.b.CreateICmpEQ(d, zero);
  llvm::Value* unsafe = by_zero;
  if (is_signed) {
    llvm::Value* least = c.Int(type, llvm::APInt::getSignedMinValue(bits));
    llvm::Value* overflow = c.b.CreateAnd(
        c.b.CreateICmpEQ(n, least),
        c.b.CreateICmpEQ(d, llvm::Constant::getAllOnesValue(type)));
    unsafe = c.b.CreateOr(unsafe, overflow);
  }
  llvm::Value* r = c.b.CreateBinOp(opcode, n, c.b.CreateSelect(unsafe, one, d));
  if (is_quotient) r = c.b.CreateSelect(by_zero, zero, r);
  return {r};
}

// As in NumPy, a shift by the width or more moves all bits out.
template <llvm::Instruction::BinaryOps opcode>
Val Shift(const Context& c, Operands x) {
  llvm::Type* type = x[0].re->getType();
  const unsigned bits = type->getScalarSizeInBits();
  llvm::Value* fits =
      c.b.CreateICmpULT(x[1].re, c.Int(type, llvm::APInt(bits, bits)));
  const bool arithmetic = opcode == llvm::Instruction::AShr;
  llvm::Value* last = c.Int(type, llvm::APInt(bits, bits - 1));
  llvm::Value* safe = c.b.CreateSelect(
      fits, x[1].re, arithmetic ? last : llvm::Constant::getNullValue(type));
  llvm::Value* r = c.b.CreateBinOp(opcode, x[0].re, safe);
  if (arithmetic) return {r};
  return {c.b.CreateSelect(fits, r, llvm::Constant::getNullValue(type))};
}

Val CompareInts(const Context& c, Operands x) {
  using llvm::CmpInst;
  static constexpr CmpInst::Predicate kPredicates[] = {
      CmpInst::ICMP_EQ,  CmpInst::ICMP_NE,  CmpInst::ICMP_SLT,
      CmpInst::ICMP_SLE, CmpInst::ICMP_SGT, CmpInst::ICMP_SGE,
      CmpInst::ICMP_ULT, CmpInst::ICMP_ULE, CmpInst::ICMP_UGT,
      CmpInst::ICMP_UGE};
  auto op = mlir::cast<arith::CmpIOp>(c.op);
  return {c.b.CreateICmp(kPredicates[static_cast<int>(op.getPredicate())],
                         x[0].re, x[1].re)};
}

llvm::CmpInst::Predicate FloatPredicate(arith::CmpFPredicate p) {
  using P = arith::CmpFPredicate;
  using llvm::CmpInst;
  switch (p) {
    case P::AlwaysFalse:
      return CmpInst::FCMP_FALSE;
    case P::OEQ:
      return CmpInst::FCMP_OEQ;
    case P::OGT:
      return CmpInst::FCMP_OGT;
    case P::OGE:
      return CmpInst::FCMP_OGE;
    case P::OLT:
      return CmpInst::FCMP_OLT;
    case P::OLE:
      return CmpInst::FCMP_OLE;
    case P::ONE:
      return CmpInst::FCMP_ONE;
    case P::ORD:
      return CmpInst::FCMP_ORD;
    case P::UEQ:
      return CmpInst::FCMP_UEQ;
    case P::UGT:
      return CmpInst::FCMP_UGT;
    case P::UGE:
      return CmpInst::FCMP_UGE;
    case P::ULT:
      return CmpInst::FCMP_ULT;
    case P::ULE:
      return CmpInst::FCMP_ULE;
    case P::UNE:
      return CmpInst::FCMP_UNE;
    case P::UNO:
      return CmpInst::FCMP_UNO;
    case P::AlwaysTrue:
      return CmpInst::FCMP_TRUE;
  }
  return CmpInst::FCMP_FALSE;
}

// A comparison that raises no flag for NaN. For an order, the processor's usual
// vector instruction would: the constrained form asks for the quiet one.
llvm::Value* CompareQuietly(Builder& b, llvm::CmpInst::Predicate predicate,
                            llvm::Value* x, llvm::Value* y) {
  using llvm::CmpInst;
  switch (predicate) {
    case CmpInst::FCMP_OGT:
    case CmpInst::FCMP_OGE:
    case CmpInst::FCMP_OLT:
    case CmpInst::FCMP_OLE:
    case CmpInst::FCMP_UGT:
    case CmpInst::FCMP_UGE:
    case CmpInst::FCMP_ULT:
    case CmpInst::FCMP_ULE:
      return b.CreateConstrainedFPCmp(
          llvm::Intrinsic::experimental_constrained_fcmp, predicate, x, y, "",
          llvm::fp::ebIgnore);
    default:
      return b.CreateFCmp(predicate, x, y);
  }
}

Val CompareFloats(const Context& c, Operands x) {
  auto op = mlir::cast<arith::CmpFOp>(c.op);
  return {
      CompareQuietly(c.b, FloatPredicate(op.getPredicate()), x[0].re, x[1].re)};
}

Val SelectForm(const Context& c, Operands x) {
  return Select(c.b, x[0].re, x[1], x[2]);
}

llvm::Constant* ConstantPart(const Context& c, mlir::Attribute attribute,
                             llvm::Type* type) {
  if (auto f = mlir::dyn_cast<mlir::FloatAttr>(attribute))
    return llvm::ConstantFP::get(type, f.getValue());
  auto i = mlir::cast<mlir::IntegerAttr>(attribute);
  return llvm::ConstantInt::get(type, i.getValue());
}

Val Constant(const Context& c, Operands) {
  return {ConstantPart(c, mlir::cast<arith::ConstantOp>(c.op).getValue(),
                       c.ResultType())};
}

Val Bitcast(const Context& c, Operands x) {
  return {c.b.CreateBitCast(x[0].re, c.ResultType())};
}
Val Negate(const Context& c, Operands x) { return {c.b.CreateFNeg(x[0].re)}; }
Val AbsInt(const Context& c, Operands x) {
  return {
      c.b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x[0].re, c.b.getFalse())};
}
Val Fma(const Context& c, Operands x) {
  return {c.b.CreateIntrinsic(llvm::Intrinsic::fma, {x[0].re->getType()},
                              {x[0].re, x[1].re, x[2].re})};
}

Val ComplexCreate(const Context&, Operands x) { return {x[0].re, x[1].re}; }
Val ComplexRe(const Context&, Operands x) { return {x[0].re}; }
Val ComplexIm(const Context&, Operands x) { return {x[0].im}; }
Val ComplexConstant(const Context& c, Operands) {
  auto parts = mlir::cast<mlir::complex::ConstantOp>(c.op).getValue();
  return {ConstantPart(c, parts[0], c.ResultType()),
          ConstantPart(c, parts[1], c.ResultType())};
}
Val ComplexAdd(const Context& c, Operands x) {
  return {c.b.CreateFAdd(x[0].re, x[1].re), c.b.CreateFAdd(x[0].im, x[1].im)};
}
Val ComplexSub(const Context& c, Operands x) {
  return {c.b.CreateFSub(x[0].re, x[1].re), c.b.CreateFSub(x[0].im, x[1].im)};
}
Val ComplexMultiply(Builder& b, Val x, Val y) {
  return {b.CreateFSub(b.CreateFMul(x.re, y.re), b.CreateFMul(x.im, y.im)),
          b.CreateFAdd(b.CreateFMul(x.re, y.im), b.CreateFMul(x.im, y.re))};
}
Val ComplexMul(const Context& c, Operands x) {
  return ComplexMultiply(c.b, x[0], x[1]);
}
Val ComplexNeg(const Context& c, Operands x) {
  return {c.b.CreateFNeg(x[0].re), c.b.CreateFNeg(x[0].im)};
}
Val ComplexConj(const Context& c, Operands x) {
  return {x[0].re, c.b.CreateFNeg(x[0].im)};
}
Val ComplexEqual(const Context& c, Operands x) {
  return {c.b.CreateAnd(c.b.CreateFCmpOEQ(x[0].re, x[1].re),
                        c.b.CreateFCmpOEQ(x[0].im, x[1].im))};
}
Val ComplexNotEqual(const Context& c, Operands x) {
  return {c.b.CreateOr(c.b.CreateFCmpUNE(x[0].re, x[1].re),
                       c.b.CreateFCmpUNE(x[0].im, x[1].im))};
}

const llvm::StringMap<Form>& Table() {
  using I = llvm::Instruction;
  namespace intrinsic = llvm::Intrinsic;
  struct Row {
    const char* name;
    Form form;
  };
  static constexpr Row kRows[] = {
      {"arith.addi", Binary<I::Add>},
      {"arith.subi", Binary<I::Sub>},
      {"arith.muli", Binary<I::Mul>},
      {"arith.andi", Binary<I::And>},
      {"arith.ori", Binary<I::Or>},
      {"arith.xori", Binary<I::Xor>},
      {"arith.shli", Shift<I::Shl>},
      {"arith.shrsi", Shift<I::AShr>},
      {"arith.shrui", Shift<I::LShr>},
      {"arith.divsi", Divide<I::SDiv>},
      {"arith.divui", Divide<I::UDiv>},
      {"arith.remsi", Divide<I::SRem>},
      {"arith.remui", Divide<I::URem>},
      {"arith.minsi", BinaryIntrinsic<intrinsic::smin>},
      {"arith.maxsi", BinaryIntrinsic<intrinsic::smax>},
      {"arith.minui", BinaryIntrinsic<intrinsic::umin>},
      {"arith.maxui", BinaryIntrinsic<intrinsic::umax>},
      {"arith.cmpi", CompareInts},
      {"arith.cmpf", CompareFloats},
      {"arith.select", SelectForm},
      {"arith.extsi", Cast<I::SExt>},
      {"arith.extui", Cast<I::ZExt>},
      {"arith.trunci", Cast<I::Trunc>},
      {"arith.extf", Cast<I::FPExt>},
      {"arith.truncf", Cast<I::FPTrunc>},
      {"arith.sitofp", Cast<I::SIToFP>},
      {"arith.uitofp", Cast<I::UIToFP>},
      {"arith.fptosi", FloatToInt<true>},
      {"arith.fptoui", FloatToInt<false>},
      {"arith.bitcast", Bitcast},
      {"arith.constant", Constant},
      {"arith.negf", Negate},
      {"arith.addf", Binary<I::FAdd>},
      {"arith.subf", Binary<I::FSub>},
      {"arith.mulf", Binary<I::FMul>},
      {"arith.divf", Binary<I::FDiv>},
      {"arith.maximumf", BinaryIntrinsic<intrinsic::maximum>},
      {"arith.minimumf", BinaryIntrinsic<intrinsic::minimum>},
      {"arith.maxnumf", BinaryIntrinsic<intrinsic::maxnum>},
      {"arith.minnumf", BinaryIntrinsic<intrinsic::minnum>},
      {"math.sqrt", Unary<intrinsic::sqrt>},
      {"math.absf", Unary<intrinsic::fabs>},
      {"math.absi", AbsInt},
      {"math.floor", Unary<intrinsic::floor>},
      {"math.ceil", Unary<intrinsic::ceil>},
      {"math.trunc", Unary<intrinsic::trunc>},
      {"math.roundeven", Unary<intrinsic::roundeven>},
      {"math.copysign", BinaryIntrinsic<intrinsic::copysign>},
      {"math.ctpop", Unary<intrinsic::ctpop>},
      {"math.fma", Fma},
      {"complex.create", ComplexCreate},
      {"complex.re", ComplexRe},
      {"complex.im", ComplexIm},
      {"complex.constant", ComplexConstant},
      {"complex.add", ComplexAdd},
      {"complex.sub", ComplexSub},
      {"complex.mul", ComplexMul},
      {"complex.neg", ComplexNeg},
      {"complex.conj", ComplexConj},
      {"complex.eq", ComplexEqual},
      {"complex.neq", ComplexNotEqual},
  };
  static const auto* table = [] {
    auto* made = new llvm::StringMap<Form>;
    for (const Row& row : kRows) (*made)[row.name] = row.form;
    return made;
  }();
  return *table;
}

bool IsKnownType(mlir::Type type) {
  if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
    type = complex.getElementType();
  if (type.isF32() || type.isF64()) return true;
  return type.isSignlessInteger(1) || type.isSignlessInteger(8) ||
         type.isSignlessInteger(16) || type.isSignlessInteger(32) ||
         type.isSignlessInteger(64);
}

// The larger (or smaller) of two floats; a NaN if there is one; `y` if both
// are equal, which is how NumPy treats zeros of different sign.
llvm::Value* Extreme(Builder& b, llvm::Value* x, llvm::Value* y, bool max) {
  llvm::Value* first = CompareQuietly(
      b, max ? llvm::CmpInst::FCMP_OGT : llvm::CmpInst::FCMP_OLT, x, y);
  llvm::Value* r = b.CreateSelect(first, x, y);
  return b.CreateSelect(b.CreateFCmpUNO(x, x), x, r);
}

}  // namespace

llvm::Type* WithLanes(llvm::Type* type, int width) {
  return width == 1 ? type : llvm::FixedVectorType::get(type, width);
}

llvm::Value* Splat(Builder& b, llvm::Value* scalar, int width) {
  if (width == 1) return scalar;
  if (auto* constant = llvm::dyn_cast<llvm::Constant>(scalar))
    return llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(width),
                                          constant);
  return b.CreateVectorSplat(width, scalar);
}

llvm::Type* PartType(llvm::LLVMContext& context, mlir::Type type) {
  if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
    type = complex.getElementType();
  if (type.isF32()) return llvm::Type::getFloatTy(context);
  if (type.isF64()) return llvm::Type::getDoubleTy(context);
  return llvm::IntegerType::get(context, type.getIntOrFloatBitWidth());
}

absl::Status CheckScalarOp(mlir::Operation& op) {
  const llvm::StringRef name = op.getName().getStringRef();
  if (!Table().contains(name) || op.getNumResults() != 1)
    return absl::UnimplementedError(
        absl::StrCat("no CPU code for ", name.str()));
  for (mlir::Type type : op.getOperandTypes())
    if (!IsKnownType(type))
      return absl::UnimplementedError(
          absl::StrCat("no CPU code for this operand type of ", name.str()));
  const mlir::Type result = op.getResult(0).getType();
  const bool to_bool =
      mlir::isa<arith::FPToSIOp, arith::FPToUIOp>(op) && result.isInteger(1);
  if (!IsKnownType(result) || to_bool)
    return absl::UnimplementedError(
        absl::StrCat("no CPU code for this result type of ", name.str()));
  return absl::OkStatus();
}

Val EmitScalarOp(Builder& b, int width, mlir::Operation& op, Operands x) {
  const Form form = Table().lookup(op.getName().getStringRef());
  FUSEAU_CHECK(form != nullptr);
  return form(Context{b, width, op}, x);
}

Val Select(Builder& b, llvm::Value* condition, Val x, Val y) {
  Val r{b.CreateSelect(condition, x.re, y.re)};
  if (x.im) r.im = b.CreateSelect(condition, x.im, y.im);
  return r;
}

Val Combine(Builder& b, Combiner combiner, DType dtype, Val x, Val y) {
  const DTypeClass cls = ClassOf(dtype);
  const bool is_signed = cls == DTypeClass::kSigned;
  switch (combiner) {
    case Combiner::kNone:
      return y;
    case Combiner::kSum:
    case Combiner::kOrderedSum:
      if (cls == DTypeClass::kComplex)
        return {b.CreateFAdd(x.re, y.re), b.CreateFAdd(x.im, y.im)};
      if (cls == DTypeClass::kFloat) return {b.CreateFAdd(x.re, y.re)};
      return {b.CreateAdd(x.re, y.re)};
    case Combiner::kProd:
      if (cls == DTypeClass::kComplex) return ComplexMultiply(b, x, y);
      if (cls == DTypeClass::kFloat) return {b.CreateFMul(x.re, y.re)};
      return {b.CreateMul(x.re, y.re)};
    case Combiner::kMax:
    case Combiner::kMin: {
      const bool max = combiner == Combiner::kMax;
      if (cls == DTypeClass::kFloat) return {Extreme(b, x.re, y.re, max)};
      namespace intrinsic = llvm::Intrinsic;
      return {b.CreateBinaryIntrinsic(
          max ? (is_signed ? intrinsic::smax : intrinsic::umax)
              : (is_signed ? intrinsic::smin : intrinsic::umin),
          x.re, y.re)};
    }
    case Combiner::kAny:
      return {b.CreateOr(x.re, y.re)};
    case Combiner::kAll:
      return {b.CreateAnd(x.re, y.re)};
  }
  return {};
}

Val Identity(llvm::LLVMContext& context, Combiner combiner, DType dtype,
             int width) {
  const DTypeClass cls = ClassOf(dtype);
  const unsigned bits =
      cls == DTypeClass::kBool ? 1 : 8 * ItemSize(fuseau::PartType(dtype));
  if (cls == DTypeClass::kFloat || cls == DTypeClass::kComplex) {
    llvm::Type* type = WithLanes(bits == 32 ? llvm::Type::getFloatTy(context)
                                            : llvm::Type::getDoubleTy(context),
                                 width);
    Val r;
    if (combiner == Combiner::kSum || combiner == Combiner::kOrderedSum)
      r.re = r.im = llvm::ConstantFP::getNegativeZero(type);
    if (combiner == Combiner::kProd) {
      r.re = llvm::ConstantFP::get(type, 1.0);
      r.im = llvm::ConstantFP::get(type, 0.0);
    }
    if (combiner == Combiner::kMax || combiner == Combiner::kMin)
      r.re = llvm::ConstantFP::getInfinity(type, combiner == Combiner::kMax);
    if (cls != DTypeClass::kComplex) r.im = nullptr;
    return r;
  }
  llvm::Type* type = WithLanes(llvm::IntegerType::get(context, bits), width);
  const bool is_signed = cls == DTypeClass::kSigned;
  llvm::APInt value(bits, 0);
  if (combiner == Combiner::kProd) value = 1;
  if (combiner == Combiner::kAll) value.setAllBits();
  if (combiner == Combiner::kMax && is_signed)
    value = llvm::APInt::getSignedMinValue(bits);
  if (combiner == Combiner::kMin)
    value = is_signed ? llvm::APInt::getSignedMaxValue(bits)
                      : llvm::APInt::getMaxValue(bits);
  return {llvm::ConstantInt::get(type, value)};
}

}  // namespace fuseau::codegen

#include "passes/scalar_forms.h"

#include <limits>

#include "ir/dialect.h"
#include "ir/op_table.h"

namespace fuseau::passes {
namespace {

namespace arith = mlir::arith;
namespace complex = mlir::complex;
namespace math = mlir::math;
using ir::OpCode;
using mlir::Type;
using mlir::Value;

// What a form is built from.
struct FormBuilder {
  OpCode op;
  mlir::ImplicitLocOpBuilder& b;
  mlir::ValueRange operands;
  absl::Span<const DType> in;
  DType out;
  DTypeClass cls;  // of the first operand

  template <typename Op>
  Value Make() {
    return Op::create(b, operands);
  }
  Value CompareF(arith::CmpFPredicate p) {
    return arith::CmpFOp::create(b, p, operands[0], operands[1]);
  }
  Value CompareI(arith::CmpIPredicate p) {
    // NumPy compares int64 and uint64 by value, in loops of their own.
    if (in[0] != in[1]) return Loop(ir::RowOf(op).numpy);
    return arith::CmpIOp::create(b, p, operands[0], operands[1]);
  }
  // NumPy's inner loop of that ufunc for these types.
  Value Loop(const char* ufunc) {
    std::string name = std::string(ufunc) + ".";
    for (DType t : in) name += TypeCode(t);
    name += "->";
    name += TypeCode(out);
    return ir::CallOp::create(b, ir::ScalarType(b.getContext(), out),
                              b.getStringAttr(name), operands);
  }

  Value Constant(Type type, double v) {
    if (mlir::isa<mlir::FloatType>(type))
      return arith::ConstantOp::create(b, b.getFloatAttr(type, v));
    return arith::ConstantOp::create(
        b, b.getIntegerAttr(type, static_cast<int64_t>(v)));
  }
  Value Zero(Value like) { return Constant(like.getType(), 0); }
  Value Re(Value z) { return complex::ReOp::create(b, z); }
  Value Im(Value z) { return complex::ImOp::create(b, z); }
  Value Complex(Value re, Value im) {
    auto type = mlir::ComplexType::get(re.getType());
    return complex::CreateOp::create(b, type, re, im);
  }
  Value Or(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value And(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value Xor(Value x, Value y) { return arith::XOrIOp::create(b, x, y); }
  Value Select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, c, x, y);
  }
  Value CmpF(arith::CmpFPredicate p, Value x, Value y) {
    return arith::CmpFOp::create(b, p, x, y);
  }
  Value CmpI(arith::CmpIPredicate p, Value x, Value y) {
    return arith::CmpIOp::create(b, p, x, y);
  }
  // Whether a scalar is not zero; NaN is true.
  Value Truth(Value x) {
    Type type = x.getType();
    if (type.isInteger(1)) return x;
    if (mlir::isa<mlir::ComplexType>(type))
      return Or(Truth(Re(x)), Truth(Im(x)));
    if (mlir::isa<mlir::FloatType>(type))
      return CmpF(arith::CmpFPredicate::UNE, x, Zero(x));
    return CmpI(arith::CmpIPredicate::ne, x, Zero(x));
  }
  // Applies a test to a real number, or to either part of a complex one.
  template <typename Test>
  Value EitherPart(Value x, Test test) {
    if (!mlir::isa<mlir::ComplexType>(x.getType())) return test(x);
    return Or(test(Re(x)), test(Im(x)));
  }
  Value True() { return Constant(b.getI1Type(), 1); }
  Value False() { return Constant(b.getI1Type(), 0); }
};

#define FUSEAU_CUSTOM_FORMS
#include "passes/scalar_forms.inc"
#undef FUSEAU_CUSTOM_FORMS

// A complex product as NumPy's vector loops compute it: one rounding of each
// second product is saved by a fused multiply-add. Back ends without one use
// two roundings, as NumPy does on such machines.
Value CustomMultiply(FormBuilder& f) {
  Value ar = f.Re(f.operands[0]), ai = f.Im(f.operands[0]);
  Value br = f.Re(f.operands[1]), bi = f.Im(f.operands[1]);
  Value cross_re = arith::NegFOp::create(
      f.b, arith::MulFOp::create(f.b, ai, bi).getResult());
  Value cross_im = arith::MulFOp::create(f.b, ai, br);
  return f.Complex(math::FmaOp::create(f.b, ar, br, cross_re),
                   math::FmaOp::create(f.b, ar, bi, cross_im));
}

Value CustomSquare(FormBuilder& f) {
  Value x = f.operands[0];
  if (f.cls == DTypeClass::kFloat) return arith::MulFOp::create(f.b, x, x);
  if (f.cls != DTypeClass::kComplex) return arith::MulIOp::create(f.b, x, x);
  Value re = f.Re(x), im = f.Im(x);
  Value cross = arith::MulFOp::create(f.b, re, im);
  Value minus = arith::NegFOp::create(
      f.b, arith::MulFOp::create(f.b, im, im).getResult());
  return f.Complex(math::FmaOp::create(f.b, re, re, minus),
                   arith::AddFOp::create(f.b, cross, cross));
}

Value CustomNegative(FormBuilder& f) {
  return arith::SubIOp::create(f.b, f.Zero(f.operands[0]), f.operands[0]);
}

// The smallest integer is its own absolute value.
Value CustomAbsolute(FormBuilder& f) {
  Value x = f.operands[0], zero = f.Zero(x);
  return f.Select(f.CmpI(arith::CmpIPredicate::slt, x, zero),
                  arith::SubIOp::create(f.b, zero, x), x);
}

Value CustomSign(FormBuilder& f) {
  Value x = f.operands[0], zero = f.Zero(x);
  Value one = f.Constant(x.getType(), 1);
  if (f.cls == DTypeClass::kUnsigned)
    return f.Select(f.CmpI(arith::CmpIPredicate::ugt, x, zero), one, zero);
  Value minus = f.Constant(x.getType(), -1);
  if (f.cls == DTypeClass::kSigned) {
    Value low =
        f.Select(f.CmpI(arith::CmpIPredicate::slt, x, zero), minus, zero);
    return f.Select(f.CmpI(arith::CmpIPredicate::sgt, x, zero), one, low);
  }
  Value rest = f.Select(f.CmpF(arith::CmpFPredicate::OEQ, x, zero), zero, x);
  Value low = f.Select(f.CmpF(arith::CmpFPredicate::OLT, x, zero), minus, rest);
  return f.Select(f.CmpF(arith::CmpFPredicate::OGT, x, zero), one, low);
}

Value CustomReciprocal(FormBuilder& f) {
  Value x = f.operands[0];
  return arith::DivFOp::create(f.b, f.Constant(x.getType(), 1), x);
}

// NaN if either is NaN. The second operand if they are equal, as the vector
// instruction has it: that decides between 0.0 and -0.0.
Value NanPropagating(FormBuilder& f, arith::CmpFPredicate better) {
  Value x = f.operands[0], y = f.operands[1];
  Value picked = f.Select(f.CmpF(better, x, y), x, y);
  return f.Select(f.CmpF(arith::CmpFPredicate::UNO, x, x), x, picked);
}
Value CustomMaximum(FormBuilder& f) {
  return NanPropagating(f, arith::CmpFPredicate::OGT);
}
Value CustomMinimum(FormBuilder& f) {
  return NanPropagating(f, arith::CmpFPredicate::OLT);
}

Value CustomEqual(FormBuilder& f) {
  Value x = f.operands[0], y = f.operands[1];
  const auto eq = arith::CmpFPredicate::OEQ;
  return f.And(f.CmpF(eq, f.Re(x), f.Re(y)), f.CmpF(eq, f.Im(x), f.Im(y)));
}
Value CustomNotEqual(FormBuilder& f) { return f.Xor(CustomEqual(f), f.True()); }

Value CustomLogicalAnd(FormBuilder& f) {
  return f.And(f.Truth(f.operands[0]), f.Truth(f.operands[1]));
}
Value CustomLogicalOr(FormBuilder& f) {
  return f.Or(f.Truth(f.operands[0]), f.Truth(f.operands[1]));
}
Value CustomLogicalXor(FormBuilder& f) {
  return f.Xor(f.Truth(f.operands[0]), f.Truth(f.operands[1]));
}
Value CustomLogicalNot(FormBuilder& f) {
  return f.Xor(f.Truth(f.operands[0]), f.True());
}

Value CustomInvert(FormBuilder& f) {
  Value x = f.operands[0];
  return f.Xor(x, f.Constant(x.getType(), -1));
}

bool IsExact(DTypeClass cls) {
  return cls != DTypeClass::kFloat && cls != DTypeClass::kComplex;
}

Value CustomIsnan(FormBuilder& f) {
  if (IsExact(f.cls)) return f.False();
  return f.EitherPart(f.operands[0], [&](Value x) {
    return f.CmpF(arith::CmpFPredicate::UNO, x, x);
  });
}

Value Infinite(FormBuilder& f, Value x) {
  Value inf = f.Constant(x.getType(), std::numeric_limits<double>::infinity());
  return f.CmpF(arith::CmpFPredicate::OEQ, math::AbsFOp::create(f.b, x), inf);
}
Value CustomIsinf(FormBuilder& f) {
  if (IsExact(f.cls)) return f.False();
  return f.EitherPart(f.operands[0], [&](Value x) { return Infinite(f, x); });
}
Value CustomIsfinite(FormBuilder& f) {
  if (IsExact(f.cls)) return f.True();
  Value special = f.EitherPart(f.operands[0], [&](Value x) {
    return f.Or(Infinite(f, x), f.CmpF(arith::CmpFPredicate::UNO, x, x));
  });
  return f.Xor(special, f.True());
}

Value CustomSignbit(FormBuilder& f) {
  Value x = f.operands[0];
  Type bits = f.b.getIntegerType(x.getType().getIntOrFloatBitWidth());
  Value i = arith::BitcastOp::create(f.b, bits, x);
  return f.CmpI(arith::CmpIPredicate::slt, i, f.Zero(i));
}

Value CustomWhere(FormBuilder& f) {
  return f.Select(f.Truth(f.operands[0]), f.operands[1], f.operands[2]);
}

// Between real types; the parts of complex ones are cast one by one.
Value CastReal(FormBuilder& f, Value x, DType from, DType to) {
  if (from == to) return x;
  Type type = ir::ScalarType(f.b.getContext(), to);
  const DTypeClass source = ClassOf(from), target = ClassOf(to);
  if (target == DTypeClass::kBool) return f.Truth(x);
  if (target == DTypeClass::kFloat) {
    if (source == DTypeClass::kFloat) {
      if (ItemSize(to) > ItemSize(from))
        return arith::ExtFOp::create(f.b, type, x);
      return arith::TruncFOp::create(f.b, type, x);
    }
    if (source == DTypeClass::kSigned)
      return arith::SIToFPOp::create(f.b, type, x);
    return arith::UIToFPOp::create(f.b, type, x);
  }
  if (source == DTypeClass::kFloat) {
    if (target == DTypeClass::kSigned)
      return arith::FPToSIOp::create(f.b, type, x);
    return arith::FPToUIOp::create(f.b, type, x);
  }
  if (ItemSize(to) < ItemSize(from))
    return arith::TruncIOp::create(f.b, type, x);
  if (source == DTypeClass::kBool || ItemSize(to) > ItemSize(from)) {
    if (source == DTypeClass::kSigned)
      return arith::ExtSIOp::create(f.b, type, x);
    return arith::ExtUIOp::create(f.b, type, x);
  }
  return x;  // the same width: signless either way
}

Value CustomCast(FormBuilder& f) {
  const DType from = f.in[0], to = f.out;
  Value x = f.operands[0];
  if (from == to) return x;
  if (to == DType::kBool) return f.Truth(x);
  if (!IsComplex(to))
    return CastReal(f, IsComplex(from) ? f.Re(x) : x, PartType(from), to);
  const DType part = PartType(to);
  if (!IsComplex(from)) {
    Value re = CastReal(f, x, from, part);
    return f.Complex(re, f.Zero(re));
  }
  return f.Complex(CastReal(f, f.Re(x), PartType(from), part),
                   CastReal(f, f.Im(x), PartType(from), part));
}

}  // namespace

Value ScalarForm(mlir::ImplicitLocOpBuilder& builder, OpCode op,
                 mlir::ValueRange operands, absl::Span<const DType> in,
                 DType out) {
  FormBuilder f{op, builder, operands, in, out, ClassOf(in[0])};
  switch (op) {
#define FUSEAU_SCALAR_FORMS
#include "passes/scalar_forms.inc"
#undef FUSEAU_SCALAR_FORMS
    default:
      break;
  }
  return {};
}

}  // namespace fuseau::passes

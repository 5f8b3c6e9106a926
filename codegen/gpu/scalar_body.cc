#include "codegen/gpu/scalar_body.h"

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/gpu/functions.h"
#include "llvm/ADT/StringMap.h"

namespace fuseau::codegen::gpu {
namespace {

namespace arith = mlir::arith;

// $0, $1 and $2 are the operands, $t is the type of the result. Narrow integers
// are promoted to int by C++, so their results are cut back.
struct Row {
  const char* op;
  const char* form;
  const char* of_bools = nullptr;  // if another one
};
constexpr Row kRows[] = {
    {"arith.addi", "$t($0 + $1)", "$0 != $1"},
    {"arith.subi", "$t($0 - $1)", "$0 != $1"},
    {"arith.muli", "$t(1u * $0 * $1)", "$0 && $1"},
    {"arith.andi", "$t($0 & $1)"},
    {"arith.ori", "$t($0 | $1)"},
    {"arith.xori", "$t($0 ^ $1)"},
    {"arith.shli", "ShiftLeft($0, $1)"},
    {"arith.shrsi", "ShiftRightSigned($0, $1)"},
    {"arith.shrui", "ShiftRight($0, $1)"},
    {"arith.divsi", "DivideSigned($0, $1)"},
    {"arith.divui", "DivideUnsigned($0, $1)"},
    {"arith.remsi", "RestSigned($0, $1)"},
    {"arith.remui", "RestUnsigned($0, $1)"},
    {"arith.minsi", "SmallerSigned($0, $1)"},
    {"arith.maxsi", "LargerSigned($0, $1)"},
    {"arith.minui", "SmallerUnsigned($0, $1)"},
    {"arith.maxui", "LargerUnsigned($0, $1)"},
    {"arith.select", "$0 ? $1 : $2"},
    {"arith.extsi", "$t(Signed($0))"},
    {"arith.extui", "$t($0)"},
    {"arith.trunci", "$t($0)", "($0 & 1) != 0"},
    {"arith.extf", "$t($0)"},
    {"arith.truncf", "$t($0)"},
    {"arith.sitofp", "$t(Signed($0))"},
    {"arith.uitofp", "$t($0)"},
    {"arith.fptosi", "ToSigned<$t>($0)"},
    {"arith.fptoui", "ToUnsigned<$t>($0)"},
    {"arith.bitcast", "BitCast<$t>($0)"},
    {"arith.negf", "-$0"},
    {"arith.addf", "$0 + $1"},
    {"arith.subf", "$0 - $1"},
    {"arith.mulf", "$0 * $1"},
    {"arith.divf", "$0 / $1"},
    {"arith.maximumf", "Maximum($0, $1)"},
    {"arith.minimumf", "Minimum($0, $1)"},
    {"arith.maxnumf", "MaximumNumber($0, $1)"},
    {"arith.minnumf", "MinimumNumber($0, $1)"},
    {"math.sqrt", "SquareRoot($0)"},
    {"math.absf", "Absolute($0)"},
    {"math.absi", "AbsoluteInt($0)"},
    {"math.floor", "Floor($0)"},
    {"math.ceil", "Ceil($0)"},
    {"math.trunc", "Truncate($0)"},
    {"math.roundeven", "RoundEven($0)"},
    {"math.copysign", "CopySign($0, $1)"},
    {"math.ctpop", "CountOnes($0)"},
    {"math.fma", "MultiplyAdd($0, $1, $2)"},
    {"complex.create", "$t{$0, $1}"},
    {"complex.re", "$0.re"},
    {"complex.im", "$0.im"},
    {"complex.add", "$0 + $1"},
    {"complex.sub", "$0 - $1"},
    {"complex.mul", "$0 * $1"},
    {"complex.neg", "-$0"},
    {"complex.conj", "Conjugate($0)"},
    {"complex.eq", "$0 == $1"},
    {"complex.neq", "$0 != $1"},
};

const llvm::StringMap<const Row*>& Table() {
  static const auto* table = [] {
    auto* made = new llvm::StringMap<const Row*>;
    for (const Row& row : kRows) (*made)[row.op] = &row;
    return made;
  }();
  return *table;
}

const char* ComparisonForm(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
    case P::eq:
      return "$0 == $1";
    case P::ne:
      return "$0 != $1";
    case P::slt:
      return "Signed($0) < Signed($1)";
    case P::sle:
      return "Signed($0) <= Signed($1)";
    case P::sgt:
      return "Signed($0) > Signed($1)";
    case P::sge:
      return "Signed($0) >= Signed($1)";
    case P::ult:
      return "$0 < $1";
    case P::ule:
      return "$0 <= $1";
    case P::ugt:
      return "$0 > $1";
    case P::uge:
      return "$0 >= $1";
  }
  return nullptr;
}

const char* ComparisonForm(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
    case P::AlwaysFalse:
      return "false";
    case P::OEQ:
      return "$0 == $1";
    case P::OGT:
      return "$0 > $1";
    case P::OGE:
      return "$0 >= $1";
    case P::OLT:
      return "$0 < $1";
    case P::OLE:
      return "$0 <= $1";
    case P::ONE:
      return "$0 < $1 || $0 > $1";
    case P::ORD:
      return "$0 == $0 && $1 == $1";
    case P::UEQ:
      return "!($0 < $1 || $0 > $1)";
    case P::UGT:
      return "!($0 <= $1)";
    case P::UGE:
      return "!($0 < $1)";
    case P::ULT:
      return "!($0 >= $1)";
    case P::ULE:
      return "!($0 > $1)";
    case P::UNE:
      return "$0 != $1";
    case P::UNO:
      return "$0 != $0 || $1 != $1";
    case P::AlwaysTrue:
      return "true";
  }
  return nullptr;
}

std::string Fill(absl::string_view form, const std::string& type,
                 llvm::ArrayRef<std::string> operands) {
  std::string text;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '$') {
      text += form[i];
    } else if (form[++i] == 't') {
      text += type;
    } else {
      text += operands[form[i] - '0'];
    }
  }
  return text;
}

bool IsKnownType(mlir::Type type) {
  if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
    type = complex.getElementType();
  if (type.isF32() || type.isF64()) return true;
  for (int bits : {1, 8, 16, 32, 64})
    if (type.isSignlessInteger(bits)) return true;
  return false;
}

std::string FloatLiteral(const llvm::APFloat& value, bool single) {
  if (!value.isFinite()) {
    const uint64_t bits = value.bitcastToAPInt().getZExtValue();
    return single ? absl::StrFormat("BitCast<float>(%#xu)", bits)
                  : absl::StrFormat("BitCast<double>(%#xull)", bits);
  }
  const double number =
      single ? value.convertToFloat() : value.convertToDouble();
  // As few digits as give the same number.
  std::string text;
  for (int digits = 1; digits <= 17; ++digits) {
    text = absl::StrFormat("%.*g", digits, number);
    const double back = single ? std::strtof(text.c_str(), nullptr)
                               : std::strtod(text.c_str(), nullptr);
    if (back == number) break;
  }
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  if (single) text += "f";
  return std::signbit(number) ? absl::StrCat("(", text, ")") : text;
}

std::string Part(mlir::Attribute value) {
  if (auto f = mlir::dyn_cast<mlir::FloatAttr>(value))
    return FloatLiteral(f.getValue(), f.getType().isF32());
  const llvm::APInt bits = mlir::cast<mlir::IntegerAttr>(value).getValue();
  const uint64_t number = bits.getZExtValue();
  switch (bits.getBitWidth()) {
    case 1:
      return number != 0 ? "true" : "false";
    case 32:
      return absl::StrCat(number, "u");
    case 64:
      return absl::StrCat(number, "ull");
    default:
      return absl::StrCat("u", bits.getBitWidth(), "(", number, ")");
  }
}

}  // namespace

std::string TypeName(mlir::Type type) {
  if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
    return absl::StrCat("Complex<", TypeName(complex.getElementType()), ">");
  if (type.isF32()) return "float";
  if (type.isF64()) return "double";
  if (type.isInteger(1)) return "bool";
  return absl::StrCat("u", type.getIntOrFloatBitWidth());
}

std::string Literal(mlir::Type type, mlir::Attribute value) {
  auto parts = mlir::dyn_cast<mlir::ArrayAttr>(value);
  if (!parts) return Part(value);
  return absl::StrCat(TypeName(type), "{", Part(parts[0]), ", ", Part(parts[1]),
                      "}");
}

absl::StatusOr<std::string> ScalarExpression(
    mlir::Operation& op, llvm::ArrayRef<std::string> operands) {
  const std::string name = op.getName().getStringRef().str();
  if (op.getNumResults() != 1 ||
      !llvm::all_of(op.getOperandTypes(), IsKnownType) ||
      !IsKnownType(op.getResult(0).getType()))
    return absl::UnimplementedError(
        absl::StrCat("no GPU code for the types of ", name));
  const mlir::Type result = op.getResult(0).getType();
  const std::string type = TypeName(result);
  if (auto constant = mlir::dyn_cast<arith::ConstantOp>(op))
    return Literal(result, constant.getValue());
  if (auto constant = mlir::dyn_cast<mlir::complex::ConstantOp>(op))
    return Literal(result, constant.getValue());
  if (auto compare = mlir::dyn_cast<arith::CmpIOp>(op))
    return Fill(ComparisonForm(compare.getPredicate()), type, operands);
  if (auto compare = mlir::dyn_cast<arith::CmpFOp>(op))
    return Fill(ComparisonForm(compare.getPredicate()), type, operands);
  if (auto call = mlir::dyn_cast<ir::CallOp>(op)) {
    const std::string loop = call.getLoop().str();
    const DeviceFunction* function = FindDeviceFunction(loop);
    if (function == nullptr)
      return absl::UnimplementedError(absl::StrCat("no GPU code for ", loop));
    return Fill(function->form, type, operands);
  }
  auto row = Table().find(name);
  if (row == Table().end())
    return absl::UnimplementedError(absl::StrCat("no GPU code for ", name));
  const bool to_bool =
      mlir::isa<arith::FPToSIOp, arith::FPToUIOp>(op) && result.isInteger(1);
  if (to_bool)
    return absl::UnimplementedError(
        absl::StrCat("no GPU code for this result type of ", name));
  const bool bools = result.isInteger(1) && row->second->of_bools != nullptr;
  return Fill(bools ? row->second->of_bools : row->second->form, type,
              operands);
}

}  // namespace fuseau::codegen::gpu

#include "codegen/gpu/functions.h"

namespace fuseau::codegen::gpu {
namespace {

constexpr DeviceFunction kFunctions[] = {
    {"exp", "f", "Exp($0)", 2, 1},
    {"exp2", "f", "Exp2($0)", 2, 1},
    {"expm1", "f", "Expm1($0)", 1, 1},
    {"log", "f", "Log($0)", 1, 1},
    {"log2", "f", "Log2($0)", 1, 1},
    {"log10", "f", "Log10($0)", 2, 1},
    {"log1p", "f", "Log1p($0)", 1, 1},
    {"logaddexp", "f", "LogAddExp($0, $1)", 4, 3},
    {"logaddexp2", "f", "LogAddExp2($0, $1)", 5, 4},
    {"cbrt", "f", "CubeRoot($0)", 1, 1},
    {"sin", "f", "Sin($0)", 2, 2},
    {"cos", "f", "Cos($0)", 2, 2},
    {"tan", "f", "Tan($0)", 4, 2},
    {"arcsin", "f", "ArcSin($0)", 4, 2},
    {"arccos", "f", "ArcCos($0)", 3, 2},
    {"arctan", "f", "ArcTan($0)", 2, 2},
    {"arctan2", "f", "ArcTan2($0, $1)", 3, 2},
    {"hypot", "f", "Hypot($0, $1)", 3, 2},
    {"sinh", "f", "Sinh($0)", 3, 2},
    {"cosh", "f", "Cosh($0)", 2, 1},
    {"tanh", "f", "Tanh($0)", 2, 2},
    {"arcsinh", "f", "ArcSinh($0)", 3, 3},
    {"arccosh", "f", "ArcCosh($0)", 4, 3},
    {"arctanh", "f", "ArcTanh($0)", 3, 3},
    {"power", "f", "Power($0, $1)", 8, 2},
    {"float_power", "f", "Power($0, $1)", 8, 2},
    {"degrees", "f", "Degrees($0)", 1, 1},
    {"rad2deg", "f", "Degrees($0)", 1, 1},
    {"radians", "f", "Radians($0)", 1, 1},
    {"deg2rad", "f", "Radians($0)", 1, 1},
    {"absolute", "c", "AbsoluteComplex($0)", 3, 2},

    {"floor_divide", "i", "FloorDivideSigned($0, $1)", 0, 0},
    {"floor_divide", "u", "DivideUnsigned($0, $1)", 0, 0},
    {"floor_divide", "f", "FloorDivide($0, $1)", 0, 0},
    {"remainder", "i", "FloorRestSigned($0, $1)", 0, 0},
    {"remainder", "u", "RestUnsigned($0, $1)", 0, 0},
    {"remainder", "f", "FloorRest($0, $1)", 0, 0},
    {"fmod", "i", "RestSigned($0, $1)", 0, 0},
    {"fmod", "u", "RestUnsigned($0, $1)", 0, 0},
    {"fmod", "f", "FloatRest($0, $1)", 0, 0},
    {"gcd", "i", "GcdSigned($0, $1)", 0, 0},
    {"gcd", "u", "GcdUnsigned($0, $1)", 0, 0},
    {"lcm", "i", "LcmSigned($0, $1)", 0, 0},
    {"lcm", "u", "LcmUnsigned($0, $1)", 0, 0},
    {"left_shift", "i", "ShiftLeft($0, $1)", 0, 0},
    {"left_shift", "u", "ShiftLeft($0, $1)", 0, 0},
    {"right_shift", "i", "ShiftRightSigned($0, $1)", 0, 0},
    {"right_shift", "u", "ShiftRight($0, $1)", 0, 0},
    {"bitwise_count", "i", "CountOnesSigned($0)", 0, 0},
    {"bitwise_count", "u", "CountOnesUnsigned($0)", 0, 0},
    {"heaviside", "f", "Heaviside($0, $1)", 0, 0},
    {"nextafter", "f", "NextAfter($0, $1)", 0, 0},
    {"spacing", "f", "Spacing($0)", 0, 0},
    {"ldexp", "f", "LoadExponent($0, Signed($1))", 0, 0},
    {"fmax", "f", "MaximumNumber($0, $1)", 0, 0},
    {"fmin", "f", "MinimumNumber($0, $1)", 0, 0},

    {"divide", "c", "DivideComplex($0, $1)", 0, 0},
    {"maximum", "c", "MaximumComplex($0, $1)", 0, 0},
    {"minimum", "c", "MinimumComplex($0, $1)", 0, 0},
    {"less", "c", "Less($0, $1)", 0, 0},
    {"less_equal", "c", "LessEqual($0, $1)", 0, 0},
    {"greater", "c", "Greater($0, $1)", 0, 0},
    {"greater_equal", "c", "GreaterEqual($0, $1)", 0, 0},

    {"equal", "lL", "EqualMixed($0, $1)", 0, 0},
    {"equal", "Ll", "EqualMixed($1, $0)", 0, 0},
    {"not_equal", "lL", "!EqualMixed($0, $1)", 0, 0},
    {"not_equal", "Ll", "!EqualMixed($1, $0)", 0, 0},
    {"less", "lL", "LessMixed($0, $1)", 0, 0},
    {"less_equal", "lL", "LessMixed($0, $1) || EqualMixed($0, $1)", 0, 0},
    {"greater", "lL", "!LessMixed($0, $1) && !EqualMixed($0, $1)", 0, 0},
    {"greater_equal", "lL", "!LessMixed($0, $1)", 0, 0},
    {"less", "Ll", "!LessMixed($1, $0) && !EqualMixed($1, $0)", 0, 0},
    {"less_equal", "Ll", "!LessMixed($1, $0)", 0, 0},
    {"greater", "Ll", "LessMixed($1, $0)", 0, 0},
    {"greater_equal", "Ll", "LessMixed($1, $0) || EqualMixed($1, $0)", 0, 0},
};

char ClassOf(char type) {
  constexpr absl::string_view kSigned = "bhilq", kUnsigned = "BHILQ";
  if (type == 'f' || type == 'd') return 'f';
  if (type == 'F' || type == 'D') return 'c';
  if (kSigned.find(type) != absl::string_view::npos) return 'i';
  if (kUnsigned.find(type) != absl::string_view::npos) return 'u';
  return 0;
}

}  // namespace

absl::Span<const DeviceFunction> DeviceFunctions() { return kFunctions; }

const DeviceFunction* FindDeviceFunction(absl::string_view loop) {
  const size_t dot = loop.find('.');
  const size_t arrow = loop.find("->");
  if (dot == absl::string_view::npos || arrow == absl::string_view::npos ||
      arrow < dot + 2)
    return nullptr;
  const absl::string_view ufunc = loop.substr(0, dot);
  const absl::string_view types = loop.substr(dot + 1, arrow - dot - 1);
  const bool is_mixed = types == "lL" || types == "Ll";
  for (const DeviceFunction& row : kFunctions) {
    if (ufunc != row.ufunc) continue;
    const absl::string_view inputs = row.inputs;
    if (is_mixed ? inputs == types
                 : inputs.size() == 1 && inputs[0] == ClassOf(types[0]))
      return &row;
  }
  return nullptr;
}

}  // namespace fuseau::codegen::gpu

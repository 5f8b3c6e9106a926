// The one table of operations. The dialect's op classes, the recorder's table,
// the scalar forms inside fused loops, Python's ufuncs and stubs, the test list
// and the coverage page are generated from these rows (tools/gen_ops.py).

#ifndef FUSEAU_IR_OPS
#define FUSEAU_IR_OPS

include "ir/ops_base.td"

// --- Arithmetic ------------------------------------------------------------

def Fuseau_AddOp : BinaryUfunc<"add",
    Scalar<"arith::OrIOp", "arith::AddIOp", "arith::AddIOp", "arith::AddFOp",
           "complex::AddOp">,
    "Sum of two arrays."> {
  let raises = "oi";
}
def Fuseau_SubtractOp : BinaryUfunc<"subtract",
    Scalar<"", "arith::SubIOp", "arith::SubIOp", "arith::SubFOp",
           "complex::SubOp">,
    "Difference of two arrays."> {
  let raises = "oi";
}
def Fuseau_MultiplyOp : BinaryUfunc<"multiply",
    Scalar<"arith::AndIOp", "arith::MulIOp", "arith::MulIOp", "arith::MulFOp",
           "custom">,
    "Product of two arrays."> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_DivideOp : BinaryUfunc<"divide",
    Scalar<"", "", "", "arith::DivFOp", "loop">,
    "Quotient of two arrays; integers are divided as float64.", 4,
    ["true_divide"]> {
  let ulp = 4;
  let raises = "doui";
}
def Fuseau_FloorDivideOp : BinaryUfunc<"floor_divide",
    Scalar<"", "loop", "loop", "loop", "">,
    "Largest integer not greater than the quotient.", 12> {
  let raises = "doi";
}
def Fuseau_RemainderOp : BinaryUfunc<"remainder",
    Scalar<"", "loop", "loop", "loop", "">,
    "Remainder with the sign of the divisor.", 12, ["mod"]> {
  let raises = "dui";
}
def Fuseau_FmodOp : BinaryUfunc<"fmod",
    Scalar<"", "loop", "loop", "loop", "">,
    "Remainder with the sign of the dividend.", 12> {
  let raises = "dui";
}
def Fuseau_PowerOp : BinaryUfunc<"power",
    Scalar<"", "loop", "loop", "loop", "loop">,
    "First array raised to the powers of the second.", 30, ["pow"]> {
  let ulp = 4;
  let raises = "doui";
}
def Fuseau_FloatPowerOp : BinaryUfunc<"float_power",
    Scalar<"", "", "", "loop", "loop">,
    "Power computed in float64 or complex128.", 30> {
  let ulp = 4;
  let raises = "doui";
}
def Fuseau_NegativeOp : UnaryUfunc<"negative",
    Scalar<"", "custom", "custom", "arith::NegFOp", "complex::NegOp">,
    "Numerical negative.">;
def Fuseau_PositiveOp : UnaryUfunc<"positive",
    Scalar<"", "same", "same", "same", "same">,
    "The array itself, as a copy.">;
def Fuseau_AbsoluteOp : UnaryUfunc<"absolute",
    Scalar<"same", "custom", "same", "math::AbsFOp", "loop">,
    "Absolute value.", 1, ["abs"]> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_FabsOp : UnaryUfunc<"fabs",
    Scalar<"", "", "", "math::AbsFOp", "">,
    "Absolute value, as a float.">;
def Fuseau_SignOp : UnaryUfunc<"sign",
    Scalar<"", "custom", "custom", "custom", "loop">,
    "Sign of each element: -1, 0 or 1; NaN stays NaN.", 2>;
def Fuseau_HeavisideOp : BinaryUfunc<"heaviside",
    Scalar<"", "", "", "loop", "">,
    "Heaviside step function.", 4>;
def Fuseau_ConjugateOp : UnaryUfunc<"conjugate",
    Scalar<"", "same", "same", "same", "complex::ConjOp">,
    "Complex conjugate.", 1, ["conj"]>;
def Fuseau_SquareOp : UnaryUfunc<"square",
    Scalar<"", "custom", "custom", "custom", "custom">,
    "Element-wise square."> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_ReciprocalOp : UnaryUfunc<"reciprocal",
    Scalar<"", "loop", "loop", "custom", "loop">,
    "Reciprocal 1/x.", 4> {
  let ulp = 4;
  let raises = "doui";
}
def Fuseau_GcdOp : BinaryUfunc<"gcd",
    Scalar<"", "loop", "loop", "", "">, "Greatest common divisor.", 40>;
def Fuseau_LcmOp : BinaryUfunc<"lcm",
    Scalar<"", "loop", "loop", "", "">, "Lowest common multiple.", 40>;

// --- Minimum and maximum ---------------------------------------------------

def Fuseau_MaximumOp : BinaryUfunc<"maximum",
    Scalar<"arith::OrIOp", "arith::MaxSIOp", "arith::MaxUIOp",
           "custom", "loop">,
    "Larger element; NaN if either is NaN.", 2>;
def Fuseau_MinimumOp : BinaryUfunc<"minimum",
    Scalar<"arith::AndIOp", "arith::MinSIOp", "arith::MinUIOp",
           "custom", "loop">,
    "Smaller element; NaN if either is NaN.", 2>;
def Fuseau_FmaxOp : BinaryUfunc<"fmax",
    Scalar<"arith::OrIOp", "arith::MaxSIOp", "arith::MaxUIOp", "loop", "loop">,
    "Larger element; the other one if one is NaN.", 2>;
def Fuseau_FminOp : BinaryUfunc<"fmin",
    Scalar<"arith::AndIOp", "arith::MinSIOp", "arith::MinUIOp", "loop", "loop">,
    "Smaller element; the other one if one is NaN.", 2>;

// --- Comparison and logic --------------------------------------------------

def Fuseau_EqualOp : BinaryUfunc<"equal",
    Scalar<"cmp:eq", "cmp:eq", "cmp:eq", "cmp:OEQ", "custom">, "x1 == x2.">;
def Fuseau_NotEqualOp : BinaryUfunc<"not_equal",
    Scalar<"cmp:ne", "cmp:ne", "cmp:ne", "cmp:UNE", "custom">, "x1 != x2.">;
def Fuseau_LessOp : BinaryUfunc<"less",
    Scalar<"cmp:ult", "cmp:slt", "cmp:ult", "cmp:OLT", "loop">, "x1 < x2.">;
def Fuseau_LessEqualOp : BinaryUfunc<"less_equal",
    Scalar<"cmp:ule", "cmp:sle", "cmp:ule", "cmp:OLE", "loop">, "x1 <= x2.">;
def Fuseau_GreaterOp : BinaryUfunc<"greater",
    Scalar<"cmp:ugt", "cmp:sgt", "cmp:ugt", "cmp:OGT", "loop">, "x1 > x2.">;
def Fuseau_GreaterEqualOp : BinaryUfunc<"greater_equal",
    Scalar<"cmp:uge", "cmp:sge", "cmp:uge", "cmp:OGE", "loop">, "x1 >= x2.">;
def Fuseau_LogicalAndOp : BinaryUfunc<"logical_and", AllNumbers<"custom">,
    "Truth of x1 and x2.">;
def Fuseau_LogicalOrOp : BinaryUfunc<"logical_or", AllNumbers<"custom">,
    "Truth of x1 or x2.">;
def Fuseau_LogicalXorOp : BinaryUfunc<"logical_xor", AllNumbers<"custom">,
    "Truth of either x1 or x2, not both.">;
def Fuseau_LogicalNotOp : UnaryUfunc<"logical_not", AllNumbers<"custom">,
    "Truth of not x.">;

// --- Bits ------------------------------------------------------------------

def Fuseau_BitwiseAndOp : BinaryUfunc<"bitwise_and",
    Scalar<"arith::AndIOp", "arith::AndIOp", "arith::AndIOp", "", "">,
    "Bitwise and.">;
def Fuseau_BitwiseOrOp : BinaryUfunc<"bitwise_or",
    Scalar<"arith::OrIOp", "arith::OrIOp", "arith::OrIOp", "", "">,
    "Bitwise or.">;
def Fuseau_BitwiseXorOp : BinaryUfunc<"bitwise_xor",
    Scalar<"arith::XOrIOp", "arith::XOrIOp", "arith::XOrIOp", "", "">,
    "Bitwise exclusive or.">;
def Fuseau_InvertOp : UnaryUfunc<"invert",
    Scalar<"custom", "custom", "custom", "", "">,
    "Bitwise not.", 1, ["bitwise_not", "bitwise_invert"]>;
def Fuseau_LeftShiftOp : BinaryUfunc<"left_shift",
    Scalar<"", "loop", "loop", "", "">,
    "Bits shifted to the left.", 2, ["bitwise_left_shift"]>;
def Fuseau_RightShiftOp : BinaryUfunc<"right_shift",
    Scalar<"", "loop", "loop", "", "">,
    "Bits shifted to the right.", 2, ["bitwise_right_shift"]>;
def Fuseau_BitwiseCountOp : UnaryUfunc<"bitwise_count",
    Scalar<"", "loop", "loop", "", "">,
    "Number of one bits of the absolute value.", 2>;

// --- Rounding and floating-point properties --------------------------------

def Fuseau_RintOp : UnaryUfunc<"rint",
    Scalar<"", "", "", "math::RoundEvenOp", "loop">,
    "Nearest integer, halves to even.">;
def Fuseau_FloorOp : UnaryUfunc<"floor",
    Scalar<"same", "same", "same", "math::FloorOp", "">,
    "Largest integer not greater than x.">;
def Fuseau_CeilOp : UnaryUfunc<"ceil",
    Scalar<"same", "same", "same", "math::CeilOp", "">,
    "Smallest integer not less than x.">;
def Fuseau_TruncOp : UnaryUfunc<"trunc",
    Scalar<"same", "same", "same", "math::TruncOp", "">,
    "Integer part.">;
def Fuseau_IsnanOp : UnaryUfunc<"isnan", AllNumbers<"custom">,
    "True where x is NaN.">;
def Fuseau_IsinfOp : UnaryUfunc<"isinf", AllNumbers<"custom">,
    "True where x is infinite.">;
def Fuseau_IsfiniteOp : UnaryUfunc<"isfinite", AllNumbers<"custom">,
    "True where x is neither infinite nor NaN.">;
def Fuseau_SignbitOp : UnaryUfunc<"signbit",
    Scalar<"", "", "", "custom", "">, "True where the sign bit is set.">;
def Fuseau_CopysignOp : BinaryUfunc<"copysign",
    Scalar<"", "", "", "math::CopySignOp", "">,
    "x1 with the sign of x2.">;
def Fuseau_NextafterOp : BinaryUfunc<"nextafter",
    Scalar<"", "", "", "loop", "">,
    "Next floating-point number after x1 towards x2.", 8> {
  let raises = "oui";
}
def Fuseau_SpacingOp : UnaryUfunc<"spacing",
    Scalar<"", "", "", "loop", "">,
    "Distance to the nearest adjacent number.", 8> {
  let raises = "oui";
}
def Fuseau_LdexpOp : BinaryUfunc<"ldexp",
    Scalar<"", "", "", "loop", "">, "x1 * 2**x2.", 8> {
  let raises = "oui";
}

// --- Exponentials, logarithms, roots ---------------------------------------

def Fuseau_SqrtOp : UnaryUfunc<"sqrt",
    Scalar<"", "", "", "math::SqrtOp", "loop">,
    "Non-negative square root.", 6> {
  let ulp = 4;
  let raises = "i";
}
def Fuseau_CbrtOp : UnaryUfunc<"cbrt",
    Scalar<"", "", "", "loop", "">, "Cube root.", 20> {
  let ulp = 4;
}
class FloatFunction<string name, string doc, int flops = 20,
                    list<string> aliases = []>
    : UnaryUfunc<name, Scalar<"", "", "", "loop", "loop">, doc, flops,
                 aliases> {
  let ulp = 4;
  let raises = "oui";
}
class RealFunction<string name, string doc, int flops = 20,
                   list<string> aliases = []>
    : UnaryUfunc<name, Scalar<"", "", "", "loop", "">, doc, flops, aliases> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_ExpOp : FloatFunction<"exp", "e to the power x.">;
def Fuseau_Exp2Op : FloatFunction<"exp2", "2 to the power x.">;
def Fuseau_Expm1Op : FloatFunction<"expm1", "exp(x) - 1, exact near 0.">;
def Fuseau_LogOp : FloatFunction<"log", "Natural logarithm."> {
  let raises = "doui";
}
def Fuseau_Log2Op : FloatFunction<"log2", "Logarithm to base 2."> {
  let raises = "doui";
}
def Fuseau_Log10Op : FloatFunction<"log10", "Logarithm to base 10."> {
  let raises = "doui";
}
def Fuseau_Log1pOp : FloatFunction<"log1p", "log(1 + x), exact near 0."> {
  let raises = "doui";
}
def Fuseau_LogaddexpOp : BinaryUfunc<"logaddexp",
    Scalar<"", "", "", "loop", "">, "log(exp(x1) + exp(x2)).", 50> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_Logaddexp2Op : BinaryUfunc<"logaddexp2",
    Scalar<"", "", "", "loop", "">, "log2(2**x1 + 2**x2).", 50> {
  let ulp = 4;
  let raises = "oui";
}

// --- Trigonometric and hyperbolic functions --------------------------------

def Fuseau_SinOp : FloatFunction<"sin", "Sine of x in radians."> {
  let vectorUlp = 1;
}
def Fuseau_CosOp : FloatFunction<"cos", "Cosine of x in radians."> {
  let vectorUlp = 1;
}
def Fuseau_TanOp : FloatFunction<"tan", "Tangent of x in radians.">;
def Fuseau_ArcsinOp : FloatFunction<"arcsin", "Inverse sine, in radians.", 20,
    ["asin"]>;
def Fuseau_ArccosOp : FloatFunction<"arccos", "Inverse cosine, in radians.",
    20, ["acos"]>;
def Fuseau_ArctanOp : FloatFunction<"arctan", "Inverse tangent, in radians.",
    20, ["atan"]>;
def Fuseau_Arctan2Op : BinaryUfunc<"arctan2",
    Scalar<"", "", "", "loop", "">,
    "Angle of the point (x2, x1), in radians.", 30, ["atan2"]> {
  let ulp = 4;
  let raises = "u";
}
def Fuseau_HypotOp : BinaryUfunc<"hypot",
    Scalar<"", "", "", "loop", "">, "sqrt(x1**2 + x2**2).", 20> {
  let ulp = 4;
  let raises = "oui";
}
def Fuseau_SinhOp : FloatFunction<"sinh", "Hyperbolic sine.">;
def Fuseau_CoshOp : FloatFunction<"cosh", "Hyperbolic cosine.">;
def Fuseau_TanhOp : FloatFunction<"tanh", "Hyperbolic tangent.">;
def Fuseau_ArcsinhOp : FloatFunction<"arcsinh", "Inverse hyperbolic sine.", 20,
    ["asinh"]>;
def Fuseau_ArccoshOp : FloatFunction<"arccosh", "Inverse hyperbolic cosine.",
    20, ["acosh"]>;
def Fuseau_ArctanhOp : FloatFunction<"arctanh", "Inverse hyperbolic tangent.",
    20, ["atanh"]> {
  let raises = "doui";
}
def Fuseau_DegreesOp : RealFunction<"degrees", "Radians to degrees.", 2>;
def Fuseau_RadiansOp : RealFunction<"radians", "Degrees to radians.", 2>;
def Fuseau_Rad2degOp : RealFunction<"rad2deg", "Radians to degrees.", 2>;
def Fuseau_Deg2radOp : RealFunction<"deg2rad", "Degrees to radians.", 2>;

// --- Reductions ------------------------------------------------------------
// `reduced[d]` tells the dimensions that vanish. How the elements are joined is
// part of the meaning (ir/README.md), since it decides the bits of a sum.

def Fuseau_SumOp : ReductionRow<"sum", "sum", "Sum over axes."> {
  let raises = "oi";
}
def Fuseau_ProdOp : ReductionRow<"prod", "prod", "Product over axes."> {
  let raises = "oui";
}
def Fuseau_MaxOp : ReductionRow<"max", "max", "Maximum over axes.", ["amax"]>;
def Fuseau_MinOp : ReductionRow<"min", "min", "Minimum over axes.", ["amin"]>;
def Fuseau_AnyOp : ReductionRow<"any", "any", "Whether any element is true.">;
def Fuseau_AllOp : ReductionRow<"all", "all", "Whether all elements are true.">;

// Sums whose order is the order of the elements: how NumPy joins the pairwise
// sums of chunks that it could not sum as one.
def Fuseau_OrderedSumOp : ReductionRow<"ordered_sum", "ordered_sum",
    "Sum in the order of the elements."> {
  let raises = "oi";
  let numpyName = "";
}

// --- Routines --------------------------------------------------------------
// Sizes and strides of a call are those of its space; runtime/cpu/routines says
// what the dimensions of each are.

def Fuseau_MatmulOp : RoutineRow<"matmul", "matmul", 2, "Matrix product.",
                                 "matmul"> {
  let raises = "oui";
}
def Fuseau_VecdotOp : RoutineRow<"vecdot", "vecdot", 2,
    "Scalar product of vectors; the first one is conjugated.", "vecdot"> {
  let raises = "oui";
}

def Fuseau_CumsumOp : RoutineRow<"cumsum", "cumsum", 1,
    "Running sum along an axis.", "add"> {
  let raises = "oi";
}
def Fuseau_CumprodOp : RoutineRow<"cumprod", "cumprod", 1,
    "Running product along an axis.", "multiply"> {
  let raises = "oui";
}
def Fuseau_RunningMaxOp : RoutineRow<"running_max", "", 1,
    "Running maximum along an axis.", "maximum">;
def Fuseau_RunningMinOp : RoutineRow<"running_min", "", 1,
    "Running minimum along an axis.", "minimum">;

def Fuseau_GatherOp : RoutineRow<"gather", "take", 2,
    "Elements at index arrays.">;
def Fuseau_CompressOp : RoutineRow<"compress", "compress", 2,
    "Elements where a mask holds.">;
def Fuseau_CoordinatesOp : RoutineRow<"coordinates", "nonzero", 1,
    "Indices of the elements that are not zero.">;

def Fuseau_StableSortOp : RoutineRow<"stable_sort", "", 1,
    "Sort that keeps the order of equal elements.", "stable_sort">;
def Fuseau_StableArgsortOp : RoutineRow<"stable_argsort", "", 1,
    "Indices that would sort and keep the order of equal elements.",
    "stable_argsort">;
def Fuseau_ArgmaxOp : RoutineRow<"argmax", "argmax", 1,
    "Index of the first largest element along an axis.", "argmax">;
def Fuseau_ArgminOp : RoutineRow<"argmin", "argmin", 1,
    "Index of the first smallest element along an axis.", "argmin">;
def Fuseau_BincountOp : RoutineRow<"bincount", "bincount", 1,
    "Number of times each small integer occurs.">;

def Fuseau_SearchSortedOp : RoutineRow<"search_sorted", "", 2,
    "Places in a sorted line.">;
// Transforms of lines by NumPy's loops; the second operand is a factor.
class TransformRow<string name, string loop> : RoutineRow<name, "", 2,
    "Discrete Fourier transform of lines.", loop> {
  let raises = "oui";
}
def Fuseau_FftOp : TransformRow<"fft", "fft">;
def Fuseau_IfftOp : TransformRow<"ifft", "ifft">;
def Fuseau_IrfftOp : TransformRow<"irfft", "irfft">;
def Fuseau_RfftEvenOp : TransformRow<"rfft_even", "rfft_n_even">;
def Fuseau_RfftOddOp : TransformRow<"rfft_odd", "rfft_n_odd">;

// Recorded by nobody: partitioning (passes/partition.h) adds them.
def Fuseau_ExchangeOp : RoutineRow<"exchange", "", 2,
    "Parts of a value from other ranks.">;
def Fuseau_FoldSumOp : RoutineRow<"fold_sum", "", 2,
    "Elements added to a value in their order.", "add"> {
  let raises = "oi";
}
def Fuseau_FoldProductOp : RoutineRow<"fold_product", "", 2,
    "Elements multiplied with a value in their order.", "multiply"> {
  let raises = "oui";
}
def Fuseau_TreeSumOp : RoutineRow<"tree_sum", "", 2,
    "Joins the sums of nodes of NumPy's pairwise tree."> {
  let raises = "oi";
}
def Fuseau_MergeOp : RoutineRow<"merge", "", 2,
    "One end of two sorted runs that are merged.">;

// --- Structure: rows that are not NumPy functions of their own --------------

def Fuseau_InputOp : Fuseau_Op<"input", [Pure]>, Row<"", "structure", 0> {
  let summary = "A buffer that exists before the trace runs.";
  let arguments = (ins I32Attr:$index, UnitAttr:$donated);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $index (`donated` $donated^)? attr-dict `:` type($result)
  }];
}

def Fuseau_ScalarOp : Fuseau_Op<"scalar", [Pure]>, Row<"", "structure", 0> {
  let summary = "A number known only when the trace runs.";
  let arguments = (ins I32Attr:$index);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$index attr-dict `:` type($result)";
}

def Fuseau_IotaOp : Fuseau_Op<"iota", [Pure]>, Row<"", "structure", 0> {
  let summary = "first, first + 1, first + 2, ...";
  let arguments = (ins DefaultValuedAttr<I64Attr, "0">:$first);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

// Recorded by nobody. Two of them are two storages, so it is not pure.
def Fuseau_UnsetOp : Fuseau_Op<"unset">, Row<"", "structure", 0> {
  let summary = "A storage with any content, which updates replace.";
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Fuseau_CastOp : Fuseau_Op<"cast", [Pure, SameOperandsAndResultShape]>,
    Row<"", "elementwise", 1> {
  let raises = "oui";
  let summary = "Conversion between element types, as C converts them.";
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
  let scalar = AllNumbers<"custom">;
}

def Fuseau_CopyOp : Fuseau_Op<"copy", [Pure, SameOperandsAndResultShape]>,
    Row<"", "elementwise", 1> {
  let summary = "The elements themselves, dense.";
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
  let scalar = AllNumbers<"same">;
  let flops = 0;
}

def Fuseau_WhereOp : Fuseau_Op<"where", [Pure, SameOperandsAndResultShape]>,
    Row<"where", "elementwise", 3> {
  let summary = "x1 where the condition holds, x2 elsewhere.";
  let arguments = (ins AnyRankedTensor:$condition, AnyRankedTensor:$x1,
                       AnyRankedTensor:$x2);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $condition `,` $x1 `,` $x2 attr-dict `:`
    functional-type(operands, $result)
  }];
  let scalar = AllNumbers<"custom">;
  let doc = summary;
}

def Fuseau_ViewOp : Fuseau_Op<"view", [Pure]>, Row<"", "structure", 1> {
  let summary = "A strided window of a value's storage.";
  let description = [{
    Element `i` of the result is the element at byte
    `offset + sum(i * strides)` of the dense storage of `x`. The element type
    may differ from that of `x`.
  }];
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$offset,
                       DenseI64ArrayAttr:$strides);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `[` $offset `]` $strides attr-dict `:` functional-type($x, $result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Fuseau_UpdateOp : Fuseau_Op<"update", [Pure]>, Row<"", "structure", 2> {
  let raises = "oui";
  let summary = "The storage `old` with a strided window replaced.";
  let arguments = (ins AnyRankedTensor:$old, AnyRankedTensor:$x,
                       I64Attr:$offset, DenseI64ArrayAttr:$strides);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `into` $old `[` $offset `]` $strides attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

#endif  // FUSEAU_IR_OPS

// What the rows of ops.td are made of: the dialect and the columns that
// mlir-tblgen skips and tools/gen_ops.py reads.

#ifndef FUSEAU_IR_OPS_BASE
#define FUSEAU_IR_OPS_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Fuseau_Dialect : Dialect {
  let name = "fuseau";
  let cppNamespace = "::fuseau::ir";
  let summary = "NumPy's array operations, made explicit";
  let description = [{
    Values are dense tensors in C order; a `view` reads any strided window of
    one, an `update` replaces one. Types are equal before an operation is
    applied: casts and broadcasts are operations of their own. All operations
    are pure.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::complex::ComplexDialect", "::mlir::func::FuncDialect"];
}

class Fuseau_Op<string name, list<Trait> traits = []>
    : Op<Fuseau_Dialect, name, traits>;

// The scalar form of an operation for each class of element types. A form is
//   "arith::AddFOp"  a scalar op with the same operands
//   "cmp:OLT"        a comparison with that predicate (arith's spelling)
//   "same"           the operand itself
//   "custom"         a function in passes/scalar_forms.cc; a missing one is a
//                    link error
//   "loop"           NumPy's own inner loop for that ufunc and these types,
//                    called on blocks: bitwise NumPy by construction
//   ""               NumPy has no such loop
class Scalar<string bool, string sint, string uint, string float,
             string complex> {
  string onBool = bool;
  string onSigned = sint;
  string onUnsigned = uint;
  string onFloat = float;
  string onComplex = complex;
}
class AllNumbers<string form> : Scalar<form, form, form, form, form>;

// Columns of every row.
class Row<string numpy, string family_, int arity_> {
  string numpyName = numpy;       // the name in NumPy's namespace
  list<string> aliases = [];      // further names there
  string family = family_;        // elementwise, reduction, routine, structure
  int arity = arity_;
  Scalar scalar = AllNumbers<"">;
  int flops = 1;                  // work of one element, in additions
  // Units in the last place by which results may differ from NumPy's for arrays
  // that are not contiguous; there NumPy's own depend on the layout. For
  // contiguous ones there is no difference.
  int ulp = 0;
  // The same for contiguous float64, where runtime/vector_math replaces NumPy's
  // loop by a faster one.
  int vectorUlp = 0;
  // The floating-point errors that elements may raise: d(ivision by zero),
  // o(verflow), u(nderflow), i(nvalid).
  string raises = "";
  string combiner = "";           // reductions
  // Routines: the ufunc of NumPy whose inner loop does the work, if one does.
  string loop = "";
  string doc = "";
  string example = "";
}

class UnaryUfunc<string name, Scalar scalar_, string doc_, int flops_ = 1,
                 list<string> aliases_ = []>
    : Fuseau_Op<name, [Pure, SameOperandsAndResultShape]>,
      Row<name, "elementwise", 1> {
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
  let summary = doc_;
  let scalar = scalar_;
  let doc = doc_;
  let flops = flops_;
  let aliases = aliases_;
}

class BinaryUfunc<string name, Scalar scalar_, string doc_, int flops_ = 1,
                  list<string> aliases_ = []>
    : Fuseau_Op<name, [Pure, SameOperandsAndResultShape]>,
      Row<name, "elementwise", 2> {
  let arguments = (ins AnyRankedTensor:$x1, AnyRankedTensor:$x2);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x1 `,` $x2 attr-dict `:` functional-type(operands, $result)
  }];
  let summary = doc_;
  let scalar = scalar_;
  let doc = doc_;
  let flops = flops_;
  let aliases = aliases_;
}

class ReductionRow<string name, string combiner_, string doc_,
                   list<string> aliases_ = []>
    : Fuseau_Op<name, [Pure]>, Row<name, "reduction", 1> {
  let arguments = (ins AnyRankedTensor:$x, DenseBoolArrayAttr:$reduced);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `dims` $reduced attr-dict `:` functional-type($x, $result)
  }];
  let summary = doc_;
  let combiner = combiner_;
  let doc = doc_;
  let aliases = aliases_;
  let hasVerifier = 1;
}

// A routine of the library that no loop nest computes (runtime/routine.h has
// it under this name). All operands are tensors over one space, most of them
// views with strides of 0; `reduced[d]` tells the dimensions that the result
// has not. What the dimensions are, and `attribute`, is the routine's business.
class RoutineRow<string name, string numpy, int arity_, string doc_,
                 string loop_ = "">
    : Fuseau_Op<name, [Pure]>, Row<numpy, "routine", arity_> {
  let arguments = (ins Variadic<AnyRankedTensor>:$operands,
                       DenseBoolArrayAttr:$reduced, I64Attr:$attribute);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operands `dims` $reduced `attribute` $attribute attr-dict `:`
    functional-type($operands, $result)
  }];
  let summary = doc_;
  let scalar = AllNumbers<"routine">;
  let doc = doc_;
  let loop = loop_;
}

#endif  // FUSEAU_IR_OPS_BASE

// Fused regions: what the passes make of the array operations.

#ifndef FUSEAU_IR_REGION_OPS
#define FUSEAU_IR_REGION_OPS

include "ir/ops_base.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def Fuseau_FusedOp : Fuseau_Op<"fused",
    [Pure, AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock]> {
  let summary = "A loop nest over one iteration space.";
  let description = [{
    For each point of `space`, in any order but for reduced dimensions, the body
    is applied to one element of each input and yields one element for each
    result. A map is `[offset, strides...]` in bytes over the dense storage of
    the value it belongs to, one stride per dimension of the space.

    A result without an init (`init_of` is -1) is a new storage of the result's
    type. A result with one is that init with the elements under its map
    replaced. A result whose combiner is not "none" joins the elements of all
    points along the `reduced` dimensions, along which its map has stride 0.
    All results of one op have a combiner, or none has.
  }];
  let arguments = (ins
      Variadic<AnyRankedTensor>:$inputs,
      Variadic<AnyRankedTensor>:$inits,
      DenseI64ArrayAttr:$space,
      ArrayAttr:$in_maps,
      ArrayAttr:$out_maps,
      DenseI32ArrayAttr:$init_of,
      ArrayAttr:$combiners,
      DenseBoolArrayAttr:$reduced);
  let results = (outs Variadic<AnyRankedTensor>:$outs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `space` $space
    (`ins` `(` $inputs^ `:` type($inputs) `)`)? `in_maps` $in_maps
    (`inits` `(` $inits^ `:` type($inits) `)`)?
    `out_maps` $out_maps `init_of` $init_of `combiners` $combiners
    `reduced` $reduced attr-dict-with-keyword `->` type($outs) $body
  }];
  let hasVerifier = 1;
}

def Fuseau_YieldOp : Fuseau_Op<"yield", [Pure, Terminator]> {
  let summary = "The elements that a body makes.";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Fuseau_CallOp : Fuseau_Op<"call", [Pure]> {
  let summary = "A scalar function by name, inside a body.";
  let description = [{
    `loop` names one of NumPy's inner loops: the ufunc, a dot, and the type
    characters of inputs and outputs, for example "exp.d->d". The back end
    applies it to blocks of elements.
  }];
  let arguments = (ins StrAttr:$loop, Variadic<AnyType>:$operands);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $loop `(` $operands `)` attr-dict `:` functional-type(operands, $result)
  }];
}

def Fuseau_RoutineOp : Fuseau_Op<"routine", [Pure]> {
  let summary = "A routine of the library on values in memory.";
  let description = [{
    What the fuse pass makes of an operation of family routine. The maps of the
    inputs are those of `fuseau.fused`; the result is a new storage, dense over
    the dimensions of the space that are not `reduced`.
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyRankedTensor>:$inputs,
      DenseI64ArrayAttr:$space, ArrayAttr:$in_types, ArrayAttr:$in_maps,
      DenseBoolArrayAttr:$reduced, I64Attr:$attribute);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $name `space` $space `ins` `(` $inputs `:` type($inputs) `)` $in_types
    `in_maps` $in_maps `reduced` $reduced `attribute` $attribute attr-dict
    `->` type($result)
  }];
}

#endif  // FUSEAU_IR_REGION_OPS

// Dialect `fuseau_exec`: buffers, kernels and the order in which they run.

#ifndef FUSEAU_IR_EXEC_OPS
#define FUSEAU_IR_EXEC_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Exec_Dialect : Dialect {
  let name = "fuseau_exec";
  let cppNamespace = "::fuseau::ir::exec";
  let summary = "Buffers, kernel launches and their order";
  let useDefaultTypePrinterParser = 1;
}

class Exec_Op<string name, list<Trait> traits = []>
    : Op<Exec_Dialect, name, traits>;

def Exec_BufferType : TypeDef<Exec_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "A run of bytes in memory.";
}

def Exec_InputOp : Exec_Op<"input"> {
  let summary = "A buffer that the caller gives.";
  let arguments = (ins I32Attr:$index, I64Attr:$bytes);
  let results = (outs Exec_BufferType:$buffer);
  let assemblyFormat = "$index `,` $bytes attr-dict";
}

def Exec_AllocOp : Exec_Op<"alloc"> {
  let summary = "A new buffer.";
  let arguments = (ins I64Attr:$bytes);
  let results = (outs Exec_BufferType:$buffer);
  let assemblyFormat = "$bytes attr-dict";
}

def Exec_FreeOp : Exec_Op<"free"> {
  let summary = "The last use of a buffer is over.";
  let arguments = (ins Exec_BufferType:$buffer);
  let assemblyFormat = "$buffer attr-dict";
}

def Exec_CopyOp : Exec_Op<"copy"> {
  let summary = "Bytes of one buffer to the same places of another one.";
  let description = [{
    All bytes, or those of the parts: each is [offset, bytes, size, stride, ...],
    runs of bytes at strides. The buffers have the same size.
  }];
  let arguments = (ins Exec_BufferType:$source, Exec_BufferType:$target,
                       OptionalAttr<ArrayAttr>:$parts);
  let assemblyFormat = "$source `to` $target (`parts` $parts^)? attr-dict";
}

def Exec_FillOp : Exec_Op<"fill"> {
  let summary = "Fills a buffer with one element, e.g. a combiner's identity.";
  let arguments = (ins Exec_BufferType:$buffer, TypedAttrInterface:$value);
  let assemblyFormat = "$buffer `with` $value attr-dict";
}

def Exec_RunOp : Exec_Op<"run", [AttrSizedOperandSegments, IsolatedFromAbove]> {
  let summary = "A fused region over buffers.";
  let description = [{
    The same as `fuseau.fused`, with a buffer for each input and output.
    Inputs of kind 1 are scalars and of kind 2 iotas; they have no buffer.
    `lagged` is empty, or [output, behind, ahead, reader...] as
    runtime::LaggedWrite has it: indices count memory operands.
  }];
  let arguments = (ins
      Variadic<Exec_BufferType>:$inputs,
      Variadic<Exec_BufferType>:$outputs,
      DenseI64ArrayAttr:$space,
      DenseI32ArrayAttr:$kinds,    // per body argument: 0 memory 1 scalar 2 iota
      ArrayAttr:$in_types,         // element type of each body argument
      ArrayAttr:$in_maps,          // per body argument; a scalar's is [index]
      ArrayAttr:$out_types,
      ArrayAttr:$out_maps,
      ArrayAttr:$combiners,
      DenseBoolArrayAttr:$reduced,
      DenseI64ArrayAttr:$lagged);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `space` $space `(` $inputs `)` `kinds` $kinds $in_types $in_maps `to`
    `(` $outputs `)` $out_types $out_maps `combiners` $combiners `reduced`
    $reduced `lagged` $lagged attr-dict-with-keyword $body
  }];
}

def Exec_KernelOp : Exec_Op<"kernel", [Symbol, IsolatedFromAbove]> {
  let summary = "A loop nest with sizes, strides and scalars as arguments.";
  let description = [{
    Body arguments come in the order: memory and iota inputs, then scalars.
    `inner` holds, for each memory or iota input and then each output, the class
    of its innermost stride: 0 broadcast, 1 contiguous, -1 contiguous backwards,
    2 any other. `reduction` is
      "none"              outputs are stored
      "inner"             the innermost dimension is joined, then stored
      "inner_accumulate"  as before, then joined with what the output holds
      "outer"             each element is joined with what the output holds
    `rows` neighbours along dimension rank - 2 are computed together. If that is
    more than one, "outer" reductions join them: their outputs do not move there.
    `turned`: the last dimension is so short that vectors run along the one
    before it; `inner` and `rows` have their roles exchanged.
    Bit i of `streamed`: nothing reads output i soon, and it is larger than the
    caches, so its vectors are stored past them.
    Bit d of `reduced`: results are joined along dimension d. Only kernels for
    GPUs say so, which are cut along the other dimensions.
    Its text, without the name, is the kernel's key.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      I32Attr:$rank,
      I32Attr:$iotas,              // how many of the non-scalar inputs, bitmask
      I32Attr:$scalars,            // the last body arguments
      ArrayAttr:$in_types, ArrayAttr:$out_types,
      DenseI32ArrayAttr:$inner,
      StrAttr:$reduction, ArrayAttr:$combiners,
      DefaultValuedAttr<I32Attr, "1">:$rows,
      UnitAttr:$turned,
      DefaultValuedAttr<I32Attr, "0">:$streamed,
      DefaultValuedAttr<I64Attr, "0">:$reduced);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `rank` $rank `iotas` $iotas `scalars` $scalars `in` $in_types
    `out` $out_types `inner` $inner `reduction` $reduction $combiners
    attr-dict-with-keyword $body
  }];
}

def Exec_LaunchOp : Exec_Op<"launch", [AttrSizedOperandSegments]> {
  let summary = "Runs a kernel over sizes.";
  let arguments = (ins FlatSymbolRefAttr:$kernel,
      Variadic<Exec_BufferType>:$inputs,
      Variadic<Exec_BufferType>:$outputs,
      DenseI64ArrayAttr:$sizes,
      DenseI32ArrayAttr:$kinds,    // per non-scalar input: 0 memory 2 iota
      ArrayAttr:$maps,             // non-scalar inputs, then outputs
      DenseI32ArrayAttr:$scalars,  // indices of the run's scalars
      StrAttr:$split,              // "rows", "tree" or "serial"
      DenseI64ArrayAttr:$lagged);
  let assemblyFormat = [{
    $kernel `sizes` $sizes `(` $inputs `)` `to` `(` $outputs `)`
    `kinds` $kinds `maps` $maps `scalars` $scalars `split` $split `lagged`
    $lagged attr-dict
  }];
}

def Exec_RoutineOp : Exec_Op<"routine"> {
  let summary = "Calls a routine of the library.";
  let description = [{
    The same as `fuseau.routine`, with buffers.
  }];
  let arguments = (ins StrAttr:$name,
      Variadic<Exec_BufferType>:$inputs, Exec_BufferType:$output,
      DenseI64ArrayAttr:$space, ArrayAttr:$in_types, ArrayAttr:$in_maps,
      TypeAttr:$out_type, DenseBoolArrayAttr:$reduced, I64Attr:$attribute);
  let assemblyFormat = [{
    $name `space` $space `(` $inputs `)` $in_types $in_maps `to` $output
    $out_type `reduced` $reduced `attribute` $attribute attr-dict
  }];
}

def Exec_TileBufferOp : Exec_Op<"tile_buffer"> {
  let summary = "A buffer inside a sweep of which one tile exists at a time.";
  let description = [{
    It is addressed as if it had `bytes` bytes; row r of the sweep has the
    `row_bytes` bytes from `low + r * stride` on.
  }];
  let arguments = (ins I64Attr:$bytes, I64Attr:$low, I64Attr:$stride,
                       I64Attr:$row_bytes);
  let results = (outs Exec_BufferType:$buffer);
  let assemblyFormat = "$bytes `low` $low `stride` $stride `row` $row_bytes attr-dict";
}

def Exec_SweepOp : Exec_Op<"sweep", [NoTerminator, SingleBlock]> {
  let summary = "Nests that run one tile of rows after the other.";
  let description = [{
    The sweep has `rows` rows. Row i of the n-th nest (index i of its outermost
    dimension) is row `first[n] + i` of the sweep. No nest reads from, or writes
    to, what another one writes in another row, so all may run for one tile of
    `tile` rows before any runs for the next, and tiles in any order. `halo` has
    two numbers for each nest: the rows before and after those of a tile that it
    computes with it. Such a nest writes to tile buffers only, which others read
    in these rows.
  }];
  let arguments = (ins I64Attr:$rows, I64Attr:$tile,
                       DenseI64ArrayAttr:$first, DenseI64ArrayAttr:$halo);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `rows` $rows `tile` $tile `first` $first `halo` $halo
    attr-dict-with-keyword $body
  }];
}

def Exec_ReturnOp : Exec_Op<"return", [Terminator]> {
  let summary = "The buffers of the results.";
  let arguments = (ins Variadic<Exec_BufferType>:$buffers);
  let assemblyFormat = "($buffers^)? attr-dict";
}

#endif  // FUSEAU_IR_EXEC_OPS

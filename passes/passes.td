#ifndef FUSEAU_PASSES
#define FUSEAU_PASSES

include "mlir/Pass/PassBase.td"

def SimplifyPass : Pass<"fuseau-simplify", "::mlir::ModuleOp"> {
  let summary = "Drops what is computed twice, for nothing, or without change";
  let description = [{
    Common subexpressions, dead operations, casts to the same type and copies of
    values that nothing overwrites. Keeps the bits of every result.
  }];
}

def SplitPass : Pass<"fuseau-split", "::mlir::ModuleOp"> {
  let summary = "Reads values that were put together piece by piece";
  let description = [{
    A joined, padded or rolled array is a chain of updates. If only elementwise
    operations read it, these are split along the edges of the pieces. Each part
    reads the sources, and the parts make the result; the chain disappears.

    ```mlir
    %1 = fuseau.update %last into %0[0] [8] ...   // b = roll(a, 1)
    %2 = fuseau.update %others into %1[8] [8] ...
    %3 = fuseau.view %2[0] [8] ...
    %4 = fuseau.add %a, %3 ...                    // a + b
    ```
    becomes two additions, of one element and of the others, which update a
    `fuseau.unset`.
  }];
  let options = [Option<"launch_bytes", "launch-bytes", "int64_t", "8192",
                        "Traffic that must be saved for each new launch">];
}

def FusePass : Pass<"fuseau-fuse", "::mlir::ModuleOp"> {
  let summary = "Groups array operations into loop nests";
  let description = [{
    Starts from the values that must exist (results, reductions, updates), pulls
    the elementwise operations they read into them through views, and joins
    nests over the same space. Without fusion every operation is a nest.

    ```mlir
    %0 = fuseau.view %a[8] array<i64: 8> : (tensor<80xui8>) -> tensor<9xf64>
    %1 = fuseau.sqrt %0 : (tensor<9xf64>) -> tensor<9xf64>
    %2 = fuseau.add %1, %1 : (tensor<9xf64>, tensor<9xf64>) -> tensor<9xf64>
    ```
    becomes one `fuseau.fused` with map `[8, 8]` of %a and the body
    `arith.addf(math.sqrt(x), math.sqrt(x))`.
  }];
  let options = [Option<"one_by_one", "one-by-one", "bool", "false",
                        "Every operation is a nest of its own">];
}

def CollapsePass : Pass<"fuseau-collapse", "::mlir::ModuleOp"> {
  let summary = "Gives loop nests their best order and fewest dimensions";
  let description = [{
    Orders the dimensions of a nest by the strides of what it writes, makes
    written strides positive, drops dimensions of size 1 and merges neighbours
    that all maps walk as one. Reduced dimensions keep their order, which decides
    the bits of a sum.
  }];
}

def PlacePass : Pass<"fuseau-place", "::mlir::ModuleOp"> {
  let summary = "Gives every value a buffer";
  let description = [{
    An update runs in the buffer of its old value if nobody reads that value
    later; reads of the old value inside the same nest are allowed if they read
    just the element written, or rows at a constant distance, which then run
    lagged (runtime/README.md). Otherwise the old value is copied first.
  }];
  let dependentDialects = ["::fuseau::ir::exec::ExecDialect"];
  let options = [Option<"always_copy", "always-copy", "bool", "false",
                        "No update runs in place">,
                 Option<"swap_bytes", "swap-bytes", "int64_t", "0",
                        "What a nest may touch if it had better write to "
                        "another buffer than lag in its own">,
                 Option<"never_lag", "never-lag", "bool", "false",
                        "All points of a nest may run at once">];
}

def SweepPass : Pass<"fuseau-sweep", "::mlir::ModuleOp"> {
  let summary = "Nests over the same rows run tile by tile";
  let description = [{
    Neighbouring nests that meet in a buffer only where they are at the same row
    become one `fuseau_exec.sweep`: what one leaves is in the cache when the next
    one needs it, and a buffer that only they use exists for one tile. So a
    softmax reads its input and writes its result once. The nests and their bits
    stay as they are.
  }];
  let dependentDialects = ["::fuseau::ir::exec::ExecDialect"];
  let options = [Option<"tile_bytes", "tile-bytes", "int64_t", "262144",
                        "What the nests touch in one tile, at most">];
}

def OutlinePass : Pass<"fuseau-outline", "::mlir::ModuleOp"> {
  let summary = "Separates kernels from the plan that launches them";
  let description = [{
    The body of each nest becomes a kernel whose sizes, strides and scalars are
    arguments; nests with equal bodies share one. A large result that no nest
    reads is streamed: stored past the caches.
  }];
  let dependentDialects = ["::fuseau::ir::exec::ExecDialect"];
  let options = [Option<"stream_bytes", "stream-bytes", "int64_t",
                        "std::numeric_limits<int64_t>::max()",
                        "Nests that touch more stream large results">,
                 Option<"for_gpu", "for-gpu", "bool", "false",
                        "Kernels say along which dimensions they join and "
                        "leave out what only processors gain from">];
}

#endif  // FUSEAU_PASSES

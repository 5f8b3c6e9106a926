// RUN: fuseau-opt %s --fuseau-simplify | FileCheck %s

// Equal operations are done once, casts to the same type not at all, and reads
// of a copy are reads of what was copied.
// CHECK-LABEL: func.func @twice
// CHECK: %[[V:.*]] = fuseau.view
// CHECK: %[[Q:.*]] = fuseau.sqrt %[[V]]
// CHECK: %[[S:.*]] = fuseau.add %[[Q]], %[[Q]]
// CHECK: return %[[S]]
func.func @twice() -> tensor<10xf64> {
  %a = fuseau.input 0 : tensor<80xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<80xui8>) -> tensor<10xf64>
  %c = fuseau.cast %0 : (tensor<10xf64>) -> tensor<10xf64>
  %d = fuseau.copy %c : (tensor<10xf64>) -> tensor<10xf64>
  %1 = fuseau.sqrt %0 : (tensor<10xf64>) -> tensor<10xf64>
  %2 = fuseau.sqrt %d : (tensor<10xf64>) -> tensor<10xf64>
  %3 = fuseau.add %1, %2 : (tensor<10xf64>, tensor<10xf64>) -> tensor<10xf64>
  return %3 : tensor<10xf64>
}

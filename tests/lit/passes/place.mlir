// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place --split-input-file | FileCheck %s

// Reads of just the element that is written: in place, no lag.
// CHECK-LABEL: func.func @pointwise
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK-NOT: fuseau_exec.alloc
// CHECK: fuseau_exec.run space [10](%[[A]]){{.*}} to(%[[A]])
// CHECK-SAME: lagged []
// CHECK: fuseau_exec.return %[[A]]
func.func @pointwise() -> tensor<80xui8> {
  %a = fuseau.input 0 donated : tensor<80xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<80xui8>) -> tensor<10xf64>
  %1 = fuseau.square %0 : (tensor<10xf64>) -> tensor<10xf64>
  %2 = fuseau.update %1 into %a[0] [8] : (tensor<80xui8>, tensor<10xf64>) -> tensor<80xui8>
  return %2 : tensor<80xui8>
}

// -----

// A stencil: rows above and below are read, so writes lag by a row.
// CHECK-LABEL: func.func @stencil
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK-NOT: fuseau_exec.alloc
// CHECK: fuseau_exec.run space [8, 8](%[[A]], %[[A]]){{.*}} to(%[[A]])
// CHECK-SAME: lagged [0, 1, 1, 0, 1]
func.func @stencil() -> tensor<800xui8> {
  %a = fuseau.input 0 donated : tensor<800xui8>
  %n = fuseau.view %a[8] [80, 8] : (tensor<800xui8>) -> tensor<8x8xf64>
  %s = fuseau.view %a[168] [80, 8] : (tensor<800xui8>) -> tensor<8x8xf64>
  %0 = fuseau.add %n, %s : (tensor<8x8xf64>, tensor<8x8xf64>) -> tensor<8x8xf64>
  %1 = fuseau.update %0 into %a[88] [80, 8] : (tensor<800xui8>, tensor<8x8xf64>) -> tensor<800xui8>
  return %1 : tensor<800xui8>
}

// -----

// A transposed read can't be ordered by rows: the old value is copied.
// CHECK-LABEL: func.func @transposed
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK: %[[B:.*]] = fuseau_exec.alloc 128
// CHECK: fuseau_exec.run space [4, 4](%[[A]], %[[A]]){{.*}} to(%[[B]])
// CHECK: fuseau_exec.free %[[A]]
func.func @transposed() -> tensor<128xui8> {
  %a = fuseau.input 0 donated : tensor<128xui8>
  %t = fuseau.view %a[0] [8, 32] : (tensor<128xui8>) -> tensor<4x4xf64>
  %c = fuseau.view %a[0] [32, 8] : (tensor<128xui8>) -> tensor<4x4xf64>
  %0 = fuseau.add %t, %c : (tensor<4x4xf64>, tensor<4x4xf64>) -> tensor<4x4xf64>
  %1 = fuseau.update %0 into %a[0] [32, 8] : (tensor<128xui8>, tensor<4x4xf64>) -> tensor<128xui8>
  return %1 : tensor<128xui8>
}

// -----

// Somebody else still needs the old value.
// CHECK-LABEL: func.func @shared
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK: %[[B:.*]] = fuseau_exec.alloc 80
// CHECK: fuseau_exec.copy %[[A]] to %[[B]]
// CHECK: fuseau_exec.run space [3]({{.*}} to(%[[B]])
func.func @shared() -> tensor<80xui8> {
  %a = fuseau.input 0 : tensor<80xui8>
  %s = fuseau.scalar 0 : tensor<f64>
  %0 = fuseau.view %s[0] [0] : (tensor<f64>) -> tensor<3xf64>
  %1 = fuseau.update %0 into %a[8] [8] : (tensor<80xui8>, tensor<3xf64>) -> tensor<80xui8>
  return %1 : tensor<80xui8>
}

// -----

// A column from the one beside it: rows of both lie between each other, but no
// element that is read is written.
// CHECK-LABEL: func.func @columns
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK-NOT: fuseau_exec.alloc
// CHECK: fuseau_exec.run space [10](%[[A]]){{.*}} to(%[[A]])
// CHECK-SAME: lagged []
func.func @columns() -> tensor<800xui8> {
  %a = fuseau.input 0 donated : tensor<800xui8>
  %c = fuseau.view %a[64] [80] : (tensor<800xui8>) -> tensor<10xf64>
  %0 = fuseau.copy %c : (tensor<10xf64>) -> tensor<10xf64>
  %1 = fuseau.update %0 into %a[72] [80] : (tensor<800xui8>, tensor<10xf64>) -> tensor<800xui8>
  return %1 : tensor<800xui8>
}

// -----

// The old value is needed later: only what the update leaves is copied.
// CHECK-LABEL: func.func @rest
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK: fuseau_exec.copy %[[A]] to %{{.*}} parts{{.*}}array<i64: 0, 400>{{.*}}
func.func @rest() -> (tensor<800xui8>, tensor<800xui8>) {
  %a = fuseau.input 0 : tensor<800xui8>
  %v = fuseau.view %a[0] [8] : (tensor<800xui8>) -> tensor<50xf64>
  %0 = fuseau.square %v : (tensor<50xf64>) -> tensor<50xf64>
  %1 = fuseau.update %0 into %a[400] [8] : (tensor<800xui8>, tensor<50xf64>) -> tensor<800xui8>
  return %a, %1 : tensor<800xui8>, tensor<800xui8>
}

// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place="swap-bytes=100000" --split-input-file | FileCheck %s

// A stencil over most of an array that the cache holds: to another buffer, which
// gets the rim of the old one. No row has to wait.
// CHECK-LABEL: func.func @stencil
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK: %[[B:.*]] = fuseau_exec.alloc 20000
// CHECK: fuseau_exec.copy %[[A]] to %[[B]] parts
// CHECK-SAME: array<i64: 792, 16, 47, 400>
// CHECK-SAME: array<i64: 0, 408>
// CHECK-SAME: array<i64: 19592, 408>
// CHECK: fuseau_exec.run space [48, 48](%[[A]], %[[A]]){{.*}} to(%[[B]])
// CHECK-SAME: lagged []
// CHECK: fuseau_exec.free %[[A]]
func.func @stencil() -> tensor<20000xui8> {
  %a = fuseau.input 0 donated : tensor<20000xui8>
  %n = fuseau.view %a[8] [400, 8] : (tensor<20000xui8>) -> tensor<48x48xf64>
  %s = fuseau.view %a[808] [400, 8] : (tensor<20000xui8>) -> tensor<48x48xf64>
  %0 = fuseau.add %n, %s : (tensor<48x48xf64>, tensor<48x48xf64>) -> tensor<48x48xf64>
  %1 = fuseau.update %0 into %a[408] [400, 8] : (tensor<20000xui8>, tensor<48x48xf64>) -> tensor<20000xui8>
  return %1 : tensor<20000xui8>
}

// -----

// All but a small part is kept: that would be copied for nothing.
// CHECK-LABEL: func.func @corner
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK-NOT: fuseau_exec.alloc
// CHECK: fuseau_exec.run {{.*}} to(%[[A]])
// CHECK-SAME: lagged [0, 1, 0, 0]
func.func @corner() -> tensor<20000xui8> {
  %a = fuseau.input 0 donated : tensor<20000xui8>
  %n = fuseau.view %a[0] [400, 8] : (tensor<20000xui8>) -> tensor<9x9xf64>
  %0 = fuseau.square %n : (tensor<9x9xf64>) -> tensor<9x9xf64>
  %1 = fuseau.update %0 into %a[400] [400, 8] : (tensor<20000xui8>, tensor<9x9xf64>) -> tensor<20000xui8>
  return %1 : tensor<20000xui8>
}

// -----

// More than the cache holds.
// CHECK-LABEL: func.func @large
// CHECK: %[[A:.*]] = fuseau_exec.input 0
// CHECK-NOT: fuseau_exec.alloc
// CHECK: fuseau_exec.run space [198, 49]({{.*}} to(%[[A]])
func.func @large() -> tensor<80000xui8> {
  %a = fuseau.input 0 donated : tensor<80000xui8>
  %n = fuseau.view %a[0] [400, 8] : (tensor<80000xui8>) -> tensor<198x49xf64>
  %0 = fuseau.square %n : (tensor<198x49xf64>) -> tensor<198x49xf64>
  %1 = fuseau.update %0 into %a[400] [400, 8] : (tensor<80000xui8>, tensor<198x49xf64>) -> tensor<80000xui8>
  return %1 : tensor<80000xui8>
}

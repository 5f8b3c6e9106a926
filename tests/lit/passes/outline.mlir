// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place --fuseau-outline | FileCheck %s

// Nests of equal form share a kernel, whatever their sizes and scalars.
// CHECK: fuseau_exec.kernel @kernel_0 rank 1 iotas 0 scalars 1 in [f64, f64] out [f64] inner [1, 1] reduction "none"
// CHECK-NOT: fuseau_exec.kernel @
// CHECK-LABEL: func.func @two
// CHECK: fuseau_exec.launch @kernel_0 sizes [10]
// CHECK-SAME: scalars [0] split "rows"
// CHECK: fuseau_exec.launch @kernel_0 sizes [7]
// CHECK-SAME: scalars [1] split "rows"
func.func @two() -> (tensor<10xf64>, tensor<7xf64>) {
  %a = fuseau.input 0 : tensor<80xui8>
  %s = fuseau.scalar 0 : tensor<f64>
  %t = fuseau.scalar 1 : tensor<f64>
  %0 = fuseau.view %a[0] [8] : (tensor<80xui8>) -> tensor<10xf64>
  %1 = fuseau.view %s[0] [0] : (tensor<f64>) -> tensor<10xf64>
  %2 = fuseau.multiply %0, %1 : (tensor<10xf64>, tensor<10xf64>) -> tensor<10xf64>
  %3 = fuseau.view %a[0] [8] : (tensor<80xui8>) -> tensor<7xf64>
  %4 = fuseau.view %t[0] [0] : (tensor<f64>) -> tensor<7xf64>
  %5 = fuseau.multiply %3, %4 : (tensor<7xf64>, tensor<7xf64>) -> tensor<7xf64>
  return %2, %5 : tensor<10xf64>, tensor<7xf64>
}

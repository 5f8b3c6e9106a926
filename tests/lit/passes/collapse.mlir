// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse | FileCheck %s

// Contiguous dimensions are one loop.
// CHECK-LABEL: func.func @contiguous
// CHECK: fuseau.fused space [60]
// CHECK-SAME: in_maps [array<i64: 0, 8>]
// CHECK-SAME: out_maps [array<i64: 0, 8>]
func.func @contiguous() -> tensor<3x4x5xf64> {
  %a = fuseau.input 0 : tensor<480xui8>
  %0 = fuseau.view %a[0] [160, 40, 8] : (tensor<480xui8>) -> tensor<3x4x5xf64>
  %1 = fuseau.sqrt %0 : (tensor<3x4x5xf64>) -> tensor<3x4x5xf64>
  return %1 : tensor<3x4x5xf64>
}

// Written backwards through a reversed view: walked forwards.
// CHECK-LABEL: func.func @reversed
// CHECK: out_maps [array<i64: 0, 8>]
func.func @reversed() -> tensor<80xui8> {
  %a = fuseau.input 0 donated : tensor<80xui8>
  %b = fuseau.input 1 : tensor<80xui8>
  %0 = fuseau.view %b[0] [8] : (tensor<80xui8>) -> tensor<10xf64>
  %1 = fuseau.update %0 into %a[72] [-8] : (tensor<80xui8>, tensor<10xf64>) -> tensor<80xui8>
  return %1 : tensor<80xui8>
}

// Reduced dimensions of a sum of floats stay apart: their split decides bits.
// CHECK-LABEL: func.func @sum
// CHECK: fuseau.fused space [6, 4, 5]
// CHECK-SAME: reduced [false, true, true]
func.func @sum() -> tensor<2x3xf64> {
  %a = fuseau.input 0 : tensor<960xui8>
  %0 = fuseau.view %a[0] [480, 160, 40, 8] : (tensor<960xui8>) -> tensor<2x3x4x5xf64>
  %1 = fuseau.sum %0 dims [false, false, true, true] : (tensor<2x3x4x5xf64>) -> tensor<2x3xf64>
  return %1 : tensor<2x3xf64>
}

// A short row is added the way NumPy does, but for many rows side by side.
// CHECK-LABEL: func.func @short_rows
// CHECK: fuseau.fused space [3, 100]
// CHECK-SAME: in_maps [array<i64: 0, 8, 24>]
// CHECK-SAME: reduced [true, false]
func.func @short_rows() -> tensor<100xf64> {
  %a = fuseau.input 0 : tensor<2400xui8>
  %0 = fuseau.view %a[0] [24, 8] : (tensor<2400xui8>) -> tensor<100x3xf64>
  %1 = fuseau.sum %0 dims [false, true] : (tensor<100x3xf64>) -> tensor<100xf64>
  return %1 : tensor<100xf64>
}

// Eight elements or more have a tree.
// CHECK-LABEL: func.func @longer_rows
// CHECK: fuseau.fused space [100, 8]
// CHECK-SAME: reduced [false, true]
func.func @longer_rows() -> tensor<100xf64> {
  %a = fuseau.input 0 : tensor<6400xui8>
  %0 = fuseau.view %a[0] [64, 8] : (tensor<6400xui8>) -> tensor<100x8xf64>
  %1 = fuseau.sum %0 dims [false, true] : (tensor<100x8xf64>) -> tensor<100xf64>
  return %1 : tensor<100xf64>
}

// Reduced dimensions go inside, next to the rows of the result.
// CHECK-LABEL: func.func @reduce_inside
// CHECK: fuseau.fused space [5, 4, 64]
// CHECK-SAME: in_maps [array<i64: 0, 1024, 5120, 8>]
// CHECK-SAME: reduced [false, true, false]
func.func @reduce_inside() -> tensor<5x64xf64> {
  %a = fuseau.input 0 : tensor<20480xui8>
  %0 = fuseau.view %a[0] [5120, 1024, 8] : (tensor<20480xui8>) -> tensor<4x5x64xf64>
  %1 = fuseau.sum %0 dims [true, false, false] : (tensor<4x5x64xf64>) -> tensor<5x64xf64>
  return %1 : tensor<5x64xf64>
}

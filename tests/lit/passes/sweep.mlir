// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place --fuseau-sweep | FileCheck %s

// Rows of a softmax stay in the cache: the maximum, the exponentials and their
// sum exist for one tile at a time.
// CHECK-LABEL: func.func @softmax
// CHECK-COUNT-1: fuseau_exec.alloc
// CHECK: fuseau_exec.sweep rows 2000 tile {{[0-9]+}} first [0, 0, 0, 0] halo [0, 0, 0, 0, 0, 0, 0, 0] {
// CHECK-COUNT-3: fuseau_exec.tile_buffer
// CHECK-COUNT-4: fuseau_exec.run
// CHECK: fuseau_exec.return
func.func @softmax() -> tensor<2000x1000xf64> {
  %a = fuseau.input 0 : tensor<16000000xui8>
  %0 = fuseau.view %a[0] [8000, 8] : (tensor<16000000xui8>) -> tensor<2000x1000xf64>
  %1 = fuseau.max %0 dims [false, true] : (tensor<2000x1000xf64>) -> tensor<2000xf64>
  %2 = fuseau.view %1[0] [8, 0] : (tensor<2000xf64>) -> tensor<2000x1000xf64>
  %3 = fuseau.subtract %0, %2 : (tensor<2000x1000xf64>, tensor<2000x1000xf64>) -> tensor<2000x1000xf64>
  %4 = fuseau.exp %3 : (tensor<2000x1000xf64>) -> tensor<2000x1000xf64>
  %5 = fuseau.sum %4 dims [false, true] : (tensor<2000x1000xf64>) -> tensor<2000xf64>
  %6 = fuseau.view %5[0] [8, 0] : (tensor<2000xf64>) -> tensor<2000x1000xf64>
  %7 = fuseau.divide %4, %6 : (tensor<2000x1000xf64>, tensor<2000x1000xf64>) -> tensor<2000x1000xf64>
  return %7 : tensor<2000x1000xf64>
}

// What fits into the cache is left alone.
// CHECK-LABEL: func.func @small
// CHECK-NOT: fuseau_exec.sweep
func.func @small() -> tensor<20x10xf64> {
  %a = fuseau.input 0 : tensor<1600xui8>
  %0 = fuseau.view %a[0] [80, 8] : (tensor<1600xui8>) -> tensor<20x10xf64>
  %1 = fuseau.max %0 dims [false, true] : (tensor<20x10xf64>) -> tensor<20xf64>
  %2 = fuseau.view %1[0] [8, 0] : (tensor<20xf64>) -> tensor<20x10xf64>
  %3 = fuseau.subtract %0, %2 : (tensor<20x10xf64>, tensor<20x10xf64>) -> tensor<20x10xf64>
  return %3 : tensor<20x10xf64>
}

// A value and a full reduction of it: tiles are nodes of the sum's tree.
// CHECK-LABEL: func.func @value_and_sum
// CHECK: fuseau_exec.sweep rows 1000000 tile
// CHECK-NOT: fuseau_exec.tile_buffer
// CHECK-COUNT-2: fuseau_exec.run
func.func @value_and_sum() -> (tensor<1000000xf64>, tensor<f64>) {
  %a = fuseau.input 0 : tensor<8000000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<8000000xui8>) -> tensor<1000000xf64>
  %1 = fuseau.exp %0 : (tensor<1000000xf64>) -> tensor<1000000xf64>
  %2 = fuseau.sum %1 dims [true] : (tensor<1000000xf64>) -> tensor<f64>
  return %1, %2 : tensor<1000000xf64>, tensor<f64>
}

// Neighbours of what a nest makes for another one alone: it makes one more row
// with each tile.
// CHECK-LABEL: func.func @shifted
// CHECK: fuseau_exec.sweep rows 1000000 tile {{[0-9]+}} first [0, 0] halo [0, 1, 0, 0] {
// CHECK: fuseau_exec.tile_buffer 8000000 low 0 stride 8 row 16
func.func @shifted() -> tensor<999999xf64> {
  %a = fuseau.input 0 : tensor<8000000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<8000000xui8>) -> tensor<1000000xf64>
  %1 = fuseau.exp %0 : (tensor<1000000xf64>) -> tensor<1000000xf64>
  %2 = fuseau.view %1[0] [8] : (tensor<1000000xf64>) -> tensor<999999xf64>
  %3 = fuseau.view %1[8] [8] : (tensor<1000000xf64>) -> tensor<999999xf64>
  %4 = fuseau.subtract %3, %2 : (tensor<999999xf64>, tensor<999999xf64>) -> tensor<999999xf64>
  return %4 : tensor<999999xf64>
}

// What is made is a result: rows would be written by two tiles.
// CHECK-LABEL: func.func @seen
// CHECK-NOT: fuseau_exec.sweep
func.func @seen() -> (tensor<1000000xf64>, tensor<999999xf64>) {
  %a = fuseau.input 0 : tensor<8000000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<8000000xui8>) -> tensor<1000000xf64>
  %1 = fuseau.exp %0 : (tensor<1000000xf64>) -> tensor<1000000xf64>
  %2 = fuseau.view %1[0] [8] : (tensor<1000000xf64>) -> tensor<999999xf64>
  %3 = fuseau.view %1[8] [8] : (tensor<1000000xf64>) -> tensor<999999xf64>
  %4 = fuseau.subtract %3, %2 : (tensor<999999xf64>, tensor<999999xf64>) -> tensor<999999xf64>
  return %1, %4 : tensor<1000000xf64>, tensor<999999xf64>
}

// Updates of windows of one array: rows differ by a constant, and a nest over
// all elements is cut into the rows of the window's.
// CHECK-LABEL: func.func @windows
// CHECK: fuseau_exec.sweep rows 1000 tile {{[0-9]+}} first [0, 1, 0] halo [0, 0, 0, 0, 0, 0] {
// CHECK: fuseau_exec.run space [1000, 1000]
// CHECK: fuseau_exec.run space [999, 1000]
// CHECK: fuseau_exec.run space [1000, 999]
func.func @windows() -> tensor<1000x1000xf64> {
  %a = fuseau.input 0 : tensor<8000000xui8>
  %0 = fuseau.view %a[0] [8000, 8] : (tensor<8000000xui8>) -> tensor<1000x1000xf64>
  %1 = fuseau.exp %0 : (tensor<1000x1000xf64>) -> tensor<1000x1000xf64>
  %2 = fuseau.view %1[8000] [8000, 8] : (tensor<1000x1000xf64>) -> tensor<999x1000xf64>
  %3 = fuseau.view %a[0] [8000, 8] : (tensor<8000000xui8>) -> tensor<999x1000xf64>
  %4 = fuseau.subtract %2, %3 : (tensor<999x1000xf64>, tensor<999x1000xf64>) -> tensor<999x1000xf64>
  %5 = fuseau.update %4 into %1[8000] [8000, 8] : (tensor<1000x1000xf64>, tensor<999x1000xf64>) -> tensor<1000x1000xf64>
  %6 = fuseau.view %5[8] [8000, 8] : (tensor<1000x1000xf64>) -> tensor<1000x999xf64>
  %7 = fuseau.view %a[0] [8000, 8] : (tensor<8000000xui8>) -> tensor<1000x999xf64>
  %8 = fuseau.subtract %6, %7 : (tensor<1000x999xf64>, tensor<1000x999xf64>) -> tensor<1000x999xf64>
  %9 = fuseau.update %8 into %5[8] [8000, 8] : (tensor<1000x1000xf64>, tensor<1000x999xf64>) -> tensor<1000x1000xf64>
  return %9 : tensor<1000x1000xf64>
}

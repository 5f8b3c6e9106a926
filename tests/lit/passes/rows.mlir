// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place --fuseau-outline | FileCheck %s

// A sum over rows takes several a turn, a nest that reads across its rows too.
// CHECK-DAG: fuseau_exec.kernel @{{.*}} reduction "outer" ["sum"] attributes {rows = 8 : i32}
// CHECK-DAG: fuseau_exec.kernel @{{.*}} reduction "none" ["none"] attributes {rows = 8 : i32}
// Rows of three elements would leave most lanes empty: vectors run across them.
// CHECK-DAG: fuseau_exec.kernel @{{.*}} inner [2, 1, 2] reduction "none" ["none"] attributes {rows = 3 : i32, turned}
// CHECK-LABEL: func.func @rows
func.func @rows() -> (tensor<50xf64>, tensor<50x40xf64>) {
  %a = fuseau.input 0 : tensor<16000xui8>
  %0 = fuseau.view %a[0] [400, 8] : (tensor<16000xui8>) -> tensor<40x50xf64>
  %1 = fuseau.sum %0 dims [true, false] : (tensor<40x50xf64>) -> tensor<50xf64>
  %2 = fuseau.view %a[0] [8, 400] : (tensor<16000xui8>) -> tensor<50x40xf64>
  %3 = fuseau.negative %2 : (tensor<50x40xf64>) -> tensor<50x40xf64>
  return %1, %3 : tensor<50xf64>, tensor<50x40xf64>
}

// CHECK-LABEL: func.func @turned
func.func @turned() -> tensor<50x3xf64> {
  %p = fuseau.input 0 : tensor<1200xui8>
  %w = fuseau.input 1 : tensor<400xui8>
  %0 = fuseau.view %p[0] [24, 8] : (tensor<1200xui8>) -> tensor<50x3xf64>
  %1 = fuseau.view %w[0] [8, 0] : (tensor<400xui8>) -> tensor<50x3xf64>
  %2 = fuseau.add %0, %1 : (tensor<50x3xf64>, tensor<50x3xf64>) -> tensor<50x3xf64>
  return %2 : tensor<50x3xf64>
}

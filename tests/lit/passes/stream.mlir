// RUN: fuseau-opt %s --fuseau-fuse --fuseau-collapse --fuseau-place --fuseau-outline="stream-bytes=20000" --split-input-file | FileCheck %s

// A result that the caches cannot hold beside its source goes past them.
// CHECK: fuseau_exec.kernel {{.*}} attributes {streamed = 1 : i32}
// CHECK-LABEL: func.func @large
func.func @large() -> tensor<2000xf64> {
  %a = fuseau.input 0 : tensor<16000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<16000xui8>) -> tensor<2000xf64>
  %1 = fuseau.negative %0 : (tensor<2000xf64>) -> tensor<2000xf64>
  return %1 : tensor<2000xf64>
}

// -----

// CHECK-NOT: streamed
// CHECK-LABEL: func.func @small
func.func @small() -> tensor<1000xf64> {
  %a = fuseau.input 0 : tensor<16000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<16000xui8>) -> tensor<1000xf64>
  %1 = fuseau.negative %0 : (tensor<1000xf64>) -> tensor<1000xf64>
  return %1 : tensor<1000xf64>
}

// -----

// The sum reads what the first nest writes; the second one's result is read by
// nobody. Both are written element by element in one nest.
// CHECK-NOT: streamed
// CHECK-LABEL: func.func @read_again
func.func @read_again() -> (tensor<2000xf64>, tensor<f64>) {
  %a = fuseau.input 0 : tensor<16000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<16000xui8>) -> tensor<2000xf64>
  %1 = fuseau.negative %0 : (tensor<2000xf64>) -> tensor<2000xf64>
  %2 = fuseau.sum %1 dims [true] : (tensor<2000xf64>) -> tensor<f64>
  return %1, %2 : tensor<2000xf64>, tensor<f64>
}

// -----

// In place: the lines are read anyhow.
// CHECK-NOT: streamed
// CHECK-LABEL: func.func @in_place
func.func @in_place() -> tensor<32000xui8> {
  %a = fuseau.input 0 donated : tensor<32000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<32000xui8>) -> tensor<4000xf64>
  %1 = fuseau.negative %0 : (tensor<4000xf64>) -> tensor<4000xf64>
  %2 = fuseau.update %1 into %a[0] [8] : (tensor<32000xui8>, tensor<4000xf64>) -> tensor<32000xui8>
  return %2 : tensor<32000xui8>
}

// -----

// Over an array that is not read; rows of 63 elements are too short.
// CHECK-DAG: fuseau_exec.kernel {{.*}} rank 1 {{.*}} attributes {streamed = 1 : i32}
// CHECK-DAG: fuseau_exec.kernel {{.*}} rank 2 {{.*}} "none" ["none"] {
// CHECK-LABEL: func.func @over
func.func @over() -> (tensor<16000xui8>, tensor<32000xui8>) {
  %a = fuseau.input 0 donated : tensor<16000xui8>
  %b = fuseau.input 1 donated : tensor<32000xui8>
  %c = fuseau.input 2 : tensor<16000xui8>
  %0 = fuseau.view %c[0] [8] : (tensor<16000xui8>) -> tensor<2000xf64>
  %1 = fuseau.negative %0 : (tensor<2000xf64>) -> tensor<2000xf64>
  %2 = fuseau.update %1 into %a[0] [8] : (tensor<16000xui8>, tensor<2000xf64>) -> tensor<16000xui8>
  %3 = fuseau.view %c[0] [504, 8] : (tensor<16000xui8>) -> tensor<30x63xf64>
  %4 = fuseau.sqrt %3 : (tensor<30x63xf64>) -> tensor<30x63xf64>
  %5 = fuseau.update %4 into %b[0] [1024, 8] : (tensor<32000xui8>, tensor<30x63xf64>) -> tensor<32000xui8>
  return %2, %5 : tensor<16000xui8>, tensor<32000xui8>
}

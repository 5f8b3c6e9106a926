// RUN: fuseau-opt %s --fuseau-fuse | FileCheck %s

// A chain through a view becomes one nest that reads the input once.
// CHECK-LABEL: func.func @chain
// CHECK: %[[IN:.*]] = fuseau.input 0
// CHECK: fuseau.fused space [9] ins(%[[IN]] : tensor<80xui8>)
// CHECK-SAME: in_maps [array<i64: 8, 8>]
// CHECK: ^bb0(%[[X:.*]]: f64):
// CHECK: %[[R:.*]] = math.sqrt %[[X]]
// CHECK: %[[S:.*]] = arith.addf %[[R]], %[[R]]
// CHECK: fuseau.yield %[[S]]
func.func @chain() -> tensor<9xf64> {
  %a = fuseau.input 0 : tensor<80xui8>
  %0 = fuseau.view %a[8] [8] : (tensor<80xui8>) -> tensor<9xf64>
  %1 = fuseau.sqrt %0 : (tensor<9xf64>) -> tensor<9xf64>
  %2 = fuseau.add %1, %1 : (tensor<9xf64>, tensor<9xf64>) -> tensor<9xf64>
  return %2 : tensor<9xf64>
}

// Two results over the same space that share inputs are one nest.
// CHECK-LABEL: func.func @siblings
// CHECK: fuseau.fused
// CHECK: fuseau.yield %{{.*}}, %{{.*}} : f64, f64
// CHECK-NOT: fuseau.fused
func.func @siblings() -> (tensor<4xf64>, tensor<4xf64>) {
  %a = fuseau.input 0 : tensor<32xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<32xui8>) -> tensor<4xf64>
  %1 = fuseau.exp %0 : (tensor<4xf64>) -> tensor<4xf64>
  %2 = fuseau.add %1, %0 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
  %3 = fuseau.multiply %1, %0 : (tensor<4xf64>, tensor<4xf64>) -> tensor<4xf64>
  return %2, %3 : tensor<4xf64>, tensor<4xf64>
}

// An expensive value that is read at two places is computed once, in memory.
// CHECK-LABEL: func.func @shifted
// CHECK: fuseau.call "exp.d->d"
// CHECK: fuseau.fused
// CHECK-NOT: fuseau.call
// CHECK: return
func.func @shifted() -> tensor<8xf64> {
  %a = fuseau.input 0 : tensor<72xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<72xui8>) -> tensor<9xf64>
  %1 = fuseau.exp %0 : (tensor<9xf64>) -> tensor<9xf64>
  %2 = fuseau.view %1[0] [8] : (tensor<9xf64>) -> tensor<8xf64>
  %3 = fuseau.view %1[8] [8] : (tensor<9xf64>) -> tensor<8xf64>
  %4 = fuseau.subtract %3, %2 : (tensor<8xf64>, tensor<8xf64>) -> tensor<8xf64>
  return %4 : tensor<8xf64>
}

// A cheap one is computed again.
// CHECK-LABEL: func.func @shifted_cheap
// CHECK-COUNT-1: fuseau.fused
// CHECK-COUNT-2: arith.mulf
// CHECK-NOT: fuseau.fused
func.func @shifted_cheap() -> tensor<8xf64> {
  %a = fuseau.input 0 : tensor<72xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<72xui8>) -> tensor<9xf64>
  %1 = fuseau.multiply %0, %0 : (tensor<9xf64>, tensor<9xf64>) -> tensor<9xf64>
  %2 = fuseau.view %1[0] [8] : (tensor<9xf64>) -> tensor<8xf64>
  %3 = fuseau.view %1[8] [8] : (tensor<9xf64>) -> tensor<8xf64>
  %4 = fuseau.subtract %3, %2 : (tensor<8xf64>, tensor<8xf64>) -> tensor<8xf64>
  return %4 : tensor<8xf64>
}

// A reduction pulls its producers in.
// CHECK-LABEL: func.func @norm
// CHECK: fuseau.fused space [4, 5]
// CHECK-SAME: combiners ["sum"] reduced [false, true]
// CHECK: arith.mulf
// CHECK-NOT: fuseau.fused
func.func @norm() -> tensor<4xf64> {
  %a = fuseau.input 0 : tensor<160xui8>
  %0 = fuseau.view %a[0] [40, 8] : (tensor<160xui8>) -> tensor<4x5xf64>
  %1 = fuseau.square %0 : (tensor<4x5xf64>) -> tensor<4x5xf64>
  %2 = fuseau.sum %1 dims [false, true] : (tensor<4x5xf64>) -> tensor<4xf64>
  return %2 : tensor<4xf64>
}

// A reshape of a lazy value is free where it is a view.
// CHECK-LABEL: func.func @reshaped
// CHECK: fuseau.fused space [3, 4]
// CHECK-SAME: in_maps [array<i64: 0, 32, 8>]
// CHECK-NOT: fuseau.fused
func.func @reshaped() -> tensor<3x4xf64> {
  %a = fuseau.input 0 : tensor<96xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<96xui8>) -> tensor<12xf64>
  %1 = fuseau.negative %0 : (tensor<12xf64>) -> tensor<12xf64>
  %2 = fuseau.view %1[0] [32, 8] : (tensor<12xf64>) -> tensor<3x4xf64>
  %3 = fuseau.sqrt %2 : (tensor<3x4xf64>) -> tensor<3x4xf64>
  return %3 : tensor<3x4xf64>
}

// A routine reads memory: its operand is a result of a nest, and what follows is
// another nest.
// CHECK-LABEL: func.func @routine
// CHECK: %[[E:.*]] = fuseau.fused space [12]
// CHECK: %[[S:.*]] = fuseau.routine "cumsum" space [3, 4] ins(%[[E]] : tensor<12xf64>)
// CHECK-SAME: in_maps [array<i64: 0, 32, 8>] reduced [false, false] attribute 1
// CHECK: fuseau.fused space [3, 4] ins(%[[S]] : tensor<3x4xf64>)
func.func @routine() -> tensor<3x4xf64> {
  %a = fuseau.input 0 : tensor<96xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<96xui8>) -> tensor<12xf64>
  %1 = fuseau.exp %0 : (tensor<12xf64>) -> tensor<12xf64>
  %2 = fuseau.view %1[0] [32, 8] : (tensor<12xf64>) -> tensor<3x4xf64>
  %3 = fuseau.cumsum %2 dims [false, false] attribute 1 : (tensor<3x4xf64>) -> tensor<3x4xf64>
  %4 = fuseau.sqrt %3 : (tensor<3x4xf64>) -> tensor<3x4xf64>
  return %4 : tensor<3x4xf64>
}

// An expensive value that is broadcast is computed once, a cheap one again.
// CHECK-LABEL: func.func @broadcast
// CHECK: fuseau.fused space [1000]
// CHECK: math.sqrt
// CHECK: fuseau.fused space [1000, 1000]
// CHECK-NOT: math.sqrt
// CHECK: arith.negf
// CHECK: return
func.func @broadcast() -> tensor<1000x1000xf64> {
  %a = fuseau.input 0 : tensor<8000xui8>
  %0 = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %1 = fuseau.sqrt %0 : (tensor<1000xf64>) -> tensor<1000xf64>
  %2 = fuseau.negative %0 : (tensor<1000xf64>) -> tensor<1000xf64>
  %3 = fuseau.view %1[0] [0, 8] : (tensor<1000xf64>) -> tensor<1000x1000xf64>
  %4 = fuseau.view %2[0] [8, 0] : (tensor<1000xf64>) -> tensor<1000x1000xf64>
  %5 = fuseau.add %3, %4 : (tensor<1000x1000xf64>, tensor<1000x1000xf64>) -> tensor<1000x1000xf64>
  return %5 : tensor<1000x1000xf64>
}

// An expensive value of which another nest reads but an edge: computed there
// again, not stored.
// CHECK-LABEL: func.func @edge
// CHECK: fuseau.fused space [1]
// CHECK: fuseau.call "exp.d->d"
// CHECK: fuseau.fused space [100]
// CHECK: fuseau.call "exp.d->d"
// CHECK-NOT: fuseau.fused
func.func @edge() -> tensor<808xui8> {
  %a = fuseau.input 0 : tensor<800xui8>
  %b = fuseau.input 1 donated : tensor<808xui8>
  %v = fuseau.view %a[0] [8] : (tensor<800xui8>) -> tensor<100xf64>
  %0 = fuseau.exp %v : (tensor<100xf64>) -> tensor<100xf64>
  %1 = fuseau.view %0[0] [8] : (tensor<100xf64>) -> tensor<1xf64>
  %2 = fuseau.update %1 into %b[0] [8] : (tensor<808xui8>, tensor<1xf64>) -> tensor<808xui8>
  %3 = fuseau.update %0 into %2[8] [8] : (tensor<808xui8>, tensor<100xf64>) -> tensor<808xui8>
  return %3 : tensor<808xui8>
}

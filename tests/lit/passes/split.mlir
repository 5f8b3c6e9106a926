// RUN: fuseau-opt %s --fuseau-split --split-input-file | FileCheck %s

// a + roll(a, 1): the first element and the others, each from the source.
// CHECK-LABEL: func.func @roll
// CHECK: %[[A:.*]] = fuseau.input 0
// CHECK: %[[U:.*]] = fuseau.unset : tensor<1000xf64>
// CHECK: fuseau.add {{.*}} -> tensor<1xf64>
// CHECK: %[[F:.*]] = fuseau.update %{{.*}} into %[[U]][0] [8]
// CHECK: fuseau.add {{.*}} -> tensor<999xf64>
// CHECK: %[[R:.*]] = fuseau.update %{{.*}} into %[[F]][8] [8]
// CHECK: return %[[R]]
func.func @roll() -> tensor<1000xf64> {
  %a = fuseau.input 0 : tensor<8000xui8>
  %b = fuseau.input 1 donated : tensor<8000xui8>
  %l = fuseau.view %a[7992] [8] : (tensor<8000xui8>) -> tensor<1xf64>
  %0 = fuseau.update %l into %b[0] [8] : (tensor<8000xui8>, tensor<1xf64>) -> tensor<8000xui8>
  %o = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<999xf64>
  %1 = fuseau.update %o into %0[8] [8] : (tensor<8000xui8>, tensor<999xf64>) -> tensor<8000xui8>
  %r = fuseau.view %1[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %v = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %2 = fuseau.add %v, %r : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  return %2 : tensor<1000xf64>
}

// -----

// The rolled array is a result itself: it is there to be read.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: fuseau.unset
// CHECK: fuseau.add {{.*}} -> tensor<1000xf64>
func.func @kept() -> (tensor<1000xf64>, tensor<8000xui8>) {
  %a = fuseau.input 0 : tensor<8000xui8>
  %b = fuseau.input 1 donated : tensor<8000xui8>
  %o = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<999xf64>
  %1 = fuseau.update %o into %b[8] [8] : (tensor<8000xui8>, tensor<999xf64>) -> tensor<8000xui8>
  %r = fuseau.view %1[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %2 = fuseau.add %r, %r : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  return %2, %1 : tensor<1000xf64>, tensor<8000xui8>
}

// -----

// A window of a chain in another chain: one chain of its pieces.
// CHECK-LABEL: func.func @nested
// CHECK: %[[A:.*]] = fuseau.input 0
// CHECK: %[[C:.*]] = fuseau.input 2
// CHECK: %[[L:.*]] = fuseau.view %[[A]][24] [8]{{.*}} -> tensor<1xf64>
// CHECK: %[[O:.*]] = fuseau.view %[[A]][0] [8]{{.*}} -> tensor<3xf64>
// CHECK: %[[LL:.*]] = fuseau.view %[[L]][0] [0]
// CHECK: %[[F:.*]] = fuseau.update %[[LL]] into %[[C]][8] [8]
// CHECK: %[[OO:.*]] = fuseau.view %[[O]][0] [8]
// CHECK: %[[R:.*]] = fuseau.update %[[OO]] into %[[F]][16] [8]
// CHECK: return %[[R]]
func.func @nested() -> tensor<48xui8> {
  %a = fuseau.input 0 : tensor<32xui8>
  %b = fuseau.input 1 donated : tensor<32xui8>
  %c = fuseau.input 2 donated : tensor<48xui8>
  %l = fuseau.view %a[24] [8] : (tensor<32xui8>) -> tensor<1xf64>
  %0 = fuseau.update %l into %b[0] [8] : (tensor<32xui8>, tensor<1xf64>) -> tensor<32xui8>
  %o = fuseau.view %a[0] [8] : (tensor<32xui8>) -> tensor<3xf64>
  %1 = fuseau.update %o into %0[8] [8] : (tensor<32xui8>, tensor<3xf64>) -> tensor<32xui8>
  %r = fuseau.view %1[0] [8] : (tensor<32xui8>) -> tensor<4xf64>
  %2 = fuseau.update %r into %c[8] [8] : (tensor<48xui8>, tensor<4xf64>) -> tensor<48xui8>
  return %2 : tensor<48xui8>
}

// -----

// The next step rolls what this one makes: two splits, one after the other.
// CHECK-LABEL: func.func @steps
// CHECK-COUNT-2: fuseau.unset : tensor<1000xf64>
func.func @steps() -> tensor<1000xf64> {
  %a = fuseau.input 0 : tensor<8000xui8>
  %b = fuseau.input 1 donated : tensor<8000xui8>
  %c = fuseau.input 2 donated : tensor<8000xui8>
  %v = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %l = fuseau.view %a[7992] [8] : (tensor<8000xui8>) -> tensor<1xf64>
  %0 = fuseau.update %l into %b[0] [8] : (tensor<8000xui8>, tensor<1xf64>) -> tensor<8000xui8>
  %o = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<999xf64>
  %1 = fuseau.update %o into %0[8] [8] : (tensor<8000xui8>, tensor<999xf64>) -> tensor<8000xui8>
  %r = fuseau.view %1[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %2 = fuseau.add %v, %r : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  %l2 = fuseau.view %2[7992] [8] : (tensor<1000xf64>) -> tensor<1xf64>
  %3 = fuseau.update %l2 into %c[0] [8] : (tensor<8000xui8>, tensor<1xf64>) -> tensor<8000xui8>
  %o2 = fuseau.view %2[0] [8] : (tensor<1000xf64>) -> tensor<999xf64>
  %4 = fuseau.update %o2 into %3[8] [8] : (tensor<8000xui8>, tensor<999xf64>) -> tensor<8000xui8>
  %r2 = fuseau.view %4[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %5 = fuseau.add %2, %r2 : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  return %5 : tensor<1000xf64>
}

// -----

// The last piece is itself the result of a split: it is read where that left it.
// CHECK-LABEL: func.func @piece_is_split
// CHECK-COUNT-2: fuseau.unset : tensor<1000xf64>
// CHECK-NOT: fuseau.unset
func.func @piece_is_split() -> tensor<1000xf64> {
  %a = fuseau.input 0 : tensor<8000xui8>
  %b = fuseau.input 1 donated : tensor<8000xui8>
  %c = fuseau.input 2 donated : tensor<16000xui8>
  %v = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %l = fuseau.view %a[7992] [8] : (tensor<8000xui8>) -> tensor<1xf64>
  %0 = fuseau.update %l into %b[0] [8] : (tensor<8000xui8>, tensor<1xf64>) -> tensor<8000xui8>
  %o = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<999xf64>
  %1 = fuseau.update %o into %0[8] [8] : (tensor<8000xui8>, tensor<999xf64>) -> tensor<8000xui8>
  %r = fuseau.view %1[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %2 = fuseau.add %v, %r : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  %3 = fuseau.update %v into %c[0] [8] : (tensor<16000xui8>, tensor<1000xf64>) -> tensor<16000xui8>
  %4 = fuseau.update %2 into %3[8000] [8] : (tensor<16000xui8>, tensor<1000xf64>) -> tensor<16000xui8>
  %m = fuseau.view %4[4000] [8] : (tensor<16000xui8>) -> tensor<1000xf64>
  %s = fuseau.view %a[0] [8] : (tensor<8000xui8>) -> tensor<1000xf64>
  %5 = fuseau.multiply %m, %s : (tensor<1000xf64>, tensor<1000xf64>) -> tensor<1000xf64>
  return %5 : tensor<1000xf64>
}

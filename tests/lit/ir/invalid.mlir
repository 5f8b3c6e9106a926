// RUN: fuseau-opt %s --split-input-file --verify-diagnostics

func.func @outside() {
  %a = fuseau.input 0 : tensor<80xui8>
  // expected-error @+1 {{touches bytes [8, 88) of a storage of 80}}
  %0 = fuseau.view %a[8] [8] : (tensor<80xui8>) -> tensor<10xf64>
  return
}

// -----

func.func @wrong_shape() {
  %a = fuseau.iota : tensor<4xsi64>
  // expected-error @+1 {{result shape must be the kept dimensions}}
  %0 = fuseau.sum %a dims [true] : (tensor<4xsi64>) -> tensor<4xsi64>
  return
}

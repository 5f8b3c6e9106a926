// From the recorded trace to dialect `fuseau`.
#pragma once

#include "absl/status/statusor.h"
#include "ir/mlir_pch.h"
#include "ir/trace.h"

namespace fuseau::ir {

// Loads the dialects that traces and their kernels are made of.
void RegisterDialects(mlir::MLIRContext& context);

// A module with one function @trace that returns the outputs of the trace. With
// places, the line of an operation's location is its node's index.
mlir::OwningOpRef<mlir::ModuleOp> ImportTrace(const Trace& trace,
                                              mlir::MLIRContext& context,
                                              bool with_places = false);

}  // namespace fuseau::ir

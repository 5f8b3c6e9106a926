// Programs that were run once, so that their kernels can be compiled before
// they run elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlir {
class ModuleOp;
}  // namespace mlir

namespace fuseau::codegen {

// Writes an imported trace to the folder FUSEAU_RECORD, if that is set, as IR
// of dialect fuseau in a file of its own. Equal traces are one file. What
// cannot be written is warned of once.
void RecordTrace(mlir::ModuleOp module);

struct CompiledRecording {
  int64_t traces = 0;
  int64_t kernels = 0;  // that were compiled; others were there
};

// Compiles the kernels of all traces of a folder, or of one file, into a folder
// that programs take as FUSEAU_CACHE_DIR. `isa` as for NamedTarget: programs
// find the kernels if theirs, or FUSEAU_ISA, is the same.
absl::StatusOr<CompiledRecording> CompileRecording(absl::string_view path,
                                                   absl::string_view cache,
                                                   absl::string_view isa);

}  // namespace fuseau::codegen

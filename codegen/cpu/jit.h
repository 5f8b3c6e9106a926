// Machine code from LLVM modules, and loading it into this process.
//
// Nothing of LLVM is touched before the first call. All functions may be called
// from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/cpu/target.h"
#include "runtime/plan.h"

namespace llvm {
class Module;
}  // namespace llvm

namespace fuseau::codegen {

enum class OptLevel { kO0, kO1 };

// The module as a relocatable object. Consumes the module's IR: it must not be
// used for anything but printing afterwards.
absl::StatusOr<std::string> CompileObject(llvm::Module& module, OptLevel level);
// The same as assembly text, for people.
absl::StatusOr<std::string> CompileAssembly(llvm::Module& module,
                                            OptLevel level);

// A kernel whose code lives until the kernel is destroyed. Inner loops that it
// calls must be registered (runtime/inner_loops.h) before.
absl::StatusOr<std::unique_ptr<runtime::Kernel>> LoadObject(
    absl::string_view object, absl::string_view name);

// Compiles and loads something, which takes 5-10 ms the first time in a process
// and a tenth of that later. Meant for a background thread at start.
void WarmUpCompiler(const Target& target);

// Version of LLVM, for keys.
absl::string_view CompilerVersion();

}  // namespace fuseau::codegen

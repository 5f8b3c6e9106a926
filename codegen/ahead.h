// Programs compiled ahead of time: traces in, one object file out that runs
// without a compiler (runtime/ahead).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/cpu/target.h"
#include "ir/trace.h"
#include "runtime/ahead/program.h"

namespace fuseau::codegen {

// An argument or a result as the C function takes it.
struct AheadParameter {
  DType dtype = DType::kFloat64;
  bool by_value = false;  // else by its address
};

struct AheadCode {
  std::string object;    // relocatable
  std::string llvm;      // the same as LLVM's IR, as text
  std::string assembly;  // the same for people
};

// Makes the code of one program. Plans are made first, each for some sizes of
// the arrays; equal kernels of different plans are one. Not thread-safe.
class AheadBuilder {
 public:
  // `isa` as for NamedTarget. With `any_size` plans do not depend on caches.
  static absl::StatusOr<std::unique_ptr<AheadBuilder>> Make(
      absl::string_view isa, bool any_size);
  ~AheadBuilder();

  // The words of a variant (runtime/ahead/program.h). `mlir`, if not null, gets
  // the trace as IR of dialect fuseau. Errors: UnimplementedError for what
  // needs NumPy where it runs, with the name of the operation.
  absl::StatusOr<std::vector<int64_t>> Words(const ir::Trace& trace,
                                             runtime::VariantBody body,
                                             std::string* mlir);

  // The C function `name`, with a 64-bit size for each letter, then the
  // arguments, then the results by address; and `name`_program for
  // fuseau_kernels.h. Processor, kernels and loops of `program` are filled in.
  absl::StatusOr<AheadCode> Code(absl::string_view name,
                                 runtime::Program program,
                                 const std::vector<AheadParameter>& arguments,
                                 std::string constants);

  // Runs a program in this process, with NumPy's loops: whether a plan is right
  // for some sizes shows here. The target is one that this machine has.
  absl::Status Try(runtime::Program program, const int64_t* sizes,
                   void* const* arguments, void* const* results,
                   const std::string& constants);

  // The kernels of all plans so far.
  std::vector<std::string> KernelNames() const;

 private:
  class Kernels;
  AheadBuilder();

  Target target_;
  bool any_size_ = false;
  struct Modules;  // they own the kernels
  std::unique_ptr<Modules> modules_;
  std::unique_ptr<Kernels> kernels_;
  std::vector<std::unique_ptr<runtime::Kernel>> loaded_;  // the first ones
};

}  // namespace fuseau::codegen

// The instruction set that kernels are compiled for.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fuseau::codegen {

// What the emitter must know: the vector length, and whether there are masks.
enum class VectorLevel { kSse, kAvx2, kAvx512 };

struct Target {
  std::string cpu;       // LLVM's name
  std::string features;  // "+avx2,-avx512f,..."; empty: those of `cpu`
  VectorLevel level = VectorLevel::kSse;

  int VectorBytes() const {
    return level == VectorLevel::kAvx512 ? 64
           : level == VectorLevel::kAvx2 ? 32
                                         : 16;
  }
  bool HasMasks() const { return level == VectorLevel::kAvx512; }
};

// `isa` is "" for the machine that this runs on, or "x86-64-v2", "-v3", "-v4".
absl::StatusOr<Target> NamedTarget(absl::string_view isa);
// The same, and this machine can run it.
absl::StatusOr<Target> MakeTarget(absl::string_view isa);

// The target of this process: this machine, or what FUSEAU_ISA says. An
// unknown name in FUSEAU_ISA, or one that this machine cannot run, warns and
// counts as not set.
const Target& ProcessTarget();

}  // namespace fuseau::codegen

// What this process computes with.
#pragma once

#include <cstdint>
#include <string>

namespace fuseau::codegen {

struct MachineReport {
  int threads = 0;
  std::string cpu;           // LLVM's name of the target of kernels
  int vector_bits = 0;       // of the registers that kernels use
  bool masks = false;        // whether lanes of them can be switched off
  std::string llvm;          // version of the compiler
  std::string cache_folder;  // compiled kernels on disk; empty: none are kept
};

MachineReport ReportMachine();

}  // namespace fuseau::codegen

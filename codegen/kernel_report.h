// What is known of the kernels in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fuseau::codegen {

struct KernelReport {
  std::string name;
  int64_t launches = 0;
  int64_t bytes = 0;  // moved by all launches, at least
};

// The loaded kernels of the process, the most used of memory traffic first.
std::vector<KernelReport> KernelReports();

}  // namespace fuseau::codegen

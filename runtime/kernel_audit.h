// A look at a whole disk cache, for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace fuseau::runtime {

struct AuditedKernel {
  std::string file;
  int64_t bytes = 0;
  int64_t used = 0;    // seconds since 1970, kept to a minute
  std::string key;     // what it was compiled from; empty if `damage` is not
  std::string damage;  // what is wrong with it; empty: nothing
};

// All entries of the folder, by name. Reads every byte and changes nothing.
std::vector<AuditedKernel> AuditKernels(absl::string_view folder);

}  // namespace fuseau::runtime

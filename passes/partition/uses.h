// What is known of a value before anything is placed: by who reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/trace.h"

namespace fuseau::passes::partition {

struct Use {
  // The update that stores the value, element by element, in a chain of
  // operations that each read all of what the one before made; -1 if none does.
  int32_t stored_by = -1;
  // The longest step, in bytes, that readers and writers take through it: rows
  // that are better not cut.
  int64_t row_bytes = 0;
};

// By node of the trace.
std::vector<Use> FindUses(const ir::Trace& trace);

}  // namespace fuseau::passes::partition

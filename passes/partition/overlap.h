// Wide halos: rows that a rank computes although a neighbour owns them.
#pragma once

#include "passes/partition/program.h"

namespace fuseau::passes::partition {

// Sets what each rank computes of a program's values (Placed::wider). A chain
// of k steps that each read r rows beyond what a rank owns then needs one
// exchange of k * r rows instead of k of r.
// On either side of what a rank owns, it computes one part in `share` of that
// at most.
void WidenWork(Program* program, int64_t share);

}  // namespace fuseau::passes::partition

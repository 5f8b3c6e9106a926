// Operations on single numbers that are known already: they are computed at
// once, by NumPy's own loops.
#pragma once

#include "frontend/promotion.h"

namespace fuseau {

// False if the loop is not registered. The operands have the loop's types.
bool ComputeNumber(OpCode op, const Loop& loop, const char a[16],
                   const char b[16], char out[16]);

}  // namespace fuseau

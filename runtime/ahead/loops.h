// The inner loops that programs without Python call in place of NumPy's.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "runtime/inner_loops.h"

namespace fuseau::runtime {

// All of them, under NumPy's names. What rounds (exp, log, ...) is the C
// library's function, which NumPy's loops call too unless they have vector
// code of their own; so results may differ from NumPy's by units in the last
// place (README.md). Products of floats are added in order, which BLAS does
// not. All others have NumPy's bits.
const std::map<std::string, InnerLoop, std::less<>>& StandardLoops();

// Makes them the loops of this process, once.
void RegisterStandardLoops();

}  // namespace fuseau::runtime

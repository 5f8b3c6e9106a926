// Inner loops that stand for NumPy's where there is no Python.
#pragma once

namespace fuseau::passes::testing {

// Arithmetic, maximum and minimum, logic of every type that random traces use.
void RegisterLoops();

}  // namespace fuseau::passes::testing

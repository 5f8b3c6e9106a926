// How partial results of a reduction are joined.
#pragma once

#include <cstdint>

namespace fuseau {

enum class Combiner : uint8_t {
  kNone,
  kSum,         // floats along NumPy's pairwise tree
  kOrderedSum,  // floats one after the other
  kProd,        // floats one after the other
  kMax,
  kMin,
  kAny,
  kAll,
};

}  // namespace fuseau

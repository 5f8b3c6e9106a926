// Comparisons with NaN may set the processor's flags of floating-point errors,
// which are no errors of the program.
#pragma once

#include "runtime/base/float_flags.h"

namespace fuseau::runtime {

// Leaves the flags of this thread as they were. The flags of work on the pool
// are its caller's by then.
class Quiet {
 public:
  Quiet() : flags_(TestFloatFlags()) {}
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() {
    ClearFloatFlags();
    if (flags_ != 0) RaiseFloatFlags(flags_);
  }

 private:
  const uint8_t flags_;
};

}  // namespace fuseau::runtime

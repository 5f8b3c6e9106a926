// NumPy's own inner loops by name: compiled kernels call them on blocks of
// elements, so that their results are NumPy's bit for bit.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fuseau::runtime {

// A ufunc loop: `args` are the operands' addresses, inputs first, `steps` their
// distances in bytes from one element to the next, `dimensions[0]` the count.
struct InnerLoop {
  void (*fn)(char** args, const int64_t* dimensions, const int64_t* steps,
             void* data) = nullptr;
  void* data = nullptr;
};

// Names are the ufunc, a dot and the type characters: "power.dd->d". A name
// registered again gets the new loop; that must not happen while kernels which
// call it run.
void RegisterInnerLoop(std::string name, InnerLoop loop);

// Null if there is none. The address stays valid and the same for as long as
// the process lives: kernels hold it.
const InnerLoop* FindInnerLoop(absl::string_view name);
// The name of a loop that FindInnerLoop gave.
std::string NameOfInnerLoop(const InnerLoop* loop);

}  // namespace fuseau::runtime

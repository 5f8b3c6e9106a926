// What tests ask of the driver double, beyond what a driver does. Found by
// dlsym in its library.
#pragma once

namespace fuseau::runtime::cuda::testing {

// Settings, also read from the environment as FUSEAU_DOUBLE_<NAME>:
//   DEVICES   how many (1)
//   MEMORY    bytes of each (256 MiB)
//   VERSION   what the driver says that it is (13000)
//   DELAY_US  how long each operation of a stream waits before it begins (0)
//   FAIL      "cuMemAlloc:3": the third call from now on fails, with the
//             error that is usual for the function, or with that of a third
//             part: "cuLaunchKernel:1:700". "": none does.
//   IGNORE    "waits": streams do not wait for events, or "edges": graphs have
//             no dependencies. What tests must find out. "": neither.
using SetFn = void (*)(const char* name, const char* value);
inline constexpr char kSet[] = "fuseau_double_set";

// What exists at this moment, e.g. "2 allocations, 1 stream"; "" if nothing
// does. Valid until the next call.
using LiveFn = const char* (*)();
inline constexpr char kLive[] = "fuseau_double_live";

// How often a function was called since the double was loaded.
using CallsFn = long (*)(const char* function);
inline constexpr char kCalls[] = "fuseau_double_calls";

}  // namespace fuseau::runtime::cuda::testing

// Moving plain bytes, on all threads when there are many.
#pragma once

#include <cstdint>

namespace fuseau::runtime {

void FillBytes(char* to, int value, int64_t bytes);
void CopyBytes(char* to, const char* from, int64_t bytes);
// How one thread copies pieces of `total` bytes: if no cache will have them
// when they are read, past the caches.
using CopyFunction = void (*)(char* to, const char* from, int64_t bytes);
CopyFunction CopyFor(int64_t total);
// Repeats the `size` bytes of `element` over `bytes` bytes (a multiple of
// `size`, which is 1, 2, 4, 8 or 16).
void FillElements(char* to, const char* element, int size, int64_t bytes);

}  // namespace fuseau::runtime

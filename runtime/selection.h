// What a mask of one byte an element selects from a run of elements.
#pragma once

#include <cstdint>

namespace fuseau::runtime {

// How many of n mask bytes, `step` apart, are not zero.
int64_t CountSelected(const char* mask, int64_t step, int64_t n);

// Writes to `out` those of n elements of `item` bytes whose mask byte is not
// zero, until `end`, and returns where the next one goes. Memory before `end`
// may be overwritten beyond that place.
char* CopySelected(int64_t item, const char* from, int64_t from_step,
                   const char* mask, int64_t mask_step, int64_t n, char* out,
                   char* end);

// Likewise the places `first`, `first` + 1, ... of the mask bytes.
int64_t* SelectedPlaces(const char* mask, int64_t mask_step, int64_t n,
                        int64_t first, int64_t* out, int64_t* end);

}  // namespace fuseau::runtime

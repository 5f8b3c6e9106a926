// Reads and writes at any number of index arrays: which elements they select is
// worked out once, and checked.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/promotion.h"

namespace fuseau {

// An array of int64 and the axis of another array that it indexes.
struct AxisIndex {
  int axis = 0;
  Array indices;
};

// The elements of an array that index arrays select.
struct Selection {
  Dims shape;          // of all of them
  Dims strides;        // of the array, along the axes that are not indexed
  int first = 0;       // in `shape`, where the axes of the index arrays stand
  int width = 0;       // and how many they are
  Array places;        // for each element of the index arrays, in C order
  int64_t unit = 1;    // places are counted in so many bytes,
  int64_t count = 1;   // below so many, from
  int64_t offset = 0;  // this byte of the array's storage on
};

// An array of integers of any type as indices: at once where they are here and
// few, since they are about to be checked.
absl::Status WidenIndices(const Array& array, Array* out);

// Computes the index arrays, which must broadcast to one shape in C order.
// False if an index is out of range.
absl::StatusOr<bool> Select(const Array& array,
                            absl::Span<const AxisIndex> indices, int first,
                            Selection* selection);

// array[...] as recorded; the axes of the index arrays lie first in memory.
absl::Status TakeSelected(const Array& array, const Selection& selection,
                          Array* out);

// array[indices] = source at once for a vector and dense int64 indices, where
// nothing else needs the old elements: what programs write most. False if it is
// no such write or an index is out of range; then nothing has changed.
bool PutInVector(const Array& array, const Array& indices,
                 const Operand& source);

// array[...] = source at once: of equal places the last one wins. The source is
// a number of the array's type, or an array that broadcasts to the selection.
absl::Status PutSelected(const Array& array, const Selection& selection,
                         const Operand& source);

}  // namespace fuseau

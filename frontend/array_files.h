// Arrays that lie in parts on the ranks of a job, to and from files.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/rank_files.h"

namespace fuseau {

// Computes the array and tells whether it is the whole of a value that only the
// ranks of the job have, each its part.
absl::StatusOr<bool> IsInParts(const Array& array);

// For an array that is in parts: every rank writes its own. All bytes, in the
// order in which they are in memory; gives their CRC-32 if it is wanted.
absl::StatusOr<uint32_t> StoreArray(const Array& array, const FilePlace& place);

// An array in parts, each of which its rank has read. It is in C order in the
// file, or in Fortran's.
absl::StatusOr<uint32_t> LoadArray(absl::Span<const int64_t> shape, DType dtype,
                                   bool fortran_order, const FilePlace& place,
                                   Array* out);

// Where all ranks run the program: they come together, and an error of one is
// an error of all. Else the status itself.
absl::Status AgreeOnRanks(const absl::Status& mine);
// What the first of them gives; else what is given.
absl::StatusOr<std::string> ShareOnRanks(absl::string_view mine);

}  // namespace fuseau

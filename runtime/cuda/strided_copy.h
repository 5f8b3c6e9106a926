// Parts of buffers, as copies that the driver does.
#pragma once

#include <vector>

#include "runtime/base/transfer.h"
#include "runtime/cuda/api.h"

namespace fuseau::runtime::cuda {

// Appends the copies that move `part`, relative to the starts of source and
// target. False if that would be too many of them, or if its rows overlap.
bool CopiesOf(const CopyPart& part, std::vector<CUDA_MEMCPY3D>* copies);

}  // namespace fuseau::runtime::cuda

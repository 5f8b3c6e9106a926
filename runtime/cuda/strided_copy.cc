#include "runtime/cuda/strided_copy.h"

#include <cstdint>

namespace fuseau::runtime::cuda {
namespace {

// One copy costs the device some microseconds.
constexpr int64_t kMaxCopies = 64;
// The most that drivers take for the distance of rows.
constexpr int64_t kMaxPitch = int64_t{1} << 31;

}  // namespace

bool CopiesOf(const CopyPart& part, std::vector<CUDA_MEMCPY3D>* copies) {
  Dims sizes, strides;
  for (size_t d = 0; d < part.sizes.size(); ++d) {
    if (part.sizes[d] == 0) return true;
    if (part.sizes[d] == 1) continue;
    sizes.push_back(part.sizes[d]);
    strides.push_back(part.strides[d]);
  }
  if (part.bytes == 0) return true;
  CUDA_MEMCPY3D copy;
  copy.WidthInBytes = static_cast<size_t>(part.bytes);
  if (!sizes.empty()) {
    if (strides.back() < part.bytes || strides.back() >= kMaxPitch)
      return false;
    copy.Height = static_cast<size_t>(sizes.back());
    copy.srcPitch = copy.dstPitch = static_cast<size_t>(strides.back());
    sizes.pop_back();
    strides.pop_back();
  }
  if (Count(sizes) > kMaxCopies) return false;
  Dims index(sizes.size(), 0);
  for (;;) {
    int64_t offset = part.offset;
    for (size_t d = 0; d < index.size(); ++d) offset += index[d] * strides[d];
    copies->push_back(copy);
    copies->back().srcDevice = copies->back().dstDevice =
        static_cast<CUdeviceptr>(offset);
    size_t d = index.size();
    while (d > 0 && ++index[d - 1] == sizes[d - 1]) index[--d] = 0;
    if (d == 0) return true;
  }
}

}  // namespace fuseau::runtime::cuda

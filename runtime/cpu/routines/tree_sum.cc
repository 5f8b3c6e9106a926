// The top of NumPy's pairwise tree, of whose nodes ranks made the sums.

#include <cstdint>
#include <cstring>

#include "runtime/cpu/combine.h"
#include "runtime/cpu/routines/routines.h"

namespace fuseau::runtime {
namespace {

class Nodes {
 public:
  Nodes(const RoutineCall& call, Addresses addresses)
      : dtype_(call.output().dtype),
        item_(static_cast<size_t>(ItemSize(dtype_))),
        sum_(addresses[0]),
        size_(addresses[1]),
        sum_stride_(call.operands[0].strides[0]),
        size_stride_(call.operands[1].strides[0]) {}

  // The sum of the next `count` elements. False if no run of nodes has them.
  bool Join(int64_t count, char* total) {
    if (Size() == count) {
      std::memcpy(total, sum_, item_);
      sum_ += sum_stride_;
      size_ += size_stride_;
      return true;
    }
    if (Size() > count || IsTreeLeaf(count, dtype_)) return false;
    const int64_t half = TreeSplit(count, dtype_);
    alignas(16) char right[16];  // of any type
    if (!Join(half, total) || !Join(count - half, right)) return false;
    Combine(Combiner::kSum, dtype_, total, right);
    return true;
  }

  int64_t Size() const {
    int64_t size;
    std::memcpy(&size, size_, sizeof(size));
    return size;
  }

 private:
  const DType dtype_;
  const size_t item_;
  const char* sum_;
  const char* size_;
  const int64_t sum_stride_;
  const int64_t size_stride_;
};

}  // namespace

absl::Status TreeSum(const RoutineCall& call, Addresses addresses,
                     const RunContext&) {
  const int64_t nodes = call.sizes[0];
  int64_t count = 0;
  for (int64_t i = 0; i < nodes; ++i) {
    int64_t size;
    std::memcpy(&size, addresses[1] + i * call.operands[1].strides[0],
                sizeof(size));
    count += size;
  }
  if (!Nodes(call, addresses).Join(count, addresses[2])) {
    return absl::InternalError("these are no nodes of a sum's tree");
  }
  return absl::OkStatus();
}

}  // namespace fuseau::runtime

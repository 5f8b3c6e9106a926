#include "frontend/array_files.h"

#include "frontend/evaluate.h"
#include "frontend/evaluation_lock.h"
#include "frontend/ranks.h"
#include "frontend/read.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// Bytes of the outermost rows in memory that are enough for all ranks to have
// some.
int64_t PitchOf(absl::Span<const int64_t> shape, bool fortran_order,
                int64_t bytes, int ranks) {
  const int rank = static_cast<int>(shape.size());
  int64_t rows = 1;
  for (int d = 0; d < rank && rows < ranks; ++d) {
    rows *= shape[fortran_order ? rank - 1 - d : d];
  }
  return bytes / rows;
}

absl::StatusOr<Ranks*> ActiveRanks() {
  if (Ranks* const ranks = Ranks::active()) return ranks;
  return absl::FailedPreconditionError("this process belongs to no job");
}

}  // namespace

absl::StatusOr<bool> IsInParts(const Array& array) {
  Node* node = array.node();
  FUSEAU_RETURN_IF_ERROR(Compute({&node, 1}));
  return node->state == NodeState::kAway && array.offset() == 0 &&
         array.size() * array.item_size() == node->bytes &&
         (array.has(kCContiguous) || array.has(kFContiguous));
}

absl::StatusOr<uint32_t> StoreArray(const Array& array,
                                    const FilePlace& place) {
  const NodeRef node(array.node());
  const EvaluationLock lock;
  FUSEAU_ASSIGN_OR_RETURN(Ranks* const ranks, ActiveRanks());
  // Another thread may have fetched it while this one waited; the ranks still
  // have it unless its memory was given away.
  const RankValue* const value = node->rank_value;
  if (value == nullptr ||
      value->held.distribution.kind != passes::Distribution::kCut) {
    return absl::FailedPreconditionError("the array is not in parts");
  }
  return ranks->Store(node.get(), place);
}

absl::StatusOr<uint32_t> LoadArray(absl::Span<const int64_t> shape, DType dtype,
                                   bool fortran_order, const FilePlace& place,
                                   Array* out) {
  FUSEAU_ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(shape, dtype));
  const EvaluationLock lock;
  FUSEAU_ASSIGN_OR_RETURN(Ranks* const ranks, ActiveRanks());
  if (bytes == 0) {
    return PythonError("ValueError", "an array without elements has no parts");
  }
  uint32_t sum = 0;
  FUSEAU_ASSIGN_OR_RETURN(
      Node* const node,
      ranks->Load(bytes,
                  PitchOf(shape, fortran_order, bytes, ranks->PartsOf(bytes)),
                  place, &sum));
  const int rank = static_cast<int>(shape.size());
  uint8_t axes[kMaxRank];
  for (int d = 0; d < rank; ++d) axes[d] = static_cast<uint8_t>(rank - 1 - d);
  MakeArray(node, dtype, shape, fortran_order ? axes : nullptr, kWritable, out);
  return sum;
}

absl::Status AgreeOnRanks(const absl::Status& mine) {
  const EvaluationLock lock;
  Ranks* const ranks = Ranks::active();
  return ranks != nullptr ? ranks->Meet(mine) : mine;
}

absl::StatusOr<std::string> ShareOnRanks(absl::string_view mine) {
  const EvaluationLock lock;
  Ranks* const ranks = Ranks::active();
  if (ranks == nullptr) return std::string(mine);
  return ranks->Share(mine);
}

}  // namespace fuseau

// Values of the ranks of a job, to and from files.
#include <utility>

#include "frontend/host.h"
#include "frontend/rank_files.h"
#include "frontend/ranks.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau {

absl::StatusOr<uint32_t> Ranks::Store(const Node* node,
                                      const FilePlace& place) {
  const uint64_t run = ++run_;
  WireWriter command(RankCommand::kStore);
  command.Put(run);
  command.Put(node->rank_value->id);
  PutPlace(place, &command);
  FUSEAU_RETURN_IF_ERROR(Send(command));
  absl::StatusOr<uint32_t> sum;
  {
    const Released released;
    sum = StorePart(group_.get(), run, node->rank_value->held, place);
    FUSEAU_RETURN_IF_ERROR(Agree(sum.status(), nullptr));
  }
  runtime::Increment(runtime::Counter::kBytesStored, node->bytes);
  return sum;
}

absl::StatusOr<Node*> Ranks::Load(int64_t bytes, int64_t pitch,
                                  const FilePlace& place, uint32_t* sum) {
  FUSEAU_RETURN_IF_ERROR(SendFrees());
  std::unique_ptr<RankValue> value =
      NewValue(bytes, CutEvenly(bytes, pitch, PartsOf(bytes), size()));
  const uint64_t run = ++run_;
  WireWriter command(RankCommand::kLoad);
  command.Put(run);
  command.Put(value->id);
  command.Put(static_cast<uint64_t>(bytes));
  command.Put(value->held.distribution);
  PutPlace(place, &command);
  FUSEAU_RETURN_IF_ERROR(Send(command));
  absl::Status status;
  {
    const Released released;
    auto part = AllocatePart(bytes, value->held.distribution, rank());
    status = part.status();
    if (status.ok()) {
      value->held.part = *std::move(part);
      auto read = LoadPart(group_.get(), run, value->held, place);
      status = read.status();
      if (status.ok()) *sum = *read;
    }
    status = Agree(status, nullptr);
  }
  if (!status.ok()) {
    // Some ranks may have theirs.
    if (mode_ == Mode::kController) freed_.push_back(value->id);
    return status;
  }
  runtime::Increment(runtime::Counter::kBytesLoaded, bytes);
  Node* const node = Graph::Get().NewReady(nullptr, bytes);
  node->state = NodeState::kAway;
  Hold(node, value.release());
  return node;
}

}  // namespace fuseau

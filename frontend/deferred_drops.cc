#include "frontend/deferred_drops.h"

#include <algorithm>
#include <map>

#include "frontend/cone.h"

namespace fuseau {
namespace {

constexpr uint64_t kLent = 1;

uint64_t Word(int32_t place, uint64_t bases) {
  return static_cast<uint64_t>(place) << 32 | bases << 1;
}
uint64_t LentWord(int32_t place) { return Word(place, 0) | kLent; }
uint64_t PlaceIn(uint64_t word) { return word >> 32; }
uint64_t BasesIn(uint64_t word) { return (word & 0xffffffff) >> 1; }

// Drops those behind `first`, which nobody has.
void DropFrom(std::vector<Base*>* bases, std::vector<Base*>::iterator first) {
  const std::vector<Base*> dead(first, bases->end());
  bases->erase(first, bases->end());
  for (Base* base : dead) Graph::Get().DropNow(base);
}

}  // namespace

void DeferredDrops::Finish() {
  inputs_.clear();
  exposed_reads_.clear();
  DropFrom(&dropped_, dropped_.begin());
}

// A value that is computed, that no other base has and that nothing pending
// reads can matter to no evaluation of any rank: where it is alive, it is so in
// vain. Its memory need not wait.
void DeferredDrops::Add(Base* base) {
  const Node* node = base->cur;
  if (!node->pending() && node->refs == 1) {
    Graph::Get().DropNow(base);
  } else {
    dropped_.push_back(base);
  }
}

DeferredDrops::Report DeferredDrops::Look() {
  inputs_.clear();  // of a report that came to nothing
  epoch_ = Cone::NewEpoch();
  int32_t places = 0;
  auto give_place = [&](Node* node) {
    node->near_epoch = epoch_;
    node->index = places++;
    node->reads = 0;
  };
  for (Node* n = Graph::Get().first_pending(); n != nullptr; n = n->next) {
    for (int k = 0; k < n->operand_count; ++k) {
      Node* read = n->operands[k].node;
      if (read == nullptr || read->near_epoch == epoch_) continue;
      give_place(read);
      inputs_.emplace_back(read);
    }
    give_place(n);
  }
  DropUnread();
  looked_at_ = dropped_.size();

  Report report;
  for (const Base* base : dropped_) {
    Node* const node = base->cur;
    if (node->index < 0 || node->reads == 0) continue;
    report.push_back(Word(node->index, node->reads));
    node->reads = 0;
  }
  for (const NodeRef& input : inputs_) {
    if (input->state == NodeState::kReady && !input->buffer->Unique()) {
      report.push_back(LentWord(input->index));
    }
  }
  std::sort(report.begin(), report.end());
  return report;
}

// Counts in `reads` the bases of each node that could be dropped. What nothing
// pending reads goes at once when all bases that had it are gone.
void DeferredDrops::DropUnread() {
  for (const Base* base : dropped_) {
    Node* const node = base->cur;
    if (node->near_epoch != epoch_) {
      node->near_epoch = epoch_;
      node->index = -1;
      node->reads = 0;
    }
    ++node->reads;
  }
  const auto unread =
      std::partition(dropped_.begin(), dropped_.end(), [](const Base* base) {
        return base->cur->index >= 0 || base->cur->reads != base->cur->refs;
      });
  DropFrom(&dropped_, unread);
}

int64_t DeferredDrops::PlaceOf(const Node* node) const {
  return node->near_epoch == epoch_ ? node->index : -1;
}

DeferredDrops::Report DeferredDrops::Join(absl::Span<const Report> reports) {
  struct Drop {
    size_t ranks = 0;
    uint64_t bases = UINT64_MAX;
  };
  std::map<uint64_t, Drop> drops;  // by place
  Report joined;
  for (const Report& report : reports) {
    for (const uint64_t word : report) {
      if ((word & kLent) != 0) {
        joined.push_back(word);
        continue;
      }
      Drop& drop = drops[PlaceIn(word)];
      ++drop.ranks;
      drop.bases = std::min(drop.bases, BasesIn(word));
    }
  }
  for (const auto& [place, drop] : drops) {
    if (drop.ranks < reports.size()) continue;
    joined.push_back(Word(static_cast<int32_t>(place), drop.bases));
  }
  std::sort(joined.begin(), joined.end());
  joined.erase(std::unique(joined.begin(), joined.end()), joined.end());
  return joined;
}

void DeferredDrops::Apply(const Report& agreed) {
  for (const NodeRef& input : inputs_) {
    input->lent = std::binary_search(agreed.begin(), agreed.end(),
                                     LentWord(input->index));
  }
  inputs_.clear();
  std::map<uint64_t, uint64_t> left;  // bases to be dropped, by place
  for (const uint64_t word : agreed) {
    if ((word & kLent) == 0) left[PlaceIn(word)] = BasesIn(word);
  }
  // While the ranks agreed, other threads may have dropped more.
  const auto end = dropped_.begin() + static_cast<int64_t>(looked_at_);
  const auto goes = [&](const Base* base) {
    const int64_t place = PlaceOf(base->cur);
    const auto found = left.find(static_cast<uint64_t>(place));
    if (found == left.end() || found->second == 0) return false;
    --found->second;
    return true;
  };
  const auto first = std::partition(
      dropped_.begin(), end, [&](const Base* base) { return !goes(base); });
  std::rotate(first, end, dropped_.end());
  DropFrom(&dropped_, dropped_.end() - (end - first));
}

}  // namespace fuseau

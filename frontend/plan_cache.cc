#include "frontend/plan_cache.h"

namespace fuseau {

int64_t PlanBytes(const runtime::Plan& plan) {
  int64_t bytes = static_cast<int64_t>(
      sizeof(plan) + plan.buffers.size() * sizeof(runtime::PlanBuffer) +
      plan.steps.size() * sizeof(runtime::Step) +
      plan.launches.size() * sizeof(runtime::Launch));
  for (const runtime::Launch& launch : plan.launches) {
    bytes += static_cast<int64_t>(launch.operands.size() *
                                  sizeof(runtime::PlanOperand));
  }
  for (const runtime::BandGroup& group : plan.groups) {
    for (const runtime::BandMember& member : group.members) {
      bytes += static_cast<int64_t>(
          sizeof(member) + member.edges.size() * sizeof(runtime::BandEdge));
    }
  }
  return bytes;
}

bool PlanCache::Find(const std::string& key, PlanPtr* plan) {
  auto it = index_.find(key);
  if (it == index_.end()) return false;
  entries_.splice(entries_.begin(), entries_, it->second);
  *plan = it->second->plan;
  return true;
}

void PlanCache::Insert(std::string key, PlanPtr plan) {
  const int64_t bytes = static_cast<int64_t>(sizeof(Entry) + key.size()) +
                        (plan != nullptr ? PlanBytes(*plan) : 0);
  entries_.push_front(Entry{std::move(key), std::move(plan), bytes});
  index_[entries_.front().key] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > max_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace fuseau

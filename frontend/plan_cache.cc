#include "frontend/plan_cache.h"

#include <utility>

namespace fuseau {
// A kernel lives as long as a plan has it: its object takes a few pages.
constexpr int64_t kKernelBytes = 12 * 1024;

int64_t PlanBytes(const runtime::Plan& plan) {
  int64_t bytes = static_cast<int64_t>(
      sizeof(plan) + plan.buffers.size() * sizeof(runtime::PlanBuffer) +
      plan.steps.size() * sizeof(runtime::Step) +
      plan.launches.size() * sizeof(runtime::Launch));
  for (const runtime::Launch& launch : plan.launches) {
    bytes += kKernelBytes;
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

// A program grows when its plan comes.
void PlanCache::Weigh(Place entry) {
  const int64_t bytes =
      static_cast<int64_t>(sizeof(Entry) +
                           entry->words.size() * sizeof(uint64_t)) +
      entry->program->bytes();
  bytes_ += bytes - std::exchange(entry->bytes, bytes);
}

Program* PlanCache::Find(ir::TraceWords words) {
  const Key key(words);
  // A loop asks for the same one again and again.
  if (!entries_.empty() && entries_.front().hash == key.hash &&
      ir::TraceWords(entries_.front().words) == words) {
    Weigh(entries_.begin());
    return entries_.front().program.get();
  }
  auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  const Place entry = it->second;
  if (entry != entries_.begin()) {
    entries_.splice(entries_.begin(), entries_, entry);
  }
  Weigh(entry);
  return entry->program.get();
}

Program* PlanCache::Insert(ir::TraceWords words,
                           std::unique_ptr<Program> program) {
  entries_.emplace_front();
  const Place entry = entries_.begin();
  entry->words.assign(words.begin(), words.end());
  entry->program = std::move(program);
  const Key key(entry->words);
  entry->hash = key.hash;
  index_.emplace(key, entry);
  Weigh(entry);
  while (bytes_ > max_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    index_.erase(Key(entries_.back().words));
    entries_.pop_back();
  }
  return entry->program.get();
}

}  // namespace fuseau

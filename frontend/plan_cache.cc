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

// Notes that the entry was asked for.
Program* PlanCache::Use(Place entry) {
  entries_.front().next = &*entry;
  if (entry != entries_.begin()) {
    entries_.splice(entries_.begin(), entries_, entry);
  }
  Weigh(entry);
  return entry->program.get();
}

Program* PlanCache::Find(ir::TraceWords words) {
  const Key key(words);
  const auto it = index_.find(key);
  if (it != index_.end()) return Use(it->second);
  missed_ = key.hash;
  return nullptr;
}

int PlanCache::TimesMissed() {
  Miss& miss = misses_[missed_ % kMisses];
  if (miss.hash != missed_) miss = {missed_, 0};
  return ++miss.times;
}

ir::TraceWords PlanCache::Expected() const {
  if (entries_.empty()) return {};
  return entries_.front().next->words;
}

Program* PlanCache::FindExpected() { return Use(entries_.front().next->place); }

Program* PlanCache::Insert(ir::TraceWords words,
                           std::unique_ptr<Program> program) {
  if (forgotten_.empty()) {
    entries_.emplace_back();
  } else {
    entries_.splice(entries_.end(), forgotten_, forgotten_.begin());
  }
  const Place entry = std::prev(entries_.end());
  entry->place = entry;
  entry->next = &*entry;
  entry->words.assign(words.begin(), words.end());
  entry->program = std::move(program);
  const Key key(entry->words);
  index_.emplace(key, entry);
  Use(entry);
  while (bytes_ > max_bytes_ && entries_.size() > 1) {
    Forget(std::prev(entries_.end()));
  }
  return entry->program.get();
}

// Others may expect the entry next, so its memory stays: they will find no
// words in it, or those of another trace, which is no worse than a wrong guess.
void PlanCache::Forget(Place entry) {
  bytes_ -= std::exchange(entry->bytes, 0);
  index_.erase(Key(entry->words));
  entry->words = {};
  entry->program.reset();
  forgotten_.splice(forgotten_.begin(), entries_, entry);
}

}  // namespace fuseau

// Compiled plans by trace.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "runtime/plan.h"

namespace fuseau {

// The least recently used plans go when the cache is full. For one thread at a
// time.
class PlanCache {
 public:
  using PlanPtr = std::shared_ptr<const runtime::Plan>;

  explicit PlanCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // False if the trace is not known. A known trace may have no plan: it could
  // not be compiled.
  bool Find(const std::string& key, PlanPtr* plan);
  void Insert(std::string key, PlanPtr plan);
  int64_t bytes() const { return bytes_; }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    PlanPtr plan;
    int64_t bytes;
  };

  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::list<Entry> entries_;  // the latest used first
  absl::flat_hash_map<absl::string_view, std::list<Entry>::iterator> index_;
};

// What a plan and its key take in memory, roughly.
int64_t PlanBytes(const runtime::Plan& plan);

}  // namespace fuseau

// Programs by trace.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "frontend/program.h"
#include "ir/trace_words.h"
#include "runtime/plan.h"

namespace fuseau {

// The least recently used programs go when the cache is full. For one thread at
// a time.
class PlanCache {
 public:
  explicit PlanCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Null if the trace is not known. The program stays until the next Insert.
  Program* Find(ir::TraceWords words);
  Program* Insert(ir::TraceWords words, std::unique_ptr<Program> program);
  int64_t bytes() const { return bytes_; }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::vector<uint64_t> words;
    std::unique_ptr<Program> program;
    int64_t bytes = 0;
  };
  using Place = std::list<Entry>::iterator;

  void Weigh(Place entry);

  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::list<Entry> entries_;  // the latest used first
  absl::flat_hash_map<absl::string_view, Place> index_;  // by the words' bytes
};

// What a plan takes in memory, roughly.
int64_t PlanBytes(const runtime::Plan& plan);

}  // namespace fuseau

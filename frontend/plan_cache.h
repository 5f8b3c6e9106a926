// Programs by trace.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
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
  // How often, as far as is remembered, the trace that Find has just not found
  // was not found, this time included. To be asked once.
  int TimesMissed();
  // The trace that is likely to be asked for next: the one that was when the
  // last one was asked for before, or that one again. No words if the cache is
  // empty. They stay until the next Insert.
  ir::TraceWords Expected() const;
  // As Find of these words.
  Program* FindExpected();
  Program* Insert(ir::TraceWords words, std::unique_ptr<Program> program);
  int64_t bytes() const { return bytes_; }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::vector<uint64_t> words;
    std::unique_ptr<Program> program;
    int64_t bytes = 0;
    Entry* next = nullptr;  // asked for after this one, the last time
    std::list<Entry>::iterator place;
  };
  using Place = std::list<Entry>::iterator;
  // A trace with its hash, which is computed once.
  struct Key {
    explicit Key(ir::TraceWords w) : words(w), hash(ir::HashWords(w)) {}
    bool operator==(const Key& other) const {
      return hash == other.hash && words == other.words;
    }

    ir::TraceWords words;
    size_t hash;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.hash; }
  };

  Program* Use(Place entry);
  void Weigh(Place entry);
  void Forget(Place entry);

  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  struct Miss {
    uint64_t hash = 0;
    int times = 0;
  };
  static constexpr size_t kMisses = 4096;
  uint64_t missed_ = 0;  // the last one's hash
  std::array<Miss, kMisses> misses_;
  std::list<Entry> entries_;    // the latest used first
  std::list<Entry> forgotten_;  // to be used again
  absl::flat_hash_map<Key, Place, KeyHash> index_;
};

// What a plan takes in memory, roughly.
int64_t PlanBytes(const runtime::Plan& plan);

}  // namespace fuseau

// Commands of the rank that runs the program to the others, as rows of numbers.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "passes/partition.h"

namespace fuseau {

// The first number of a command; what follows it. Every command but kFree,
// kProfile and kStop is a run of its own number, and all ranks agree at its
// end.
enum class RankCommand : uint64_t {
  // run, program, first id of the outputs, ids of the inputs (0: the rank that
  // runs the program has it alone), scalars
  kRun,
  // program, options, words of the trace, distributions of the inputs
  kDefine,
  // Forgets all programs.
  kForget,
  // run, id, bytes, distribution: a value of rank 0 comes to the others
  kPlace,
  // run, id: a value goes to rank 0, whole
  kFetch,
  // run, id, first and last byte: as kFetch, of some bytes of one owner
  kFetchRange,
  // run, id, place: every rank writes its part of a value to a file
  kStore,
  // run, id, bytes, distribution, place: a value that every rank reads its part
  // of from a file
  kLoad,
  // what to do with the profile (rank_profile.h)
  kProfile,
  // ids of values that nobody needs any more
  kFree,
  kStop,
};

// All options, as numbers.
inline std::vector<uint64_t> WordsOf(const passes::PartitionOptions& options) {
  std::vector<uint64_t> words(sizeof(options) / sizeof(uint64_t));
  static_assert(std::is_trivially_copyable_v<passes::PartitionOptions> &&
                sizeof(options) == 4 * sizeof(int64_t));
  std::memcpy(words.data(), &options, sizeof(options));
  return words;
}
inline passes::PartitionOptions OptionsOf(absl::Span<const uint64_t> words) {
  passes::PartitionOptions options;
  if (words.size() * sizeof(uint64_t) == sizeof(options)) {
    std::memcpy(&options, words.data(), sizeof(options));
  }
  return options;
}

class WireWriter {
 public:
  explicit WireWriter(RankCommand command) {
    Put(static_cast<uint64_t>(command));
  }

  void Put(uint64_t word) { words_.push_back(word); }
  // A count and so many words.
  void PutAll(absl::Span<const uint64_t> words) {
    Put(words.size());
    words_.insert(words_.end(), words.begin(), words.end());
  }
  void Put(const passes::Distribution& d) {
    Put(static_cast<uint64_t>(d.kind));
    Put(d.cuts.size());
    for (const int64_t cut : d.cuts) Put(static_cast<uint64_t>(cut));
    Put(d.windows.size());
    for (const passes::Distribution::Window& w : d.windows) {
      Put(static_cast<uint64_t>(w.lo));
      Put(static_cast<uint64_t>(w.hi));
    }
  }

  // Its number of bytes, and these, filled up to whole words.
  void Put(absl::string_view text) {
    Put(static_cast<uint64_t>(text.size()));
    const size_t at = words_.size();
    words_.resize(at + (text.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
    if (!text.empty()) std::memcpy(&words_[at], text.data(), text.size());
  }

  absl::Span<const uint64_t> words() const { return words_; }
  absl::string_view bytes() const {
    return {reinterpret_cast<const char*>(words_.data()),
            words_.size() * sizeof(uint64_t)};
  }

 private:
  std::vector<uint64_t> words_;
};

// Reads what a WireWriter wrote. Beyond the end it gives zeros, and `ok` tells.
class WireReader {
 public:
  explicit WireReader(absl::string_view bytes)
      : words_(bytes.size() / sizeof(uint64_t)) {
    std::memcpy(words_.data(), bytes.data(), words_.size() * sizeof(uint64_t));
  }

  uint64_t Get() {
    if (at_ < words_.size()) return words_[at_++];
    ok_ = false;
    return 0;
  }
  std::vector<uint64_t> GetAll() {
    const uint64_t count = GetCount(1);
    std::vector<uint64_t> out(
        words_.begin() + static_cast<int64_t>(at_),
        words_.begin() + static_cast<int64_t>(at_ + count));
    at_ += count;
    return out;
  }
  passes::Distribution GetDistribution() {
    passes::Distribution d;
    d.kind = static_cast<passes::Distribution::Kind>(Get());
    d.cuts.resize(GetCount(1));
    for (int64_t& cut : d.cuts) cut = static_cast<int64_t>(Get());
    d.windows.resize(GetCount(2));
    for (passes::Distribution::Window& w : d.windows) {
      w.lo = static_cast<int64_t>(Get());
      w.hi = static_cast<int64_t>(Get());
    }
    return d;
  }

  std::string GetText() {
    const uint64_t bytes = Get();
    if (bytes > (words_.size() - at_) * sizeof(uint64_t)) {
      ok_ = false;
      return {};
    }
    std::string text(bytes, '\0');
    if (bytes > 0) std::memcpy(text.data(), &words_[at_], bytes);
    at_ += (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    return text;
  }

  bool ok() const { return ok_; }

 private:
  // A number of things that are so many words each, and that are there.
  uint64_t GetCount(uint64_t size) {
    const uint64_t count = Get();
    if (count <= (words_.size() - at_) / size) return count;
    ok_ = false;
    return 0;
  }

  std::vector<uint64_t> words_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace fuseau

// Structures as rows of 64-bit words. A structure lists its fields once, for
// whoever writes them and for whoever reads them (`Fields` in plan_words.h and
// program.h), so the two cannot disagree.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace fuseau::runtime {

class WordWriter {
 public:
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void Number(const T& value) {
    words_.push_back(static_cast<int64_t>(value));
  }
  // An estimate: the fraction is of no interest.
  void Estimate(const double& value) { words_.push_back(std::llround(value)); }
  void Bytes(const char* bytes, size_t count) {
    const size_t at = words_.size();
    words_.resize(at + (count + 7) / 8);
    std::memcpy(words_.data() + at, bytes, count);
  }
  void Text(const std::string& text) {
    Number(text.size());
    Bytes(text.data(), text.size());
  }
  template <typename List, typename Field>
  void Each(List& list, Field&& field) {
    Number(list.size());
    for (auto& item : list) field(*this, item);
  }

  std::vector<int64_t> Take() { return std::move(words_); }

 private:
  std::vector<int64_t> words_;
};

// Words that end too early or hold what cannot be are an error at the end.
class WordReader {
 public:
  explicit WordReader(absl::Span<const int64_t> words) : words_(words) {}

  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void Number(T& value) {
    value = static_cast<T>(Next());
  }
  void Estimate(double& value) { value = static_cast<double>(Next()); }
  void Bytes(char* bytes, size_t count) {
    const size_t words = (count + 7) / 8;
    if (words > words_.size()) return Fail();
    std::memcpy(bytes, words_.data(), count);
    words_.remove_prefix(words);
  }
  void Text(std::string& text) {
    const int64_t size = Next();
    if (size < 0 || size / 8 > static_cast<int64_t>(words_.size())) {
      return Fail();
    }
    text.resize(static_cast<size_t>(size));
    Bytes(text.data(), text.size());
  }
  // Every item has a word at least.
  template <typename List, typename Field>
  void Each(List& list, Field&& field) {
    const int64_t size = Next();
    if (size < 0 || size > static_cast<int64_t>(words_.size())) return Fail();
    list.resize(static_cast<size_t>(size));
    for (auto& item : list) field(*this, item);
  }

  // Whether all words were read and made sense.
  absl::Status Finish() const {
    if (failed_ || !words_.empty()) {
      return absl::DataLossError("a compiled program is damaged");
    }
    return absl::OkStatus();
  }
  void Fail() {
    failed_ = true;
    words_ = {};
  }

 private:
  int64_t Next() {
    if (words_.empty()) {
      failed_ = true;
      return 0;
    }
    const int64_t word = words_.front();
    words_.remove_prefix(1);
    return word;
  }

  absl::Span<const int64_t> words_;
  bool failed_ = false;
};

// A list of numbers.
template <typename Io, typename List>
void Numbers(Io& io, List& list) {
  io.Each(list, [](auto& each, auto& number) { each.Number(number); });
}

}  // namespace fuseau::runtime

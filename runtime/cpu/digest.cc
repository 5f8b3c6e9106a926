#include "runtime/cpu/digest.h"

#include <cstdio>
#include <cstring>

namespace fuseau::runtime {
namespace {

// FNV-1a with 128 bits of state, taking eight bytes at a time. Each step can be
// undone, so one changed word always changes the state.
class Hasher {
 public:
  void Add(absl::string_view bytes) {
    const uint64_t size = bytes.size();
    while (bytes.size() >= 8) {
      uint64_t word;
      std::memcpy(&word, bytes.data(), 8);
      AddWord(word);
      bytes.remove_prefix(8);
    }
    uint64_t tail = 0;
    if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());
    AddWord(tail);
    AddWord(size);
  }

  Digest Finish() {
    uint64_t high = static_cast<uint64_t>(state_ >> 64);
    uint64_t low = static_cast<uint64_t>(state_);
    // The low bits have seen only the low bits of the words.
    for (int i = 0; i < 3; ++i) {
      low ^= Mix(high + 0x9e3779b97f4a7c15u);
      high ^= Mix(low + 0xd1b54a32d192ed03u);
    }
    return {{high, low}};
  }

 private:
  static uint64_t Mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 29;
    x *= 0xa0761d6478bd642fu;
    return x ^ (x >> 32);
  }

  void AddWord(uint64_t word) {
    constexpr unsigned __int128 kPrime =
        (static_cast<unsigned __int128>(1) << 88) + 0x13b;
    state_ = (state_ ^ word) * kPrime;
    // Lets the high bits act on the low ones.
    state_ ^= state_ >> 67;
  }

  unsigned __int128 state_ =
      (static_cast<unsigned __int128>(0x6c62272e07bb0142u) << 64) |
      0x62b821756295c58du;
};

}  // namespace

std::string Digest::Hex() const {
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx",
                static_cast<unsigned long long>(words[0]),
                static_cast<unsigned long long>(words[1]));
  return text;
}

Digest DigestOf(std::initializer_list<absl::string_view> pieces) {
  Hasher hasher;
  for (absl::string_view piece : pieces) hasher.Add(piece);
  return hasher.Finish();
}

}  // namespace fuseau::runtime

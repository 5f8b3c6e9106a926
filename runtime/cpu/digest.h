// A digest of bytes that is the same in every process and on every machine of
// one byte order. It finds damage; it does not stop an attacker.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace fuseau::runtime {

struct Digest {
  uint64_t words[2] = {0, 0};

  std::string Hex() const;  // 32 digits
  friend bool operator==(const Digest& a, const Digest& b) {
    return a.words[0] == b.words[0] && a.words[1] == b.words[1];
  }
};

// The digest of several pieces. Where one ends and the next begins counts.
Digest DigestOf(std::initializer_list<absl::string_view> pieces);

}  // namespace fuseau::runtime

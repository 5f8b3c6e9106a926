// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), to check that a connection knows
// the token of the job. A few hundred bytes per rank: plain code is enough.
#pragma once

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace fuseau::distrib {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(absl::string_view bytes);
Sha256Digest HmacSha256(absl::string_view key, absl::string_view bytes);

// Takes as long for equal digests as for any others.
bool ConstantTimeEqual(const Sha256Digest& a, const Sha256Digest& b);

inline absl::string_view AsBytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace fuseau::distrib

// How two ranks show each other that they know the token of the job, without
// sending it. Each proves itself over numbers that both have just chosen:
//
//   rank 0: magic, version, nonce            Greeting
//   rank r: magic, version, nonce, r, proof  Answer
//   rank 0: proof                            Proof
//
// Until the answer was checked, rank 0 reads this fixed number of bytes and
// nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "distrib/bootstrap/sha256.h"

namespace fuseau::distrib {

using Nonce = std::array<char, 32>;
using Token = std::array<char, 16>;

// From the system's source of random numbers.
absl::StatusOr<Nonce> NewNonce();
absl::StatusOr<Token> NewToken();
// 32 hexadecimal digits.
absl::StatusOr<Token> ParseToken(absl::string_view text);
std::string FormatToken(const Token& token);

inline constexpr size_t kGreetingBytes = 8 + 4 + 32;
inline constexpr size_t kAnswerBytes = 8 + 4 + 32 + 4 + 32;
inline constexpr size_t kProofBytes = 32;

std::string MakeGreeting(const Nonce& nonce);
absl::StatusOr<Nonce> ReadGreeting(absl::string_view bytes);

std::string MakeAnswer(const Token& token, const Nonce& theirs,
                       const Nonce& mine, uint32_t rank);
struct Answer {
  Nonce nonce;
  uint32_t rank;
};
// Says what is wrong with bytes that no rank of this job would send.
absl::StatusOr<Answer> ReadAnswer(const Token& token, const Nonce& mine,
                                  absl::string_view bytes);

std::string MakeProof(const Token& token, const Nonce& mine,
                      const Answer& answer);
absl::Status CheckProof(const Token& token, const Nonce& theirs,
                        const Answer& mine, absl::string_view bytes);

}  // namespace fuseau::distrib

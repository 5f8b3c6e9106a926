#include "distrib/bootstrap/handshake.h"

#include <errno.h>
#include <sys/random.h>

#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace fuseau::distrib {
namespace {

constexpr char kMagic[8] = {'f', 'u', 's', 'e', 'a', 'u', 'R', '\n'};
constexpr uint32_t kVersion = 1;

template <size_t n>
absl::string_view View(const std::array<char, n>& bytes) {
  return {bytes.data(), n};
}

template <size_t n>
absl::Status FillRandom(std::array<char, n>* bytes) {
  size_t filled = 0;
  while (filled < n) {
    const ssize_t got = getrandom(bytes->data() + filled, n - filled, 0);
    if (got > 0) {
      filled += got;
    } else if (errno != EINTR) {
      return absl::InternalError("the system gives no random numbers");
    }
  }
  return absl::OkStatus();
}

std::string Head(const Nonce& nonce) {
  std::string bytes(kMagic, sizeof(kMagic));
  bytes.append(reinterpret_cast<const char*>(&kVersion), sizeof(kVersion));
  return absl::StrCat(bytes, View(nonce));
}

// The nonce of a greeting or an answer.
absl::StatusOr<Nonce> ReadHead(absl::string_view bytes) {
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return absl::InvalidArgumentError("it is no rank of fuseau");
  }
  uint32_t version = 0;
  std::memcpy(&version, bytes.data() + sizeof(kMagic), sizeof(version));
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("it speaks version ", version,
                     " of the control channel, this is version ", kVersion));
  }
  Nonce nonce;
  std::memcpy(nonce.data(), bytes.data() + sizeof(kMagic) + sizeof(version),
              nonce.size());
  return nonce;
}

// `role` keeps a proof from being sent back as one's own.
Sha256Digest Prove(const Token& token, absl::string_view role,
                   const Nonce& first, const Nonce& second, uint32_t rank) {
  return HmacSha256(View(token), absl::StrCat(role, ":", rank, ":", View(first),
                                              View(second)));
}

Sha256Digest DigestAt(absl::string_view bytes) {
  Sha256Digest digest;
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

}  // namespace

absl::StatusOr<Nonce> NewNonce() {
  Nonce nonce;
  if (absl::Status s = FillRandom(&nonce); !s.ok()) return s;
  return nonce;
}

absl::StatusOr<Token> NewToken() {
  Token token;
  if (absl::Status s = FillRandom(&token); !s.ok()) return s;
  return token;
}

absl::StatusOr<Token> ParseToken(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  Token token;
  bool hex = text.size() == 2 * token.size();
  for (char c : text) hex = hex && absl::ascii_isxdigit(c);
  // Not what was given: it may be a secret all the same.
  if (!hex) {
    return absl::InvalidArgumentError(
        "the token of the job must be 32 hexadecimal digits");
  }
  const std::string bytes = absl::HexStringToBytes(text);
  std::memcpy(token.data(), bytes.data(), token.size());
  return token;
}

std::string FormatToken(const Token& token) {
  return absl::BytesToHexString(View(token));
}

std::string MakeGreeting(const Nonce& nonce) { return Head(nonce); }

absl::StatusOr<Nonce> ReadGreeting(absl::string_view bytes) {
  return ReadHead(bytes);
}

std::string MakeAnswer(const Token& token, const Nonce& theirs,
                       const Nonce& mine, uint32_t rank) {
  std::string bytes = Head(mine);
  bytes.append(reinterpret_cast<const char*>(&rank), sizeof(rank));
  return absl::StrCat(bytes, AsBytes(Prove(token, "rank", theirs, mine, rank)));
}

absl::StatusOr<Answer> ReadAnswer(const Token& token, const Nonce& mine,
                                  absl::string_view bytes) {
  absl::StatusOr<Nonce> nonce = ReadHead(bytes);
  if (!nonce.ok()) return nonce.status();
  Answer answer{*nonce, 0};
  bytes.remove_prefix(kGreetingBytes);
  std::memcpy(&answer.rank, bytes.data(), sizeof(answer.rank));
  bytes.remove_prefix(sizeof(answer.rank));
  if (!ConstantTimeEqual(DigestAt(bytes), Prove(token, "rank", mine,
                                                answer.nonce, answer.rank))) {
    return absl::PermissionDeniedError("it has another token");
  }
  return answer;
}

std::string MakeProof(const Token& token, const Nonce& mine,
                      const Answer& answer) {
  return std::string(
      AsBytes(Prove(token, "root", mine, answer.nonce, answer.rank)));
}

absl::Status CheckProof(const Token& token, const Nonce& theirs,
                        const Answer& mine, absl::string_view bytes) {
  if (!ConstantTimeEqual(DigestAt(bytes),
                         Prove(token, "root", theirs, mine.nonce, mine.rank))) {
    return absl::PermissionDeniedError("rank 0 has another token");
  }
  return absl::OkStatus();
}

}  // namespace fuseau::distrib

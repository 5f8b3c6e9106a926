#include "distrib/bootstrap/frame.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

constexpr size_t kHeader = sizeof(uint32_t) + 1;

struct Header {
  uint32_t size;
  Frame::Kind kind;
};

absl::StatusOr<Header> ParseHeader(const char* bytes, size_t limit) {
  Header header;
  std::memcpy(&header.size, bytes, sizeof(header.size));
  const auto kind = static_cast<uint8_t>(bytes[sizeof(header.size)]);
  if (header.size > limit || kind < Frame::kHello || kind > Frame::kLeft) {
    return absl::InvalidArgumentError("garbage on a control connection");
  }
  header.kind = static_cast<Frame::Kind>(kind);
  return header;
}

}  // namespace

std::string EncodeFrame(Frame::Kind kind, absl::string_view body) {
  const auto size = static_cast<uint32_t>(body.size());
  std::string bytes(kHeader, '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  bytes[sizeof(size)] = static_cast<char>(kind);
  return absl::StrCat(bytes, body);
}

absl::StatusOr<std::optional<Frame>> FrameBuffer::Next() {
  if (bytes_.size() < kHeader) return std::nullopt;
  FUSEAU_ASSIGN_OR_RETURN(const Header header,
                          ParseHeader(bytes_.data(), limit_));
  if (bytes_.size() < kHeader + header.size) return std::nullopt;
  Frame frame{header.kind, bytes_.substr(kHeader, header.size)};
  bytes_.erase(0, kHeader + header.size);
  return frame;
}

absl::StatusOr<Frame> ReadFrame(const Socket& socket, size_t limit,
                                absl::Time time_limit) {
  char bytes[kHeader];
  FUSEAU_RETURN_IF_ERROR(ReadAll(socket, bytes, kHeader, time_limit));
  FUSEAU_ASSIGN_OR_RETURN(const Header header, ParseHeader(bytes, limit));
  Frame frame{header.kind, std::string(header.size, '\0')};
  FUSEAU_RETURN_IF_ERROR(
      ReadAll(socket, frame.body.data(), frame.body.size(), time_limit));
  return frame;
}

}  // namespace fuseau::distrib

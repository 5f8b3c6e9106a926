// Values as bytes, for messages between ranks. Ranks have one byte order: the
// hello of the bootstrap refuses others.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

class Writer {
 public:
  template <typename T>
  Writer& Number(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    bytes_.append(bytes, sizeof(T));
    return *this;
  }
  Writer& Text(absl::string_view text) {
    Number<uint32_t>(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
    return *this;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what a Writer wrote. After bytes that end too early everything is 0 or
// empty, and ok() is false.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T Number() {
    T value{};
    if (const char* from = Advance(sizeof(T))) {
      std::memcpy(&value, from, sizeof(T));
    }
    return value;
  }
  std::string Text() {
    const uint32_t size = Number<uint32_t>();
    const char* from = Advance(size);
    return from == nullptr ? std::string() : std::string(from, size);
  }
  bool ok() const { return ok_; }
  // Whether all was read, and nothing was missing.
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  const char* Advance(size_t bytes) {
    if (!ok_ || rest_.size() < bytes) {
      ok_ = false;
      return nullptr;
    }
    const char* from = rest_.data();
    rest_.remove_prefix(bytes);
    return from;
  }

  absl::string_view rest_;
  bool ok_ = true;
};

// With its payloads. Bytes that are no status become an Internal error.
std::string EncodeStatus(const absl::Status& status);
absl::Status DecodeStatus(absl::string_view bytes);

}  // namespace fuseau::distrib

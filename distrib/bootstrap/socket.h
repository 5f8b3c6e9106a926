// TCP sockets with time limits.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fuseau::distrib {

// Owns a descriptor. Sockets do not block and are closed by exec.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() { Close(); }
  void Close();
  int get() const { return descriptor_; }
  bool ok() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

struct HostPort {
  std::string host;
  int port = 0;
};
// "host:port"; an IPv6 address stands in brackets.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);
// Whether the host is this machine's loopback by its name or number.
bool IsLoopback(absl::string_view host);

// Port 0: any.
absl::StatusOr<Socket> Listen(const HostPort& at);
// A listening socket that was opened elsewhere.
absl::StatusOr<Socket> AdoptListener(int descriptor);
absl::StatusOr<int> PortOf(const Socket& socket);
// Not ok: no connection is waiting. `from` becomes "address:port".
Socket Accept(const Socket& listener, std::string* from);
// Tries until it works or the time is over.
absl::StatusOr<Socket> Connect(const HostPort& to, absl::Time limit);

// All of the bytes. Unavailable when the other side has closed or the time is
// over.
absl::Status ReadAll(const Socket& socket, char* to, size_t bytes,
                     absl::Time limit);
absl::Status WriteAll(const Socket& socket, absl::string_view bytes,
                      absl::Time limit);

}  // namespace fuseau::distrib

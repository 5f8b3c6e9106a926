#include "distrib/bootstrap/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "distrib/clock.h"

namespace fuseau::distrib {
namespace {

// More ranks than that connect at once only if they are started by thousands;
// the system cuts it to its own limit.
constexpr int kBacklog = 4096;
constexpr absl::Duration kRetry = absl::Milliseconds(50);

std::string ErrorText(int error) { return std::strerror(error); }

// Poll for what is left of the time. Whether there is an event.
bool WaitFor(int descriptor, short events, absl::Time limit) {
  while (true) {
    const absl::Duration left = limit - Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd file{descriptor, events, 0};
    const int n = poll(&file, 1,
                       static_cast<int>(std::min<int64_t>(
                           absl::ToInt64Milliseconds(left) + 1, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

struct Addresses {
  addrinfo* list = nullptr;
  ~Addresses() {
    if (list != nullptr) freeaddrinfo(list);
  }
};

absl::Status Resolve(const HostPort& endpoint, bool passive,
                     Addresses* addresses) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  const int error =
      getaddrinfo(endpoint.host.c_str(), absl::StrCat(endpoint.port).c_str(),
                  &hints, &addresses->list);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no address for host ", endpoint.host, ": ", gai_strerror(error)));
  }
  return absl::OkStatus();
}

void SetNoDelay(int descriptor) {
  const int one = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

}  // namespace

void Socket::Close() {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  HostPort parsed;
  if (colon != absl::string_view::npos && colon > 0 &&
      absl::SimpleAtoi(text.substr(colon + 1), &parsed.port) &&
      parsed.port >= 0 && parsed.port <= 65535) {
    absl::string_view host = text.substr(0, colon);
    if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
      host = host.substr(1, host.size() - 2);
    }
    parsed.host = std::string(host);
    return parsed;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not of the form host:port"));
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

absl::StatusOr<Socket> Listen(const HostPort& at) {
  Addresses addresses;
  if (absl::Status s = Resolve(at, /*passive=*/true, &addresses); !s.ok()) {
    return s;
  }
  const addrinfo* address = addresses.list;
  Socket socket(::socket(address->ai_family,
                         SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int one = 1;
  if (socket.ok()) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  }
  if (!socket.ok() ||
      bind(socket.get(), address->ai_addr, address->ai_addrlen) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", at.host, ":", at.port, ": ", ErrorText(errno)));
  }
  return socket;
}

absl::StatusOr<Socket> AdoptListener(int descriptor) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      listens == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("descriptor ", descriptor, " is no listening socket"));
  }
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return Socket(descriptor);
}

absl::StatusOr<int> PortOf(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) !=
      0) {
    return absl::InternalError(ErrorText(errno));
  }
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

Socket Accept(const Socket& listener, std::string* from) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  Socket socket(accept4(listener.get(), reinterpret_cast<sockaddr*>(&address),
                        &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.ok()) return socket;
  SetNoDelay(socket.get());
  char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
  getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof(host),
              port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  *from = absl::StrCat(host, ":", port);
  return socket;
}

absl::StatusOr<Socket> Connect(const HostPort& to, absl::Time limit) {
  Addresses addresses;
  if (absl::Status s = Resolve(to, /*passive=*/false, &addresses); !s.ok()) {
    return s;
  }
  while (true) {
    int error = 0;
    for (const addrinfo* a = addresses.list; a != nullptr; a = a->ai_next) {
      Socket socket(::socket(a->ai_family,
                             SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!socket.ok()) return absl::ResourceExhaustedError(ErrorText(errno));
      error = 0;
      if (connect(socket.get(), a->ai_addr, a->ai_addrlen) != 0) error = errno;
      if (error == EINPROGRESS) {
        socklen_t size = sizeof(error);
        if (!WaitFor(socket.get(), POLLOUT, limit)) {
          error = ETIMEDOUT;
        } else {
          getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        }
      }
      if (error == 0) {
        SetNoDelay(socket.get());
        return socket;
      }
    }
    if (Now() + kRetry >= limit) {
      return absl::UnavailableError(absl::StrCat(
          "cannot connect to ", to.host, ":", to.port, ": ", ErrorText(error)));
    }
    absl::SleepFor(kRetry);
  }
}

absl::Status ReadAll(const Socket& socket, char* to, size_t bytes,
                     absl::Time limit) {
  while (bytes > 0) {
    const ssize_t n = recv(socket.get(), to, bytes, 0);
    if (n > 0) {
      to += n;
      bytes -= n;
    } else if (n == 0) {
      return absl::UnavailableError("the other side has closed the connection");
    } else if (errno == EAGAIN || errno == EINTR) {
      if (!WaitFor(socket.get(), POLLIN, limit)) {
        return absl::DeadlineExceededError("no answer in time");
      }
    } else {
      return absl::UnavailableError(ErrorText(errno));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteAll(const Socket& socket, absl::string_view bytes,
                      absl::Time limit) {
  while (!bytes.empty()) {
    const ssize_t n =
        send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(n);
    } else if (errno == EAGAIN || errno == EINTR) {
      if (!WaitFor(socket.get(), POLLOUT, limit)) {
        return absl::DeadlineExceededError("no answer in time");
      }
    } else {
      return absl::UnavailableError(ErrorText(errno));
    }
  }
  return absl::OkStatus();
}

}  // namespace fuseau::distrib

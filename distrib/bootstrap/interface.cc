#include "distrib/bootstrap/interface.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace fuseau::distrib {
namespace {

// The bytes of an IPv4 or IPv6 address.
std::string BytesOf(const sockaddr* address) {
  if (address == nullptr) return "";
  if (address->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&in->sin_addr), 4};
  }
  if (address->sa_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(address);
    return {reinterpret_cast<const char*>(&in->sin6_addr), 16};
  }
  return "";
}

std::string Parse(const std::string& text) {
  char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return {bytes, 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return {bytes, 16};
  return "";
}

bool InNetwork(const std::string& address, const std::string& other,
               const std::string& mask) {
  if (address.size() != other.size() || mask.size() != other.size()) {
    return false;
  }
  for (size_t i = 0; i < mask.size(); ++i) {
    if (((address[i] ^ other[i]) & mask[i]) != 0) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<Interface> FindInterface(absl::string_view text) {
  if (text.empty()) return Interface{"lo", "127.0.0.1"};
  const std::string wanted = Parse(std::string(text));
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return absl::InternalError("the system does not tell its interfaces");
  }
  // How good the best one is: 3 has the address, 2 has the name, 1 is in the
  // network. IPv4 stands first in the list.
  int best = 0;
  Interface found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const std::string address = BytesOf(entry->ifa_addr);
    if (address.empty() || (entry->ifa_flags & IFF_UP) == 0) continue;
    int match = 0;
    if (!wanted.empty() && address == wanted) {
      match = 3;
    } else if (entry->ifa_name == text) {
      match = 2;
    } else if (!wanted.empty() &&
               InNetwork(address, wanted, BytesOf(entry->ifa_netmask))) {
      match = 1;
    }
    if (match <= best) continue;
    best = match;
    char name[INET6_ADDRSTRLEN] = "";
    inet_ntop(entry->ifa_addr->sa_family, address.data(), name, sizeof(name));
    found = {entry->ifa_name, name};
  }
  freeifaddrs(list);
  if (best == 0) {
    return absl::NotFoundError(absl::StrCat("FUSEAU_INTERFACE=", text,
                                            " names no network of this host"));
  }
  return found;
}

}  // namespace fuseau::distrib

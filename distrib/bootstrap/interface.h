// The network that ranks of several hosts use.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

struct Interface {
  std::string device;   // its name, as in "eth0"
  std::string address;  // of this host
};

// `text` is the name of an interface, its address, or an address in its
// network: the same text can so be meant for all hosts. Empty: the loopback.
absl::StatusOr<Interface> FindInterface(absl::string_view text);

}  // namespace fuseau::distrib

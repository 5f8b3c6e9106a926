// Parts of values that move between ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/dims.h"

namespace fuseau::runtime {

// Runs of `bytes` bytes at strides, the same in source and target.
struct CopyPart {
  int64_t offset = 0;
  int64_t bytes = 0;
  Dims sizes;
  Dims strides;
};

// What one rank gives and takes in one exchange. It reads its part of a value,
// `source`, and fills a new piece of memory, `target`. The bytes of a message
// travel in the order of its parts, each in C order; sender and receiver have
// the same number of bytes in a message, but their parts may be cut
// differently.
struct Transfer {
  struct Message {
    int32_t peer = 0;  // another rank
    int64_t bytes = 0;
    std::vector<CopyPart> parts;  // of the source if sent, else of the target
  };
  // What the rank itself has.
  struct Copy {
    CopyPart from;  // of the source
    CopyPart to;    // of the target; as many bytes
  };
  // At most one for each peer, peers ascending.
  std::vector<Message> sends;
  std::vector<Message> receives;
  std::vector<Copy> copies;

  bool empty() const {
    return sends.empty() && receives.empty() && copies.empty();
  }
};

}  // namespace fuseau::runtime

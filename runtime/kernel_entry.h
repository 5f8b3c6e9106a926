// How an entry of the disk cache begins. Only files about that cache include
// this.
#pragma once

#include <cstdint>

#include "runtime/cpu/digest.h"

namespace fuseau::runtime::kernel_entry {

inline constexpr char kMagic[8] = {'f', 'u', 's', 'e', 'a', 'u', 'K', '\n'};
inline constexpr uint32_t kVersion = 1;
inline constexpr char kSuffix[] = ".kernel";
inline constexpr char kTemporary[] = "tmp-";
// A larger file is not one of ours.
inline constexpr int64_t kMaxEntry = int64_t{1} << 30;

// Followed by the key and the object. Read only by machines like the writer:
// objects are machine code.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t key_bytes;
  uint64_t object_bytes;
  Digest digest;  // of key and object
};

}  // namespace fuseau::runtime::kernel_entry

// The 64 bits that messages are matched by.
#pragma once

#include <cstdint>

namespace fuseau::distrib {

enum class Kind : uint8_t {
  kData = 1,     // of an exchange
  kVote = 2,     // of an agreement
  kText = 3,     // the error of an agreement
  kEnd = 4,      // the last message of a run that failed
  kCommand = 5,  // of no run
  kConnect = 6,  // nothing
  kGather = 7,   // a text for all
};

// kind 4 | run 16 | sender 16 | detail 28. Runs are told apart modulo 2^16:
// nothing is left of a run that failed once the next one begins.
inline constexpr int kMaxRanks = 1 << 16;
inline constexpr uint64_t kDetailMask = (uint64_t{1} << 28) - 1;
inline constexpr uint64_t kWholeMask = ~uint64_t{0};
inline constexpr uint64_t kSenderMask = ~kDetailMask;
inline constexpr uint64_t kRunMask = ~((uint64_t{1} << 44) - 1);

inline uint64_t MakeTag(Kind kind, uint64_t run, int sender, uint64_t detail) {
  return static_cast<uint64_t>(kind) << 60 | (run & 0xffff) << 44 |
         static_cast<uint64_t>(sender) << 28 | (detail & kDetailMask);
}

}  // namespace fuseau::distrib

// The part of a rank in a profile of its job.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "distrib/group.h"
#include "runtime/base/profile.h"
#include "runtime/transfer.h"

namespace fuseau {

enum class ProfileAct : uint64_t { kStart, kStop };

// All ranks of the group call it. kStop: each gets what all have noted, by
// rank: JSON objects with `rank`, `host`, `clock` (times of its clock just
// before and just after all ranks came together, several times), and `profile`,
// as profile::Stop gives it. A rank that is a thread of another's process has
// its events there, and no `profile`.
absl::Status TakePart(distrib::Group* group, ProfileAct act,
                      absl::Span<const std::string> lines = {},
                      std::vector<std::string>* profiles = nullptr);

// Notes an exchange of this rank with others from here to the end of the block.
class NotedExchange {
 public:
  NotedExchange(absl::string_view name, uint64_t run,
                const runtime::Transfer& transfer);
  ~NotedExchange();
  NotedExchange(const NotedExchange&) = delete;
  NotedExchange& operator=(const NotedExchange&) = delete;

 private:
  profile::Scope scope_;
  const runtime::Transfer& transfer_;
};

}  // namespace fuseau

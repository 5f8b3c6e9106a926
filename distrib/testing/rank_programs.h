// Programs that all ranks of a group run, with GoogleTest's checks in them:
// what every implementation of Group must do.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "distrib/group.h"

namespace fuseau::distrib {

struct RankProgram {
  absl::string_view name;
  void (*run)(Group& group);
};

absl::Span<const RankProgram> RankPrograms();

}  // namespace fuseau::distrib

// Messages to standard error. FUSEAU_LOG is the level: 0 nothing, 1 warnings
// (the default), 2 information too.
#pragma once

#include "absl/strings/string_view.h"

namespace fuseau {

// One line "fuseau: warning: ..." or "fuseau: ...". A line is one write, so
// lines of several threads or processes do not mix.
void LogWarning(absl::string_view text);
void LogInfo(absl::string_view text);

// Whether LogInfo prints, for callers whose text is costly to make.
bool LogsInfo();

}  // namespace fuseau

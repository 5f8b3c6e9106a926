// Settings from environment variables. The environment is read once, at the
// first question, so a setting never changes while the program runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace fuseau {

// `name` is the whole name, e.g. "FUSEAU_NUM_THREADS". A value that cannot be
// read as what is asked for counts as not set; a warning says so once.
int64_t SettingInt(absl::string_view name, int64_t default_value);
bool SettingBool(absl::string_view name, bool default_value);
std::string SettingString(absl::string_view name,
                          absl::string_view default_value);
// Empty when the variable is not set.
std::optional<std::string> Setting(absl::string_view name);

// What is wrong with the variables of the environment that are settings: one
// sentence about the first of them; empty if nothing is. Names that no setting
// has only get a warning, since they may be those of another version.
std::string CheckSettings();

namespace settings_internal {
// A whole number, with an optional K, M, G or T (powers of 1024, with or
// without "B" or "iB").
std::optional<int64_t> ParseInt(absl::string_view text);
// 1/0, true/false, yes/no, on/off in any case.
std::optional<bool> ParseBool(absl::string_view text);
}  // namespace settings_internal

}  // namespace fuseau

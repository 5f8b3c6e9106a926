#include "runtime/base/settings.h"

#include <unistd.h>

#include <limits>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/log.h"

extern char** environ;

namespace fuseau {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

// A copy of our part of the environment, plus the two variables that name the
// user's cache folder. Other code may change the environment while we run.
const Variables& Environment() {
  static const Variables* const variables = [] {
    auto* map = new Variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr;
         ++entry) {
      absl::string_view text(*entry);
      const size_t eq = text.find('=');
      if (eq == absl::string_view::npos) continue;
      const absl::string_view name = text.substr(0, eq);
      if (absl::StartsWith(name, "FUSEAU_") || name == "XDG_CACHE_HOME" ||
          name == "HOME") {
        map->emplace(name, text.substr(eq + 1));
      }
    }
    return map;
  }();
  return *variables;
}

void WarnBad(absl::string_view name, absl::string_view value,
             absl::string_view expected) {
  LogWarning(absl::StrCat(name, "=", value, " is not ", expected,
                          "; the default is used"));
}

}  // namespace

namespace settings_internal {

std::optional<int64_t> ParseInt(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  int shift = 0;
  if (!absl::ConsumeSuffix(&text, "iB")) absl::ConsumeSuffix(&text, "B");
  if (text.empty()) return std::nullopt;
  switch (absl::ascii_toupper(text.back())) {
    case 'K':
      shift = 10;
      break;
    case 'M':
      shift = 20;
      break;
    case 'G':
      shift = 30;
      break;
    case 'T':
      shift = 40;
      break;
    default:
      break;
  }
  if (shift != 0) text.remove_suffix(1);
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  const int64_t limit = std::numeric_limits<int64_t>::max() >> shift;
  if (value > limit || value < -limit) return std::nullopt;
  return value * (int64_t{1} << shift);
}

std::optional<bool> ParseBool(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  for (absl::string_view yes : {"1", "true", "yes", "on"}) {
    if (absl::EqualsIgnoreCase(text, yes)) return true;
  }
  for (absl::string_view no : {"0", "false", "no", "off"}) {
    if (absl::EqualsIgnoreCase(text, no)) return false;
  }
  return std::nullopt;
}

}  // namespace settings_internal

std::optional<std::string> Setting(absl::string_view name) {
  const Variables& variables = Environment();
  auto it = variables.find(std::string(name));
  if (it == variables.end()) return std::nullopt;
  return it->second;
}

int64_t SettingInt(absl::string_view name, int64_t default_value) {
  const std::optional<std::string> text = Setting(name);
  if (!text.has_value() || text->empty()) return default_value;
  const std::optional<int64_t> value = settings_internal::ParseInt(*text);
  if (!value.has_value()) WarnBad(name, *text, "a whole number");
  return value.value_or(default_value);
}

bool SettingBool(absl::string_view name, bool default_value) {
  const std::optional<std::string> text = Setting(name);
  if (!text.has_value() || text->empty()) return default_value;
  const std::optional<bool> value = settings_internal::ParseBool(*text);
  if (!value.has_value()) WarnBad(name, *text, "0 or 1");
  return value.value_or(default_value);
}

std::string SettingString(absl::string_view name,
                          absl::string_view default_value) {
  std::optional<std::string> text = Setting(name);
  return text.has_value() ? *std::move(text) : std::string(default_value);
}

}  // namespace fuseau

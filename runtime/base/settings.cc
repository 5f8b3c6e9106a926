#include "runtime/base/settings.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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

// A setting, and what its value may be.
struct Known {
  absl::string_view name;
  enum Kind { kNumber, kSwitch, kWord, kWords, kText } kind = kText;
  int64_t least = 0;  // of a number
  int64_t most = 0;
  absl::string_view words = "";  // separated by "|"; of a switch: further ones
  // The value of kWords is a list with commas.
};

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

constexpr Known kSettings[] = {
    {"FUSEAU_BAND_MIN_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_CACHE", Known::kSwitch},
    {"FUSEAU_CACHE_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_CACHE_DIR"},
    {"FUSEAU_CACHE_READONLY", Known::kSwitch},
    {"FUSEAU_CONFIG"},
    {"FUSEAU_CUDA_DRIVER"},
    {"FUSEAU_DEVICE", Known::kWord, 0, 0, "cpu|gpu|auto|emulated"},
    {"FUSEAU_DISABLE", Known::kWords, 0, 0,
     "all|simplify|split|fuse|collapse|place|sweep|bands|overlap"},
    {"FUSEAU_DOUBLE_DELAY_US", Known::kNumber, 0, 1'000'000},
    {"FUSEAU_DOUBLE_DEVICES", Known::kNumber, 0, 8},
    {"FUSEAU_DOUBLE_FAIL"},
    {"FUSEAU_DOUBLE_IGNORE", Known::kWord, 0, 0, "waits|edges"},
    {"FUSEAU_DOUBLE_MEMORY", Known::kNumber, 0, kAny},
    {"FUSEAU_DOUBLE_VERSION", Known::kNumber, 0, 1'000'000},
    {"FUSEAU_DUMP", Known::kWords, 0, 0,
     "all|import|simplify|split|fuse|collapse|place|sweep|outline|kernel|llvm|"
     "asm"},
    {"FUSEAU_DUMP_DIR"},
    {"FUSEAU_EAGER", Known::kSwitch},
    {"FUSEAU_EMULATED_KERNELS", Known::kWord, 0, 0, "host|cuda"},
    {"FUSEAU_FALLBACK", Known::kWord, 0, 0, "warn|silent|error"},
    {"FUSEAU_GATHER_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_INTERFACE"},
    {"FUSEAU_ISA", Known::kWord, 0, 0, "x86-64-v2|x86-64-v3|x86-64-v4"},
    {"FUSEAU_JIT", Known::kSwitch, 0, 0, "always|mixed"},
    {"FUSEAU_JOIN_SECONDS", Known::kNumber, 1, 86400},
    {"FUSEAU_LAUNCH_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_LOG", Known::kNumber, 0, 9},
    {"FUSEAU_NUM_THREADS", Known::kNumber, 0, 1024},
    {"FUSEAU_OPT", Known::kNumber, 0, 1},
    {"FUSEAU_OUTPUT"},
    {"FUSEAU_OVERLAP_NS", Known::kNumber, 0, kAny},
    {"FUSEAU_PARENT", Known::kNumber, 1, kAny},
    {"FUSEAU_PARTITION_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_PLAN_CACHE_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_POOL_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_PROFILE"},
    {"FUSEAU_PROFILE_EVENTS", Known::kNumber, 0, kAny},
    {"FUSEAU_RANK", Known::kNumber, 0, 65535},
    {"FUSEAU_RANKS", Known::kNumber, 1, 65536},
    {"FUSEAU_RECORD"},
    {"FUSEAU_RESTART", Known::kNumber, 0, kAny},
    {"FUSEAU_SILENCE_SECONDS", Known::kNumber, 1, 86400},
    {"FUSEAU_SPIN_US", Known::kNumber, 0, 1'000'000},
    {"FUSEAU_SPMD", Known::kSwitch},
    {"FUSEAU_STORE"},
    {"FUSEAU_STORE_FD", Known::kNumber, 0, 1 << 30},
    {"FUSEAU_STREAM_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_SWAP_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_THREAD_DELAY_US", Known::kNumber, 0, 1'000'000},
    {"FUSEAU_THREAD_RANKS", Known::kNumber, 1, 64},
    {"FUSEAU_TILE_BYTES", Known::kNumber, 0, kAny},
    {"FUSEAU_TIMING"},
    {"FUSEAU_TOKEN"},
    {"FUSEAU_TOKEN_FILE"},
    {"FUSEAU_UCX_LIBRARY"},
    {"FUSEAU_VERIFY", Known::kSwitch},
    {"FUSEAU_WINDOW", Known::kNumber, 0, kAny},
};

bool IsOneOf(absl::string_view words, absl::string_view value) {
  for (absl::string_view word : absl::StrSplit(words, '|', absl::SkipEmpty())) {
    if (value == word) return true;
  }
  return false;
}

bool Fits(const Known& known, absl::string_view value) {
  switch (known.kind) {
    case Known::kNumber: {
      const auto number = settings_internal::ParseInt(value);
      return number.has_value() && *number >= known.least &&
             *number <= known.most;
    }
    case Known::kSwitch:
      return settings_internal::ParseBool(value).has_value() ||
             IsOneOf(known.words, value);
    case Known::kWord:
      return IsOneOf(known.words, value);
    case Known::kWords: {
      const std::vector<absl::string_view> parts =
          absl::StrSplit(value, absl::ByAnyChar(", "), absl::SkipEmpty());
      return std::all_of(parts.begin(), parts.end(), [&](absl::string_view p) {
        return IsOneOf(known.words, p);
      });
    }
    case Known::kText:
      return true;
  }
  return true;
}

std::string Expectation(const Known& known) {
  switch (known.kind) {
    case Known::kNumber:
      if (known.most == kAny) {
        return absl::StrCat("a whole number from ", known.least,
                            " on, with K, M, G or T if you like");
      }
      return absl::StrCat("a whole number from ", known.least, " to ",
                          known.most);
    case Known::kSwitch:
    case Known::kWord:
    case Known::kWords: {
      std::vector<absl::string_view> words =
          absl::StrSplit(known.words, '|', absl::SkipEmpty());
      if (known.kind == Known::kSwitch) words.insert(words.begin(), {"0", "1"});
      const absl::string_view last = words.back();
      words.pop_back();
      return absl::StrCat(absl::StrJoin(words, ", "), " or ", last,
                          known.kind == Known::kWords
                              ? ", or several of these with commas"
                              : "");
    }
    case Known::kText:
      break;
  }
  return "a text";
}

}  // namespace

std::string CheckSettings() {
  for (const auto& [name, value] : Environment()) {
    if (!absl::StartsWith(name, "FUSEAU_") ||
        absl::StartsWith(name, "FUSEAU_TEST_") ||  // those of tests/
        absl::StartsWith(name, "FUSEAU_SUITE_")) {
      continue;
    }
    const auto* known =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const Known& k) { return k.name == name; });
    if (known == std::end(kSettings)) {
      LogWarning(absl::StrCat(name, "=", value, " is ignored: fuseau has no ",
                              "setting of that name"));
    } else if (!value.empty() && !Fits(*known, value)) {
      return absl::StrCat(name, "=", value, " does not make sense: expected ",
                          Expectation(*known));
    }
  }
  return "";
}

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

#include "runtime/base/log.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace fuseau {
namespace {

// Read without settings.h, which itself logs.
int Level() {
  static const int level = [] {
    const char* text = std::getenv("FUSEAU_LOG");
    return text == nullptr || *text == '\0' ? 1 : std::atoi(text);
  }();
  return level;
}

void WriteLine(absl::string_view prefix, absl::string_view text) {
  const std::string line = absl::StrCat(prefix, text, "\n");
  // Nothing sensible can be done when standard error does not take it.
  [[maybe_unused]] ssize_t n = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void LogWarning(absl::string_view text) {
  if (Level() >= 1) WriteLine("fuseau: warning: ", text);
}

void LogInfo(absl::string_view text) {
  if (Level() >= 2) WriteLine("fuseau: ", text);
}

bool LogsInfo() { return Level() >= 2; }

}  // namespace fuseau

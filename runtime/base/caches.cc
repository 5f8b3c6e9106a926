#include "runtime/base/caches.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/settings.h"

namespace fuseau {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

namespace caches_internal {

int64_t CountProcessors(absl::string_view list) {
  int64_t count = 0;
  for (absl::string_view part : absl::StrSplit(list, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    int64_t first = 0;
    int64_t last = 0;
    if (!absl::SimpleAtoi(ends.first, &first)) continue;
    if (!absl::SimpleAtoi(ends.second, &last)) last = first;
    count += std::max<int64_t>(0, last - first + 1);
  }
  return std::max<int64_t>(count, 1);
}

CacheSizes ReadCaches(absl::string_view folder) {
  CacheSizes sizes;
  bool has_third = false;
  for (int i = 0;; ++i) {
    const std::string cache = absl::StrCat(folder, "/index", i, "/");
    const std::string level = FirstLine(cache + "level");
    if (level.empty()) break;
    if (FirstLine(cache + "type") == "Instruction") continue;
    const int64_t bytes =
        settings_internal::ParseInt(FirstLine(cache + "size")).value_or(0);
    if (bytes <= 0) continue;
    const int64_t sharers =
        CountProcessors(FirstLine(cache + "shared_cpu_list"));
    if (level == "1") sizes.first = bytes / sharers;
    if (level == "2") sizes.core = bytes / sharers;
    if (level == "3") sizes.shared = bytes;
    has_third |= level == "3";
    // Without a third level the second one is what processors share.
    if (level == "2" && !has_third) sizes.shared = bytes;
  }
  return sizes;
}

}  // namespace caches_internal

const CacheSizes& Caches() {
  static const CacheSizes sizes =
      caches_internal::ReadCaches("/sys/devices/system/cpu/cpu0/cache");
  return sizes;
}

}  // namespace fuseau

#include "runtime/cpu/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

std::string ReadSmallFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

// The first number of a file; kNoLimit when there is none ("max", no file).
int64_t ReadNumber(const std::string& path) {
  const std::string text = ReadSmallFile(path);
  int64_t value = 0;
  const absl::string_view word =
      absl::string_view(text).substr(0, text.find_first_of(" \n"));
  return absl::SimpleAtoi(word, &value) ? value : kNoLimit;
}

// Our group's folders for `controller`, innermost first. Limits of all of them
// hold. Inside a container the path may name folders that only the host sees;
// those that are missing read as no limit.
std::vector<std::string> GroupFolders(absl::string_view controller, bool* v2) {
  std::string path;
  *v2 = false;
  std::string root;
  for (absl::string_view line :
       absl::StrSplit(ReadSmallFile("/proc/self/cgroup"), '\n')) {
    // hierarchy-id:controllers:path
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> names = absl::StrSplit(parts[1], ',');
    if (std::find(names.begin(), names.end(), controller) != names.end()) {
      root = absl::StrCat("/sys/fs/cgroup/", parts[1]);
      path = std::string(parts[2]);
      *v2 = false;
      break;
    }
    if (parts[0] == "0" && parts[1].empty()) {
      root = "/sys/fs/cgroup";
      path = std::string(parts[2]);
      *v2 = true;
    }
  }
  std::vector<std::string> folders;
  if (root.empty()) return folders;
  while (!path.empty() && path != "/") {
    folders.push_back(root + path);
    path.resize(path.rfind('/'));
  }
  folders.push_back(root);
  return folders;
}

struct MemoryGroups {
  std::vector<std::string> folders;
  bool v2 = false;

  const char* LimitFile() const {
    return v2 ? "/memory.max" : "/memory.limit_in_bytes";
  }
  const char* UsageFile() const {
    return v2 ? "/memory.current" : "/memory.usage_in_bytes";
  }
};

// The group of a process rarely changes: looked up once.
const MemoryGroups& Groups() {
  static const MemoryGroups* const groups = [] {
    auto* g = new MemoryGroups;
    g->folders = GroupFolders("memory", &g->v2);
    // Keep only those with a limit, so that a later look is cheap.
    std::vector<std::string> limited;
    for (const std::string& folder : g->folders) {
      // Version 1 writes a number near 2^63 for "no limit".
      if (ReadNumber(folder + g->LimitFile()) < (int64_t{1} << 60)) {
        limited.push_back(folder);
      }
    }
    g->folders = std::move(limited);
    return g;
  }();
  return *groups;
}

// File pages of the group that the kernel drops before it kills anyone.
int64_t ReclaimableBytes(const std::string& folder) {
  for (absl::string_view line :
       absl::StrSplit(ReadSmallFile(folder + "/memory.stat"), '\n')) {
    int64_t value = 0;
    if ((absl::ConsumePrefix(&line, "inactive_file ") ||
         absl::ConsumePrefix(&line, "total_inactive_file ")) &&
        absl::SimpleAtoi(line, &value)) {
      return value;
    }
  }
  return 0;
}

int64_t MemInfo(const char* key) {
  int64_t kilobytes = -1;
  if (std::FILE* file = std::fopen("/proc/meminfo", "re")) {
    char line[256];
    const size_t length = std::strlen(key);
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      if (std::strncmp(line, key, length) == 0 && line[length] == ':') {
        long long value = 0;
        if (std::sscanf(line + length + 1, "%lld", &value) == 1) {
          kilobytes = value;
        }
        break;
      }
    }
    std::fclose(file);
  }
  return kilobytes < 0 ? kNoLimit : kilobytes * 1024;
}

int QuotaCpus() {
  bool v2 = false;
  int64_t best = kNoLimit;
  for (const std::string& folder : GroupFolders("cpu", &v2)) {
    int64_t quota = kNoLimit;
    int64_t period = kNoLimit;
    if (v2) {
      const std::string text = ReadSmallFile(folder + "/cpu.max");
      const std::vector<absl::string_view> words =
          absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
      if (words.size() != 2 || !absl::SimpleAtoi(words[0], &quota) ||
          !absl::SimpleAtoi(words[1], &period)) {
        continue;
      }
    } else {
      quota = ReadNumber(folder + "/cpu.cfs_quota_us");
      period = ReadNumber(folder + "/cpu.cfs_period_us");
    }
    if (quota <= 0 || period <= 0 || quota == kNoLimit || period == kNoLimit) {
      continue;
    }
    best = std::min(best, (quota + period - 1) / period);
  }
  return static_cast<int>(std::min<int64_t>(best, 1 << 20));
}

}  // namespace

int AvailableCpus() {
  int cpus = 0;
  // Machines with more than 1024 processors need a larger set.
  for (int limit = 1024; limit <= (1 << 16); limit *= 4) {
    cpu_set_t* set = CPU_ALLOC(limit);
    const size_t bytes = CPU_ALLOC_SIZE(limit);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    if (known) cpus = CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (known) break;
  }
  if (cpus <= 0) cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  return std::max(1, std::min(cpus, QuotaCpus()));
}

int64_t PhysicalMemory() {
  int64_t bytes = std::min(MemInfo("MemTotal"), kNoLimit);
  const MemoryGroups& groups = Groups();
  for (const std::string& folder : groups.folders) {
    bytes = std::min(bytes, ReadNumber(folder + groups.LimitFile()));
  }
  return bytes;
}

int64_t AvailableMemory() {
  int64_t bytes = MemInfo("MemAvailable");
  const MemoryGroups& groups = Groups();
  for (const std::string& folder : groups.folders) {
    const int64_t limit = ReadNumber(folder + groups.LimitFile());
    const int64_t usage = ReadNumber(folder + groups.UsageFile());
    if (limit == kNoLimit || usage == kNoLimit) continue;
    bytes = std::min(bytes, limit - usage + ReclaimableBytes(folder));
  }
  return std::max<int64_t>(bytes, 0);
}

int64_t AddressRoom() {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kNoLimit;
  }
  const int64_t pages = ReadNumber("/proc/self/statm");
  if (pages == kNoLimit) return kNoLimit;
  const int64_t bytes = static_cast<int64_t>(
      std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int64_t>::max()));
  return std::max<int64_t>(bytes - pages * sysconf(_SC_PAGESIZE), 0);
}

#ifdef __x86_64__
bool HasAvx512() {
  static const bool has = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }();
  return has;
}

bool HasAvx512Vbmi2() {
  static const bool has = HasAvx512() && __builtin_cpu_supports("avx512vbmi2");
  return has;
}
#else
bool HasAvx512() { return false; }
bool HasAvx512Vbmi2() { return false; }
#endif

}  // namespace fuseau::runtime

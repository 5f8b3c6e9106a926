#include "runtime/kernel_audit.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/kernel_entry.h"

namespace fuseau::runtime {
namespace {

namespace fs = std::filesystem;
using kernel_entry::Header;

AuditedKernel Audit(const fs::path& path) {
  AuditedKernel entry;
  entry.file = path.filename().string();
  struct stat info;
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    entry.damage = "it is no regular file";
    return entry;
  }
  entry.bytes = info.st_size;
  entry.used = info.st_mtime;
  if ((info.st_mode & 0022) != 0) {
    entry.damage = "other users may write to it";
    return entry;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  Header header;
  if (content.size() < sizeof(header)) {
    entry.damage = "it is cut short";
    return entry;
  }
  std::memcpy(&header, content.data(), sizeof(header));
  if (std::memcmp(header.magic, kernel_entry::kMagic, sizeof(header.magic)) !=
      0) {
    entry.damage = "it is no kernel";
  } else if (header.version != kernel_entry::kVersion) {
    entry.damage =
        absl::StrCat("it has format ", header.version,
                     ", this version reads format ", kernel_entry::kVersion);
  } else if (sizeof(header) + header.key_bytes + header.object_bytes !=
             content.size()) {
    entry.damage = "its length is not what it says";
  } else {
    const absl::string_view rest =
        absl::string_view(content).substr(sizeof(header));
    const absl::string_view key = rest.substr(0, header.key_bytes);
    if (DigestOf({key, rest.substr(header.key_bytes)}) != header.digest) {
      entry.damage = "its content was changed";
    } else {
      entry.key = std::string(key);
    }
  }
  return entry;
}

}  // namespace

std::vector<AuditedKernel> AuditKernels(absl::string_view folder) {
  std::vector<AuditedKernel> entries;
  std::error_code error;
  for (fs::directory_iterator item(std::string(folder), error), end;
       !error && item != end; item.increment(error)) {
    if (absl::EndsWith(item->path().string(), kernel_entry::kSuffix)) {
      entries.push_back(Audit(item->path()));
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const AuditedKernel& a, const AuditedKernel& b) {
              return a.file < b.file;
            });
  return entries;
}

}  // namespace fuseau::runtime

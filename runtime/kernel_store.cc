#include "runtime/kernel_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/cpu/digest.h"
#include "runtime/kernel_entry.h"
#include "runtime/stats.h"

namespace fuseau::runtime {
namespace {

using namespace kernel_entry;  // NOLINT: the format is this file's affair

// A temporary file this old belongs to a process that was killed.
constexpr int64_t kStaleSeconds = 600;
// The time of last use is kept this roughly, to spare the disk.
constexpr int64_t kTouchSeconds = 60;
// One entry in so many makes its writer look at the whole folder. To look takes
// about 2 us a file, which a process that only reads, or adds little, is
// spared.
constexpr uint64_t kPutsPerLook = 256;
// The share of the cap that may be put between two looks.
constexpr int64_t kRoom = 10;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool ok() const { return descriptor_ >= 0; }
  // False when the system could not write what it had taken.
  bool Close() { return close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

bool ReadAll(int file, char* to, int64_t bytes) {
  while (bytes > 0) {
    const ssize_t n = read(file, to, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    bytes -= n;
  }
  return true;
}

bool WriteAll(int file, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

std::string FileName(const Digest& key) {
  return absl::StrCat(key.Hex(), kSuffix);
}

// Makes a folder and those above it.
void MakeFolders(const std::string& path) {
  for (size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '/') mkdir(path.substr(0, i).c_str(), 0700);
  }
  mkdir(path.c_str(), 0700);
}

bool OwnerIsTrusted(const struct stat& info, bool read_only) {
  return info.st_uid == geteuid() || (read_only && info.st_uid == 0);
}

struct Entry {
  std::string name;
  int64_t bytes;
  timespec used;
};

}  // namespace

KernelStore& KernelStore::Global() {
  static KernelStore* const store = [] {
    std::string dir;
    if (SettingBool("FUSEAU_CACHE", true)) {
      dir = SettingString("FUSEAU_CACHE_DIR", "");
      if (dir.empty()) {
        std::string base = SettingString("XDG_CACHE_HOME", "");
        const std::string home = SettingString("HOME", "");
        // The standard says that relative paths are to be ignored.
        if (!absl::StartsWith(base, "/")) {
          base = home.empty() ? "" : absl::StrCat(home, "/.cache");
        }
        if (!base.empty()) dir = absl::StrCat(base, "/fuseau");
      }
    }
    return new KernelStore(dir,
                           SettingInt("FUSEAU_CACHE_BYTES", int64_t{256} << 20),
                           SettingBool("FUSEAU_CACHE_READONLY", false));
  }();
  return *store;
}

KernelStore::KernelStore(absl::string_view dir, int64_t byte_cap,
                         bool read_only)
    : path_(dir), byte_cap_(byte_cap), read_only_(read_only) {
  if (!path_.empty()) Open(path_);
}

KernelStore::~KernelStore() {
  if (folder_ >= 0) close(folder_);
}

void KernelStore::Open(const std::string& dir) {
  if (!read_only_) MakeFolders(dir);
  const auto refuse = [&](absl::string_view why) {
    LogWarning(absl::StrCat("kernels are not kept on disk: ", dir, " ", why));
  };
  File folder(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) {
    const int error = errno;
    // Nothing was compiled ahead: no reason to complain.
    if (read_only_ && error == ENOENT) return;
    return refuse(absl::StrCat("cannot be opened: ", strerror(error)));
  }
  struct stat info;
  if (fstat(folder.get(), &info) != 0) return refuse(strerror(errno));
  if (!OwnerIsTrusted(info, read_only_)) return refuse("is another user's");
  if ((info.st_mode & 0022) != 0) {
    return refuse("can be written by other users");
  }
  folder_ = dup(folder.get());
  if (folder_ >= 0) fcntl(folder_, F_SETFD, FD_CLOEXEC);
}

std::optional<std::string> KernelStore::Get(absl::string_view key) {
  if (!enabled()) return std::nullopt;
  std::optional<std::string> object = Read(FileName(DigestOf({key})), key);
  Increment(object.has_value() ? Counter::kKernelCacheDiskHits
                               : Counter::kKernelCacheDiskMisses);
  return object;
}

std::optional<std::string> KernelStore::Read(const std::string& name,
                                             absl::string_view key) {
  // A pipe of that name must not make us wait for a writer.
  File file(openat(folder_, name.c_str(),
                   O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return std::nullopt;
  struct stat info;
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      !OwnerIsTrusted(info, read_only_) || (info.st_mode & 0022) != 0) {
    return std::nullopt;
  }
  Header header;
  std::string stored_key;
  std::string object;
  const bool whole = [&] {
    if (info.st_size > kMaxEntry ||
        !ReadAll(file.get(), reinterpret_cast<char*>(&header),
                 sizeof(header)) ||
        std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0 ||
        header.version != kVersion ||
        header.object_bytes > static_cast<uint64_t>(kMaxEntry) ||
        sizeof(header) + header.key_bytes + header.object_bytes !=
            static_cast<uint64_t>(info.st_size)) {
      return false;
    }
    stored_key.resize(header.key_bytes);
    object.resize(header.object_bytes);
    return ReadAll(file.get(), stored_key.data(), stored_key.size()) &&
           ReadAll(file.get(), object.data(), object.size()) &&
           DigestOf({stored_key, object}) == header.digest;
  }();
  if (!whole) {
    Increment(Counter::kKernelCacheDiskFailures);
    if (!read_only_) unlinkat(folder_, name.c_str(), 0);
    return std::nullopt;
  }
  if (stored_key != key) return std::nullopt;
  if (!read_only_ && std::time(nullptr) - info.st_mtime > kTouchSeconds) {
    futimens(file.get(), nullptr);
  }
  return object;
}

void KernelStore::Put(absl::string_view key, absl::string_view object) {
  if (!enabled() || read_only_) return;
  const int64_t bytes = sizeof(Header) + key.size() + object.size();
  if (bytes > kMaxEntry || bytes > byte_cap_) return;
  const Digest digest = DigestOf({key});
  if (!Write(FileName(digest), key, object)) return;
  const int64_t unseen = unseen_.fetch_add(bytes) + bytes;
  // The digest decides by chance: processes that write a few entries each look
  // as often, in all, as one that writes many.
  if (unseen > byte_cap_ / kRoom || digest.words[0] % kPutsPerLook == 0) {
    Shrink();
  }
}

// The entry appears under its name only when it is whole. No fsync: what a
// crash of the machine leaves half written is found by its digest.
bool KernelStore::Write(const std::string& name, absl::string_view key,
                        absl::string_view object) {
  static std::atomic<uint64_t> next{0};
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::string temporary = absl::StrCat(
      kTemporary, getpid(), "-", next.fetch_add(1), "-", now.tv_nsec);
  File file(openat(folder_, temporary.c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) {
    Fail(strerror(errno));
    return false;
  }
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.key_bytes = static_cast<uint32_t>(key.size());
  header.object_bytes = object.size();
  header.digest = DigestOf({key, object});
  const bool written =
      WriteAll(file.get(),
               absl::string_view(reinterpret_cast<const char*>(&header),
                                 sizeof(header))) &&
      WriteAll(file.get(), key) && WriteAll(file.get(), object) &&
      file.Close() &&
      renameat(folder_, temporary.c_str(), folder_, name.c_str()) == 0;
  if (!written) {
    Fail(strerror(errno));
    unlinkat(folder_, temporary.c_str(), 0);
  }
  return written;
}

// Removes temporary files that nobody will finish and, where the next look may
// come too late, the entries used longest ago.
void KernelStore::Shrink() {
  std::unique_lock<std::mutex> lock(shrinking_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  unseen_.store(0);
  // A descriptor of its own: its position is shared otherwise.
  const int descriptor =
      openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = descriptor < 0 ? nullptr : fdopendir(descriptor);
  if (list == nullptr) {
    if (descriptor >= 0) close(descriptor);
    return;
  }
  std::vector<Entry> entries;
  int64_t total = 0;
  while (const dirent* item = readdir(list)) {
    const absl::string_view name(item->d_name);
    struct stat info;
    const bool temporary = absl::StartsWith(name, kTemporary);
    if (!temporary && !absl::EndsWith(name, kSuffix)) continue;
    if (fstatat(folder_, item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    if (temporary) {
      if (std::time(nullptr) - info.st_mtime > kStaleSeconds) {
        unlinkat(folder_, item->d_name, 0);
      }
      continue;
    }
    total += info.st_size;
    entries.push_back({std::string(name), info.st_size, info.st_mtim});
  }
  closedir(list);
  // Room for what is put before the next look.
  const int64_t goal = byte_cap_ - byte_cap_ / kRoom;
  if (total > goal) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) {
                return a.used.tv_sec != b.used.tv_sec
                           ? a.used.tv_sec < b.used.tv_sec
                           : a.used.tv_nsec < b.used.tv_nsec;
              });
    for (const Entry& entry : entries) {
      if (total <= goal) break;
      unlinkat(folder_, entry.name.c_str(), 0);
      total -= entry.bytes;
    }
  }
}

void KernelStore::Fail(absl::string_view what) {
  Increment(Counter::kKernelCacheDiskFailures);
  if (!failed_.exchange(true)) {
    LogWarning(absl::StrCat("a kernel could not be kept on disk: ", what));
  }
}

}  // namespace fuseau::runtime

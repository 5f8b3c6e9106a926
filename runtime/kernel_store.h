// Compiled kernels on disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace fuseau::runtime {

// Keeps objects by key in a private folder, one file each. Any number of
// threads and processes may use one folder. What is read was verified: an entry
// that is cut short, damaged, of another version or of another key counts as
// absent. Failures of the disk cost only the entry; the first one is logged.
class KernelStore {
 public:
  // The store of the process: FUSEAU_CACHE_DIR, or fuseau in XDG_CACHE_HOME or
  // ~/.cache; FUSEAU_CACHE_BYTES (256 MiB); FUSEAU_CACHE_READONLY;
  // FUSEAU_CACHE=0 switches it off.
  static KernelStore& Global();

  // Makes the folder, readable for nobody else, unless `read_only`. The store
  // is off when `dir` is empty or when the folder is not private: an entry is
  // code that we run. A read-only folder may also belong to root. When the
  // entries come near `byte_cap` those used longest ago go.
  KernelStore(absl::string_view dir, int64_t byte_cap, bool read_only);
  ~KernelStore();
  KernelStore(const KernelStore&) = delete;
  KernelStore& operator=(const KernelStore&) = delete;

  bool enabled() const { return folder_ >= 0; }
  const std::string& folder() const { return path_; }

  std::optional<std::string> Get(absl::string_view key);
  void Put(absl::string_view key, absl::string_view object);

 private:
  void Open(const std::string& dir);
  std::optional<std::string> Read(const std::string& name,
                                  absl::string_view key);
  bool Write(const std::string& name, absl::string_view key,
             absl::string_view object);
  void Shrink();
  void Fail(absl::string_view what);

  const std::string path_;
  const int64_t byte_cap_;
  const bool read_only_;
  int folder_ = -1;  // open for as long as the store lives
  std::atomic<bool> failed_{false};
  std::mutex shrinking_;
  std::atomic<int64_t> unseen_{0};  // bytes put since the last look
};

}  // namespace fuseau::runtime

#include "distrib/ucx/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "distrib/ucx/variable.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"

namespace fuseau::distrib {
namespace {

absl::StatusOr<const UcxLibrary*> Load() {
  // Signals are Python's. What UCX has to say goes to standard error, and of a
  // rank that is lost we tell ourselves.
  const ScopedVariable handlers("UCX_HANDLE_ERRORS", "none");
  const ScopedVariable file("UCX_LOG_FILE", "stderr");
  const ScopedVariable level("UCX_LOG_LEVEL", LogsInfo() ? "warn" : "fatal");
  std::optional<ScopedVariable> no_patches;
  // To register memory with cards, UCX watches it by patching mmap and others.
  if (!NamesDevices()) no_patches.emplace("UCX_MEM_MMAP_HOOK_MODE", "none");

  // Now, and not as a setting: who starts ranks may find it while we run.
  const char* const named = std::getenv("FUSEAU_UCX_LIBRARY");
  const std::string path =
      named != nullptr && *named != '\0' ? named : "libucp.so.0";
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "several ranks need UCX, which could not be loaded (", dlerror(),
        "); install it (Debian: libucx0) or name its libucp.so.0 in "
        "FUSEAU_UCX_LIBRARY"));
  }
  static UcxLibrary library;
  const char* missing = nullptr;
#define FUSEAU_UCX_LOAD(name)                                         \
  library.name =                                                      \
      reinterpret_cast<decltype(library.name)>(dlsym(handle, #name)); \
  if (library.name == nullptr) missing = #name;
  FUSEAU_UCX_FUNCTIONS(FUSEAU_UCX_LOAD)
#undef FUSEAU_UCX_LOAD
  if (missing != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is too old: it has no ", missing,
                     "; UCX 1.13 or later is needed"));
  }
  unsigned major = 0, minor = 0, release = 0;
  library.ucp_get_version(&major, &minor, &release);
  library.version = absl::StrCat(major, ".", minor, ".", release);
  return &library;
}

}  // namespace

bool NamesDevices() { return std::getenv("UCX_NET_DEVICES") != nullptr; }

absl::StatusOr<const UcxLibrary*> LoadUcx() {
  static const auto* const library =
      new absl::StatusOr<const UcxLibrary*>(Load());
  return *library;
}

}  // namespace fuseau::distrib

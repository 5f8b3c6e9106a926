#include "runtime/cuda/driver.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

namespace fuseau::runtime::cuda {
namespace {

// Kernels come from a compiler of this version, whose machine code older
// drivers do not take.
constexpr int kOldest = 13000;

using GetProcAddress = CUresult (*)(const char* name, void** address,
                                    int version, uint64_t flags, int* result);

std::string VersionText(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

absl::Status Unusable(absl::string_view sentence) {
  return absl::FailedPreconditionError(sentence);
}

// The toolkit ships a library without a driver behind it, to link against.
bool IsStub(void* library) {
  auto* init =
      reinterpret_cast<CUresult (*)(unsigned)>(dlsym(library, "cuInit"));
  return init != nullptr && init(0) == CUDA_ERROR_STUB_LIBRARY;
}

absl::Status FindFunctions(const std::string& name, Driver* driver) {
  auto get = reinterpret_cast<GetProcAddress>(
      dlsym(driver->library, "cuGetProcAddress_v2"));
  if (get == nullptr) {
    return Unusable(absl::StrCat("the NVIDIA driver (", name,
                                 ") is too old: CUDA ", VersionText(kOldest),
                                 " or newer is needed"));
  }
  const char* missing = nullptr;
  auto find = [&](const char* function, int version, void** address) {
    int result = 0;
    if (missing == nullptr && (get(function, address, version, /*flags=*/0,
                                   &result) != CUDA_SUCCESS ||
                               *address == nullptr)) {
      missing = function;
    }
  };
#define FUSEAU_FIND(name, version, parameters) \
  find(#name, version, reinterpret_cast<void**>(&driver->name));
  FUSEAU_CUDA_FUNCTIONS(FUSEAU_FIND)
#undef FUSEAU_FIND
  if (missing == nullptr) return absl::OkStatus();
  if (IsStub(driver->library)) {
    return Unusable(
        absl::StrCat(name, " is the stub of the CUDA toolkit, not a driver"));
  }
  return Unusable(
      absl::StrCat("the NVIDIA driver (", name, ") has no ", missing));
}

absl::Status Start(const std::string& name, Driver* driver) {
  const CUresult result = driver->cuInit(0);
  if (result == CUDA_ERROR_STUB_LIBRARY) {
    return Unusable(
        absl::StrCat(name, " is the stub of the CUDA toolkit, not a driver"));
  }
  if (result == CUDA_SUCCESS) {
    FUSEAU_RETURN_IF_ERROR(
        FUSEAU_CUDA(*driver, cuDriverGetVersion, &driver->version));
    if (driver->version < kOldest) {
      return Unusable(
          absl::StrCat("the NVIDIA driver is too old: it supports "
                       "CUDA ",
                       VersionText(driver->version), ", and ",
                       VersionText(kOldest), " or newer is needed"));
    }
    FUSEAU_RETURN_IF_ERROR(
        FUSEAU_CUDA(*driver, cuDeviceGetCount, &driver->devices));
  }
  if (result == CUDA_ERROR_NO_DEVICE ||
      (result == CUDA_SUCCESS && driver->devices == 0)) {
    return Unusable("the NVIDIA driver finds no device");
  }
  return driver->StatusOf(result, "cuInit");
}

}  // namespace

absl::Status Driver::StatusOf(CUresult result,
                              absl::string_view function) const {
  if (__builtin_expect(result == CUDA_SUCCESS, true)) return absl::OkStatus();
  const char* name = nullptr;
  if (cuGetErrorName == nullptr || cuGetErrorName(result, &name) != 0 ||
      name == nullptr) {
    name = "an unknown error";
  }
  const std::string text = absl::StrCat(
      "the GPU's driver: ", function, " gives ", name, " (", int{result}, ")");
  return result == CUDA_ERROR_OUT_OF_MEMORY ? absl::ResourceExhaustedError(text)
                                            : absl::InternalError(text);
}

absl::StatusOr<std::unique_ptr<const Driver>> Driver::Load(
    const std::string& library) {
  auto driver = std::make_unique<Driver>();
  driver->library = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (driver->library == nullptr) {
    return Unusable(
        absl::StrCat("there is no NVIDIA driver (", dlerror(), ")"));
  }
  FUSEAU_RETURN_IF_ERROR(FindFunctions(library, driver.get()));
  const absl::Status status = Start(library, driver.get());
  if (!status.ok()) return Unusable(status.message());
  return driver;
}

const absl::StatusOr<std::unique_ptr<const Driver>>& Driver::Global() {
  static const auto* const driver =
      new absl::StatusOr<std::unique_ptr<const Driver>>(
          Load(SettingString("FUSEAU_CUDA_DRIVER", "libcuda.so.1")));
  return *driver;
}

}  // namespace fuseau::runtime::cuda

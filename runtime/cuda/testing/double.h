// The driver double, for tests in C++.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

#include "runtime/base/status.h"
#include "runtime/cuda/device.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/testing/driver_double.h"

namespace fuseau::runtime::cuda::testing {

// The library at `path`, with the settings that it has when it is loaded. The
// settings are those of the process: one object at a time.
class Double {
 public:
  explicit Double(const std::string& path) {
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    FUSEAU_CHECK(library_ != nullptr);
    Reset();
    auto loaded = Driver::Load(path);
    FUSEAU_CHECK(loaded.ok());
    driver_ = *std::move(loaded);
  }
  ~Double() { Reset(); }

  void Set(const char* name, const std::string& value) {
    reinterpret_cast<SetFn>(dlsym(library_, kSet))(name, value.c_str());
  }
  std::string Live() const {
    return reinterpret_cast<LiveFn>(dlsym(library_, kLive))();
  }
  long Calls(const char* function) const {
    return reinterpret_cast<CallsFn>(dlsym(library_, kCalls))(function);
  }
  const Driver& driver() const { return *driver_; }

  // A device with little memory in its pieces, so that small tests meet their
  // edges.
  absl::StatusOr<std::unique_ptr<Device>> Open(int ordinal = 0) const {
    Device::Options options;
    options.pool.slab_bytes = int64_t{1} << 20;
    options.piece_bytes = 4096;
    options.pieces = 2;
    return Device::Open(driver_.get(), ordinal, options);
  }

 private:
  void Reset() {
    Set("DEVICES", "1");
    Set("VERSION", "13000");
    Set("MEMORY", "67108864");
    Set("DELAY_US", "0");
    Set("FAIL", "");
    Set("IGNORE", "");
  }

  void* library_ = nullptr;
  std::unique_ptr<const Driver> driver_;
};

}  // namespace fuseau::runtime::cuda::testing

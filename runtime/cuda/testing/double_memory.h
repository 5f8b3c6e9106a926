// The memory of the driver double's devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace fuseau::runtime::cuda::testing {

// Blocks whose every byte is 0xff when they are made (NaN, if they are read as
// numbers) and that cannot be touched any more once they are freed: a use after
// that ends the process.
class DoubleMemory {
 public:
  // Null if the device has no room.
  void* Allocate(int device, size_t bytes, size_t limit);
  // Ends the process if there is no such block.
  void Free(void* address);
  // The device that has all these bytes in one block. Ends the process if none
  // has: `what` says who wanted them.
  int Find(const void* address, size_t bytes, const char* what);
  size_t live();
  size_t used(int device);

 private:
  struct Block {
    int device;
    size_t bytes;
  };
  std::mutex mutex_;
  std::map<uintptr_t, Block> blocks_;
};

[[noreturn]] void Complain(const char* format, ...)
    __attribute__((format(printf, 1, 2)));

}  // namespace fuseau::runtime::cuda::testing

#include "runtime/cuda/testing/double_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fuseau::runtime::cuda::testing {
namespace {

size_t Mapped(size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

void Complain(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::fputs("driver double: ", stderr);
  std::vfprintf(stderr, format, args);
  std::fputs("\n", stderr);
  va_end(args);
  std::abort();
}

void* DoubleMemory::Allocate(int device, size_t bytes, size_t limit) {
  if (bytes == 0 || bytes > limit || used(device) + bytes > limit)
    return nullptr;
  void* address = mmap(nullptr, Mapped(bytes), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return nullptr;
  std::memset(address, 0xff, bytes);
  const std::lock_guard lock(mutex_);
  blocks_[reinterpret_cast<uintptr_t>(address)] = {device, bytes};
  return address;
}

void DoubleMemory::Free(void* address) {
  const std::lock_guard lock(mutex_);
  const auto it = blocks_.find(reinterpret_cast<uintptr_t>(address));
  if (it == blocks_.end()) Complain("%p is freed, but no block", address);
  // The addresses stay taken, and every access to them is a fault.
  mmap(address, Mapped(it->second.bytes), PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  blocks_.erase(it);
}

int DoubleMemory::Find(const void* address, size_t bytes, const char* what) {
  const std::lock_guard lock(mutex_);
  const auto first = reinterpret_cast<uintptr_t>(address);
  auto it = blocks_.upper_bound(first);
  if (it == blocks_.begin() ||
      first + bytes > (--it)->first + it->second.bytes) {
    Complain("%s touches %zu bytes at %p, which are not in a block", what,
             bytes, address);
  }
  return it->second.device;
}

size_t DoubleMemory::live() {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

size_t DoubleMemory::used(int device) {
  const std::lock_guard lock(mutex_);
  size_t sum = 0;
  for (const auto& [address, block] : blocks_)
    if (block.device == device) sum += block.bytes;
  return sum;
}

}  // namespace fuseau::runtime::cuda::testing

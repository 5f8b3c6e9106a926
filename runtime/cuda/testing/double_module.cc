#include "runtime/cuda/testing/double_module.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "runtime/cuda/host_image.h"
#include "runtime/cuda/testing/double_memory.h"

namespace fuseau::runtime::cuda::testing {
namespace {

// The driver is given no size: a shared object ends with its table of sections.
size_t SizeOf(const char* image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof(header));
  return header.e_shoff + size_t{header.e_shentsize} * header.e_shnum;
}

// The loader takes equal paths for the same library, so the file stays open as
// long as the library.
void* Open(const char* image, int file) {
  const size_t size = SizeOf(image);
  size_t done = 0;
  while (done < size) {
    const ssize_t n = write(file, image + done, size - done);
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  void* library =
      done == size ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  return library;
}

}  // namespace

void DoubleFunction::Run(const LaunchGrid& grid,
                         std::vector<int64_t>* block) const {
  if (host != nullptr) {
    host(0, rank == 0 ? 1 : block->front(), block->data());
    return;
  }
  const uint32_t blocks[3] = {grid.grid.x, grid.grid.y, grid.grid.z};
  const uint32_t threads[3] = {grid.block.x, grid.block.y, grid.block.z};
  emulated(blocks, threads, /*order=*/0, block->data());
}

DoubleModule::~DoubleModule() {
  if (library_ != nullptr) dlclose(library_);
  if (file_ >= 0) close(file_);
}

std::unique_ptr<DoubleModule> DoubleModule::Load(const char* image) {
  auto module = std::make_unique<DoubleModule>();
  if (std::memcmp(image, ELFMAG, SELFMAG) == 0) {
    module->file_ = memfd_create("emulated kernels", MFD_CLOEXEC);
    if (module->file_ < 0) return nullptr;
    module->library_ = Open(image, module->file_);
    return module->library_ != nullptr ? std::move(module) : nullptr;
  }
  if (std::memcmp(image, HostImage::kMagic, sizeof(HostImage::kMagic)) != 0)
    return nullptr;
  HostImage host;
  std::memcpy(&host, image, sizeof(host));
  module->function_.host = host.fn;
  module->function_.rank = host.rank;
  return module;
}

bool DoubleModule::Find(const char* name, DoubleFunction* function) const {
  *function = function_;
  if (library_ == nullptr) return true;
  function->emulated = reinterpret_cast<EmulatedLaunchFn>(
      dlsym(library_, (std::string(name) + kEmulatedLaunchSuffix).c_str()));
  return function->emulated != nullptr;
}

}  // namespace fuseau::runtime::cuda::testing

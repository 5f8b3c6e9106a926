// Where the memory of arrays comes from.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/buffer.h"

namespace fuseau::runtime {

// Hands out buffers and keeps freed ones for the next request: fresh pages cost
// several times the work of most kernels. Small blocks are kept in lists of
// equal size; large ones are whole huge pages, found again by best fit. What is
// kept is bounded. All functions may be called from any thread.
class Arena {
 public:
  // The arena of the process. Keeps up to FUSEAU_POOL_BYTES of free blocks, by
  // default a quarter of the memory that this process may use.
  static Arena& Global();

  explicit Arena(int64_t max_cached_bytes);
  // All its buffers must be gone.
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Memory with any content, aligned to 64 bytes. A request that the machine
  // cannot hold fails with ResourceExhausted ("Unable to allocate 7.45 GiB")
  // before the kernel would have to kill somebody.
  absl::StatusOr<BufferRef> Allocate(int64_t bytes);
  // Costs nothing for fresh pages, which are zero already.
  absl::StatusOr<BufferRef> AllocateZeroed(int64_t bytes);

  // Whether requests of so many bytes together can be met.
  bool HasRoom(int64_t bytes) const;

  // Gives all free blocks back to the system.
  void Trim();

  struct Usage {
    int64_t live_bytes = 0;    // blocks in use
    int64_t peak_bytes = 0;    // the highest live_bytes so far
    int64_t cached_bytes = 0;  // free blocks
  };
  Usage usage() const;

 private:
  friend class Buffer;

  static constexpr int kSizeClasses = 29;

  struct FreeBlock {
    Buffer* buffer;
    uint64_t age;  // the smaller, the longer free
  };
  using FreeBlocks = std::multimap<int64_t, FreeBlock>;  // by block size

  void Free(Buffer* buffer);
  absl::StatusOr<BufferRef> Take(int64_t bytes, bool* zeroed);
  Buffer* TakeFree(int64_t bytes, int size_class, int64_t block_bytes);
  int64_t FreshRoom() const;
  absl::Status Admit(int64_t bytes, int64_t block_bytes);
  Buffer* Make(int64_t bytes, int size_class, int64_t block_bytes);
  void Drop(Buffer* buffer);
  std::vector<Buffer*> ShrinkTo(int64_t max_cached);
  static void RegisterForkHandlers();

  const int64_t max_cached_;
  const int64_t memory_limit_;
  mutable std::mutex mutex_;
  // All below under mutex_.
  std::array<Buffer*, kSizeClasses> small_ = {};
  FreeBlocks large_;
  uint64_t next_age_ = 0;
  Usage usage_;
  // How many bytes may be made before the system is asked again.
  int64_t admitted_ = 0;
};

namespace arena_internal {
// The list for requests of so many bytes (below kLargeBytes), and the bytes
// that its blocks hold.
int SizeClass(int64_t bytes);
int64_t ClassBytes(int size_class);
// NumPy's way to write a size, e.g. "7.45 GiB".
std::string SizeText(int64_t bytes);
inline constexpr int64_t kLargeBytes = int64_t{1} << 20;
}  // namespace arena_internal

}  // namespace fuseau::runtime

#include "runtime/arena.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/profile.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/cpu/bytes.h"
#include "runtime/cpu/machine.h"
#include "runtime/stats.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUSEAU_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FUSEAU_ASAN 1
#endif
#ifdef FUSEAU_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace fuseau::runtime {

using arena_internal::ClassBytes;
using arena_internal::kLargeBytes;
using arena_internal::SizeClass;
using arena_internal::SizeText;

namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kAlignment = 64;
// The Buffer of a small block stands right before its data.
constexpr int64_t kHeader = 64;
static_assert(sizeof(Buffer) <= kHeader);
// What is left to all others under the process's own limit: those that cannot
// do without memory, like the stack, end the process.
constexpr int64_t kOthersRoom = int64_t{16} << 20;
// The system is asked for its free memory at most once for so many fresh bytes.
constexpr int64_t kAdmitStep = int64_t{64} << 20;

// Free blocks are forbidden ground when the address sanitizer watches.
void Forbid([[maybe_unused]] Buffer* b, [[maybe_unused]] int64_t bytes) {
#ifdef FUSEAU_ASAN
  ASAN_POISON_MEMORY_REGION(b->data(), bytes);
#endif
}
void Permit([[maybe_unused]] Buffer* b, [[maybe_unused]] int64_t bytes) {
#ifdef FUSEAU_ASAN
  ASAN_UNPOISON_MEMORY_REGION(b->data(), bytes);
#endif
}

absl::Status OutOfMemory(int64_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("Unable to allocate ", SizeText(bytes)));
}

int64_t RoundUp(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

// A profile shows how much memory is in use, without what is small.
void NoteUse(int64_t changed, int64_t live) {
  constexpr int64_t kNotedBytes = int64_t{64} << 10;
  if (!profile::On() || changed < kNotedBytes) return;
  profile::Event event;
  event.kind = profile::Kind::kMemory;
  event.begin = event.end = profile::Now();
  event.bytes = live;
  profile::Note(event);
}

// Zeroed pages whose start is aligned to a huge page; null when there are none.
char* MapPages(int64_t bytes) {
  const int64_t mapped = bytes + kHugePage;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* const start = static_cast<char*>(raw);
  char* const aligned = reinterpret_cast<char*>(
      RoundUp(reinterpret_cast<intptr_t>(start), kHugePage));
  if (aligned > start) munmap(start, aligned - start);
  char* const end = start + mapped;
  if (end > aligned + bytes) munmap(aligned + bytes, end - (aligned + bytes));
  // Only speed depends on it.
  madvise(aligned, bytes, MADV_HUGEPAGE);
  return aligned;
}

}  // namespace

namespace arena_internal {

// Class 2k holds 64 * 2^k bytes, class 2k - 1 three quarters of that (k > 1).
int SizeClass(int64_t bytes) {
  const uint64_t units = bytes <= 64 ? 1 : (bytes + 63) / 64;
  int k = 0;
  while ((uint64_t{1} << k) < units) ++k;
  return k >= 2 && units <= (uint64_t{3} << (k - 2)) ? 2 * k - 1 : 2 * k;
}

int64_t ClassBytes(int size_class) {
  return size_class % 2 == 0 ? int64_t{64} << (size_class / 2)
                             : int64_t{48} << ((size_class + 1) / 2);
}

std::string SizeText(int64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB",
                                           "TiB",   "PiB", "EiB"};
  int unit = 0;
  double n = static_cast<double>(bytes);
  // Half below the next unit rounds up to it.
  while (unit < 6 && (unit == 0 ? n >= 1024 : n >= 1023.5)) {
    n /= 1024;
    ++unit;
  }
  char text[64];
  const char* format = unit == 0   ? "%.0f %s"
                       : n < 999.5 ? "%#.3g %s"
                                   : "%#.0f %s";
  std::snprintf(text, sizeof(text), format, n, kUnits[unit]);
  return text;
}

}  // namespace arena_internal

Arena& Arena::Global() {
  // Never destroyed: arrays may outlive all static objects.
  static Arena* const arena = [] {
    RegisterForkHandlers();
    return new Arena(SettingInt("FUSEAU_POOL_BYTES", PhysicalMemory() / 4));
  }();
  return *arena;
}

// A child made while another thread holds the lock could never take it.
void Arena::RegisterForkHandlers() {
  pthread_atfork([] { Global().mutex_.lock(); },
                 [] { Global().mutex_.unlock(); },
                 [] { Global().mutex_.unlock(); });
}

Arena::Arena(int64_t max_cached_bytes)
    : max_cached_(std::max<int64_t>(0, max_cached_bytes)),
      memory_limit_(PhysicalMemory()) {}

Arena::~Arena() {
  Trim();
  FUSEAU_CHECK(usage_.live_bytes == 0);
}

absl::StatusOr<BufferRef> Arena::Allocate(int64_t bytes) {
  bool zeroed = false;
  return Take(bytes, &zeroed);
}

absl::StatusOr<BufferRef> Arena::AllocateZeroed(int64_t bytes) {
  bool zeroed = false;
  absl::StatusOr<BufferRef> buffer = Take(bytes, &zeroed);
  if (buffer.ok() && !zeroed) FillBytes((*buffer)->data(), 0, bytes);
  return buffer;
}

absl::StatusOr<BufferRef> Arena::Take(int64_t bytes, bool* zeroed) {
  if (bytes < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot allocate ", bytes, " bytes"));
  }
  int size_class = -1;
  int64_t block_bytes = 0;
  if (bytes < kLargeBytes) {
    size_class = SizeClass(bytes);
    block_bytes = kHeader + ClassBytes(size_class);
  } else {
    if (bytes > std::numeric_limits<int64_t>::max() - 2 * kHugePage) {
      return OutOfMemory(bytes);
    }
    block_bytes = RoundUp(bytes, kHugePage);
  }
  *zeroed = false;
  if (Buffer* buffer = TakeFree(bytes, size_class, block_bytes)) {
    Increment(Counter::kBuffersRecycled);
    return BufferRef::Adopt(buffer);
  }
  FUSEAU_RETURN_IF_ERROR(Admit(bytes, block_bytes));
  Buffer* buffer = Make(bytes, size_class, block_bytes);
  if (buffer == nullptr) {
    Trim();
    buffer = Make(bytes, size_class, block_bytes);
  }
  if (buffer == nullptr) return OutOfMemory(bytes);
  *zeroed = size_class < 0;
  Increment(Counter::kBuffersMade);
  std::lock_guard<std::mutex> lock(mutex_);
  usage_.live_bytes += buffer->block_bytes_;
  NoteUse(buffer->block_bytes_, usage_.live_bytes);
  usage_.peak_bytes = std::max(usage_.peak_bytes, usage_.live_bytes);
  return BufferRef::Adopt(buffer);
}

Buffer* Arena::TakeFree(int64_t bytes, int size_class, int64_t block_bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  Buffer* buffer = nullptr;
  if (size_class >= 0) {
    buffer = small_[size_class];
    if (buffer == nullptr) return nullptr;
    small_[size_class] = buffer->next_;
  } else {
    auto best = large_.lower_bound(block_bytes);
    // A block that is much too large would waste memory.
    if (best == large_.end() ||
        best->first > block_bytes + block_bytes / 4 + kHugePage) {
      return nullptr;
    }
    // Of equal blocks the one freed last has the warmest cache lines.
    auto last = std::prev(large_.upper_bound(best->first));
    buffer = last->second.buffer;
    large_.erase(last);
  }
  usage_.cached_bytes -= buffer->block_bytes_;
  usage_.live_bytes += buffer->block_bytes_;
  NoteUse(buffer->block_bytes_, usage_.live_bytes);
  usage_.peak_bytes = std::max(usage_.peak_bytes, usage_.live_bytes);
  buffer->bytes_ = bytes;
  buffer->refs_.store(1, std::memory_order_relaxed);
  Permit(buffer, bytes);
  return buffer;
}

// What fresh blocks may take now, with something left to others.
int64_t Arena::FreshRoom() const {
  const int64_t reserve = std::min(memory_limit_ / 64, int64_t{256} << 20);
  return std::min(AvailableMemory() - reserve, AddressRoom() - kOthersRoom);
}

bool Arena::HasRoom(int64_t bytes) const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes <= usage_.cached_bytes + admitted_) return true;
  }
  const int64_t fresh = FreshRoom();
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes <= fresh + usage_.cached_bytes &&
         usage_.live_bytes <= memory_limit_ - bytes;
}

// Whether the machine has room for a fresh block. Free memory is not ours
// alone, so this is a guess, but one that turns a typing error in a shape into
// an exception.
absl::Status Arena::Admit(int64_t bytes, int64_t block_bytes) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (usage_.live_bytes + block_bytes <= memory_limit_ &&
        admitted_ >= block_bytes) {
      admitted_ -= block_bytes;
      return absl::OkStatus();
    }
  }
  for (const bool last_try : {false, true}) {
    const int64_t available = FreshRoom();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (block_bytes <= available &&
          usage_.live_bytes <= memory_limit_ - block_bytes) {
        admitted_ = std::min(available - block_bytes, kAdmitStep);
        return absl::OkStatus();
      }
    }
    if (!last_try) Trim();
  }
  return OutOfMemory(bytes);
}

Buffer* Arena::Make(int64_t bytes, int size_class, int64_t block_bytes) {
  Buffer* buffer = nullptr;
  if (size_class >= 0) {
    void* block = std::aligned_alloc(kAlignment, block_bytes);
    if (block == nullptr) return nullptr;
    buffer = new (block)
        Buffer(static_cast<char*>(block) + kHeader, bytes, this, nullptr);
  } else {
    char* pages = MapPages(block_bytes);
    if (pages == nullptr) return nullptr;
    buffer = new Buffer(pages, bytes, this, nullptr);
  }
  buffer->size_class_ = size_class;
  buffer->block_bytes_ = block_bytes;
  return buffer;
}

void Arena::Free(Buffer* buffer) {
  std::vector<Buffer*> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    usage_.live_bytes -= buffer->block_bytes_;
    NoteUse(buffer->block_bytes_, usage_.live_bytes);
    usage_.cached_bytes += buffer->block_bytes_;
    if (buffer->size_class_ >= 0) {
      Forbid(buffer, buffer->block_bytes_ - kHeader);
      buffer->next_ = small_[buffer->size_class_];
      small_[buffer->size_class_] = buffer;
    } else {
      Forbid(buffer, buffer->block_bytes_);
      large_.emplace(buffer->block_bytes_, FreeBlock{buffer, next_age_++});
    }
    if (usage_.cached_bytes > max_cached_) dropped = ShrinkTo(max_cached_);
  }
  // Unmapping takes long: not under the lock.
  for (Buffer* b : dropped) Drop(b);
}

// Takes blocks off the lists until at most `max_cached` bytes remain: the large
// blocks that were free longest, then small ones from the largest class down.
std::vector<Buffer*> Arena::ShrinkTo(int64_t max_cached) {
  std::vector<Buffer*> dropped;
  while (usage_.cached_bytes > max_cached && !large_.empty()) {
    auto oldest = std::min_element(large_.begin(), large_.end(),
                                   [](const auto& a, const auto& b) {
                                     return a.second.age < b.second.age;
                                   });
    dropped.push_back(oldest->second.buffer);
    usage_.cached_bytes -= oldest->first;
    large_.erase(oldest);
  }
  for (int c = kSizeClasses - 1; c >= 0; --c) {
    while (usage_.cached_bytes > max_cached && small_[c] != nullptr) {
      Buffer* buffer = small_[c];
      small_[c] = buffer->next_;
      usage_.cached_bytes -= buffer->block_bytes_;
      dropped.push_back(buffer);
    }
  }
  return dropped;
}

void Arena::Drop(Buffer* buffer) {
  const int64_t block_bytes = buffer->block_bytes_;
  if (buffer->size_class_ >= 0) {
    Permit(buffer, block_bytes - kHeader);
    buffer->~Buffer();
    std::free(buffer);
  } else {
    Permit(buffer, block_bytes);
    munmap(buffer->data_, block_bytes);
    delete buffer;
  }
}

void Arena::Trim() {
  std::vector<Buffer*> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped = ShrinkTo(0);
    admitted_ = 0;
  }
  for (Buffer* b : dropped) Drop(b);
}

Arena::Usage Arena::usage() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return usage_;
}

}  // namespace fuseau::runtime

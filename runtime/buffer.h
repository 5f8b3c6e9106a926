// Memory that plans work on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/status/status.h"

namespace fuseau::runtime {

class Arena;
class BufferRef;
class DeviceCopy;

// Where the bytes of a buffer are.
enum class Place : uint8_t {
  kHost,    // in memory
  kBoth,    // in memory, and a device has the same
  kDevice,  // a device has them; what is in memory, if anything, is out of date
};

// A run of bytes with a count of its owners. Made by an Arena, or around memory
// of somebody else, or in the memory of a device (device_copy.h). Any thread
// may hold, copy and drop references; who writes the bytes when is the caller's
// affair.
class Buffer {
 public:
  // `release` is called, on whatever thread drops the last reference.
  static BufferRef Wrap(void* data, int64_t bytes,
                        std::function<void()> release);

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // The bytes in memory, to read and to write: no device has them any more.
  // What a device has is brought here; who can tell errors calls ToHost before,
  // since this ends the process if that is impossible.
  char* data() const {
    if (__builtin_expect(place() != Place::kHost, false)) LeaveDevice();
    return data_;
  }
  // The same to read only: a device keeps what it has.
  const char* read() const {
    if (__builtin_expect(place() == Place::kDevice, false)) ReachHost();
    return data_;
  }
  int64_t bytes() const { return bytes_; }

  Place place() const { return place_.load(std::memory_order_acquire); }
  // Sees to it that read() gives the bytes. ResourceExhausted if there is no
  // memory, Internal if the device fails.
  absl::Status ToHost() const {
    return __builtin_expect(place() == Place::kDevice, false)
               ? Fetch()
               : absl::OkStatus();
  }
  // Copies bytes [offset, offset + n) to `to`, from wherever they are.
  absl::Status Read(int64_t offset, int64_t n, char* to) const;

  // While somebody holds it, foreign code has the address of the bytes in
  // memory and may read and write there: between two runs of plans they are all
  // there is, and no device has any. Not counted.
  void set_held(bool held) {
    if (held) data();
    held_ = held;
  }
  bool held() const { return held_; }

  // Whether the caller's reference is the only one. Such a buffer may be given
  // away for writing.
  bool Unique() const { return refs_.load(std::memory_order_acquire) == 1; }

 protected:
  // Frees what is behind the last reference. A null function means that `arena`
  // takes the buffer back.
  using Destroy = void (*)(Buffer*);

  Buffer(char* data, int64_t bytes, Arena* arena, Destroy destroy)
      : data_(data), bytes_(bytes), arena_(arena), destroy_(destroy) {}
  ~Buffer() = default;

 private:
  friend class Arena;
  friend class BufferRef;
  friend class DeviceCopy;

  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // A sole owner need not tell other threads anything.
    if (refs_.load(std::memory_order_acquire) == 1 ||
        refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Dispose();
    }
  }
  void Dispose();
  void LeaveDevice() const;
  void ReachHost() const;
  absl::Status Fetch() const;

  char* data_;  // null: only a device has memory for it yet
  int64_t bytes_;
  Arena* arena_;
  Destroy destroy_;
  std::atomic<int64_t> refs_{1};
  // For the arena: the size of its block, the list of free blocks that a small
  // one belongs to (-1 for a large one) and the next one in that list.
  int64_t block_bytes_ = 0;
  int32_t size_class_ = -1;
  mutable std::atomic<Place> place_{Place::kHost};
  bool held_ = false;
  union {
    Buffer* next_ = nullptr;
    mutable DeviceCopy* copy_;  // unless place_ is kHost
  };
};

// A counted reference to a Buffer, or none.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(std::nullptr_t) {}  // NOLINT: as smart pointers do
  BufferRef(const BufferRef& other) : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->Ref();
  }
  BufferRef(BufferRef&& other) noexcept
      : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() { reset(); }

  void reset() {
    if (Buffer* buffer = std::exchange(buffer_, nullptr)) buffer->Unref();
  }
  Buffer* get() const { return buffer_; }
  Buffer* operator->() const { return buffer_; }
  Buffer& operator*() const { return *buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }
  friend bool operator==(const BufferRef& a, const BufferRef& b) {
    return a.buffer_ == b.buffer_;
  }

  // For C code that keeps a plain pointer: Release gives up the reference
  // without dropping it, Adopt takes it back.
  Buffer* Release() { return std::exchange(buffer_, nullptr); }
  static BufferRef Adopt(Buffer* buffer) {
    BufferRef ref;
    ref.buffer_ = buffer;
    return ref;
  }

 private:
  Buffer* buffer_ = nullptr;
};

}  // namespace fuseau::runtime

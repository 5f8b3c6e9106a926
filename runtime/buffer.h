// Memory that plans work on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace fuseau::runtime {

class Arena;
class BufferRef;

// A run of bytes with a count of its owners. Made by an Arena, or around memory
// of somebody else. Any thread may hold, copy and drop references; who writes
// the bytes when is the caller's affair.
class Buffer {
 public:
  // `release` is called, on whatever thread drops the last reference.
  static BufferRef Wrap(void* data, int64_t bytes,
                        std::function<void()> release);

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

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

  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // A sole owner need not tell other threads anything.
    if (refs_.load(std::memory_order_acquire) == 1 ||
        refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Dispose();
    }
  }
  void Dispose();

  char* data_;
  int64_t bytes_;
  Arena* arena_;
  Destroy destroy_;
  std::atomic<int64_t> refs_{1};
  // For the arena: the size of its block, the list of free blocks that a small
  // one belongs to (-1 for a large one) and the next one in that list.
  int64_t block_bytes_ = 0;
  int32_t size_class_ = -1;
  Buffer* next_ = nullptr;
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

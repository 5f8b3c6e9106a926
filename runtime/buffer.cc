#include "runtime/buffer.h"

#include <cstdio>
#include <cstring>

#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/device_copy.h"

namespace fuseau::runtime {
namespace {

class WrappedBuffer : public Buffer {
 public:
  WrappedBuffer(void* data, int64_t bytes, std::function<void()> release)
      : Buffer(static_cast<char*>(data), bytes, /*arena=*/nullptr,
               [](Buffer* b) { delete static_cast<WrappedBuffer*>(b); }),
        release_(std::move(release)) {}
  ~WrappedBuffer() {
    if (release_) release_();
  }

 private:
  std::function<void()> release_;
};

// Born on a device; gets memory here when somebody wants to see the bytes.
class LateBuffer : public Buffer {
 public:
  explicit LateBuffer(int64_t bytes)
      : Buffer(nullptr, bytes, /*arena=*/nullptr,
               [](Buffer* b) { delete static_cast<LateBuffer*>(b); }) {}

  absl::StatusOr<char*> Memory() {
    if (!memory_) {
      FUSEAU_ASSIGN_OR_RETURN(memory_, Arena::Global().Allocate(bytes()));
    }
    return memory_->data();
  }

 private:
  BufferRef memory_;
};

}  // namespace

BufferRef Buffer::Wrap(void* data, int64_t bytes,
                       std::function<void()> release) {
  return BufferRef::Adopt(new WrappedBuffer(data, bytes, std::move(release)));
}

void Buffer::Dispose() {
  if (__builtin_expect(place() != Place::kHost, false)) {
    const std::lock_guard lock(DeviceCopy::Mutex());
    DeviceCopy::Detach(*this);
  }
  held_ = false;
  if (destroy_ != nullptr) {
    destroy_(this);
  } else {
    arena_->Free(this);
  }
}

absl::Status Buffer::Fetch() const {
  const std::lock_guard lock(DeviceCopy::Mutex());
  return DeviceCopy::Fetch(*this);
}

void Buffer::ReachHost() const {
  const absl::Status status = Fetch();
  if (status.ok()) return;
  std::fprintf(stderr, "fuseau: %s\n", std::string(status.message()).c_str());
  FUSEAU_CHECK(status.ok());
}

void Buffer::LeaveDevice() const {
  ReachHost();
  const std::lock_guard lock(DeviceCopy::Mutex());
  DeviceCopy::Detach(*this);
}

absl::Status Buffer::Read(int64_t offset, int64_t n, char* to) const {
  if (place() == Place::kDevice) {
    const std::lock_guard lock(DeviceCopy::Mutex());
    if (place() == Place::kDevice) return copy_->Download(offset, n, to);
  }
  std::memcpy(to, data_ + offset, static_cast<size_t>(n));
  return absl::OkStatus();
}

std::mutex& DeviceCopy::Mutex() {
  // Never destroyed: arrays may outlive all static objects.
  static auto* const mutex = new std::mutex;
  return *mutex;
}

BufferRef DeviceCopy::NewBuffer(int64_t bytes, DeviceCopy* copy) {
  auto* buffer = new LateBuffer(bytes);
  Attach(buffer, copy);
  SetChanged(buffer);
  return BufferRef::Adopt(buffer);
}

absl::Status DeviceCopy::Fetch(const Buffer& buffer) {
  if (buffer.place() != Place::kDevice) return absl::OkStatus();
  if (buffer.data_ == nullptr) {
    auto& late = static_cast<LateBuffer&>(const_cast<Buffer&>(buffer));
    FUSEAU_ASSIGN_OR_RETURN(late.data_, late.Memory());
  }
  FUSEAU_RETURN_IF_ERROR(
      buffer.copy_->Download(0, buffer.bytes(), buffer.data_));
  buffer.place_.store(Place::kBoth, std::memory_order_release);
  return absl::OkStatus();
}

void DeviceCopy::Detach(const Buffer& buffer) {
  DeviceCopy* const copy = Of(buffer);
  if (copy == nullptr) return;
  buffer.copy_ = nullptr;
  buffer.place_.store(Place::kHost, std::memory_order_release);
  copy->Drop();
}

}  // namespace fuseau::runtime

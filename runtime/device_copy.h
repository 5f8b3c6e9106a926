// What a buffer has in the memory of a device.
#pragma once

#include <cstdint>
#include <mutex>

#include "absl/status/status.h"
#include "runtime/buffer.h"

namespace fuseau::runtime {

// The copy of one buffer. Implemented by the device (cuda/device.h); all
// functions are called under Mutex().
class DeviceCopy {
 public:
  // Guards the places of all buffers, and all devices. Held for single
  // transfers, never while references to buffers are dropped.
  static std::mutex& Mutex();

  // A buffer whose bytes are in `copy`, with no memory here as yet.
  static BufferRef NewBuffer(int64_t bytes, DeviceCopy* copy);

  // Copies bytes [offset, offset + n) to `to` and waits for that.
  virtual absl::Status Download(int64_t offset, int64_t n, char* to) = 0;
  // Gives the memory on the device back, and ends the object.
  virtual void Drop() = 0;

 protected:
  friend class Buffer;
  ~DeviceCopy() = default;

  static DeviceCopy* Of(const Buffer& buffer) {
    return buffer.place() == Place::kHost ? nullptr : buffer.copy_;
  }
  // The buffer has its bytes in memory, and `copy` has them too.
  static void Attach(Buffer* buffer, DeviceCopy* copy) {
    buffer->copy_ = copy;
    buffer->place_.store(Place::kBoth, std::memory_order_release);
  }
  // The device has changed the bytes.
  static void SetChanged(Buffer* buffer) {
    buffer->place_.store(Place::kDevice, std::memory_order_release);
  }
  // Brings the bytes into memory.
  static absl::Status Fetch(const Buffer& buffer);
  // Drops the copy: what is in memory counts from now on, whatever it is.
  static void Detach(const Buffer& buffer);
};

}  // namespace fuseau::runtime

// A stream of a device, with a number for each thing it was asked to do.
#pragma once

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "runtime/cuda/driver.h"

namespace fuseau::runtime::cuda {

// The streams of a device: kernels, and transfers each way.
enum StreamKind : int { kCompute, kUpload, kDownload, kStreams };

// How far each stream must have come for something to be done with. Position 0
// is the beginning: nothing to wait for.
using Positions = std::array<uint64_t, kStreams>;

// In-order work. Its operations have positions 1, 2, ...; they are handed out
// when the operation is decided on (Reserve), which may be before the driver is
// told of it (Submitted), so that memory can be given back meanwhile.
class Stream {
 public:
  Stream(const Driver* driver, StreamKind kind)
      : driver_(*driver), kind_(kind) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The context is current for both.
  absl::Status Open();
  void Close();

  // The position of the next operation.
  uint64_t Reserve() { return ++reserved_; }
  uint64_t reserved() const { return reserved_; }
  // All that was reserved has been given to the driver, or never will be.
  void Submitted() { submitted_ = reserved_; }

  // What is asked of this stream from now on comes after `position` of the
  // other. One event serves: a wait refers to the event's latest record.
  absl::Status WaitFor(Stream& other, uint64_t position);
  // Waits here until all that was submitted is done.
  absl::Status Synchronize();

  CUstream handle() const { return stream_; }

 private:
  const Driver& driver_;
  const StreamKind kind_;
  CUstream stream_ = nullptr;
  CUevent event_ = nullptr;
  uint64_t reserved_ = 0;
  uint64_t submitted_ = 0;
  uint64_t recorded_ = 0;  // the position that the event stands for
  uint64_t done_ = 0;      // the host has seen that this is done
  Positions waited_ = {};  // for each other stream
};

}  // namespace fuseau::runtime::cuda

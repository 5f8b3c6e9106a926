#include "runtime/cuda/stream.h"

#include "runtime/base/status.h"

namespace fuseau::runtime::cuda {

absl::Status Stream::Open() {
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuStreamCreate, &stream_, CU_STREAM_NON_BLOCKING));
  return FUSEAU_CUDA(driver_, cuEventCreate, &event_, CU_EVENT_DISABLE_TIMING);
}

void Stream::Close() {
  if (event_ != nullptr) driver_.cuEventDestroy(event_);
  if (stream_ != nullptr) driver_.cuStreamDestroy(stream_);
  event_ = nullptr;
  stream_ = nullptr;
}

absl::Status Stream::WaitFor(Stream& other, uint64_t position) {
  if (&other == this || position <= waited_[other.kind_] ||
      position <= other.done_)
    return absl::OkStatus();
  FUSEAU_CHECK(position <= other.submitted_);
  if (other.recorded_ < position) {
    FUSEAU_RETURN_IF_ERROR(
        FUSEAU_CUDA(driver_, cuEventRecord, other.event_, other.stream_));
    other.recorded_ = other.submitted_;
  }
  FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuStreamWaitEvent, stream_,
                                     other.event_, /*flags=*/0));
  waited_[other.kind_] = other.recorded_;
  return absl::OkStatus();
}

absl::Status Stream::Synchronize() {
  if (done_ == submitted_) return absl::OkStatus();
  const uint64_t until = submitted_;
  FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuStreamSynchronize, stream_));
  done_ = until;
  return absl::OkStatus();
}

}  // namespace fuseau::runtime::cuda

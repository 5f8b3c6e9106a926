#include "runtime/cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/status.h"

namespace fuseau::runtime::cuda {

absl::Status Staging::WaitFor(Piece* piece) {
  if (!piece->in_use) return absl::OkStatus();
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuEventSynchronize, piece->copied));
  piece->in_use = false;
  return absl::OkStatus();
}

absl::StatusOr<Staging::Piece*> Staging::Next() {
  Piece* const piece = &pieces_[next_];
  if (piece->memory == nullptr) {
    void* memory = nullptr;
    FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuMemHostAlloc, &memory,
                                       static_cast<size_t>(piece_bytes_),
                                       CU_MEMHOSTALLOC_PORTABLE));
    piece->memory = static_cast<char*>(memory);
  }
  if (piece->copied == nullptr) {
    FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuEventCreate, &piece->copied,
                                       CU_EVENT_DISABLE_TIMING));
  }
  FUSEAU_RETURN_IF_ERROR(WaitFor(piece));
  next_ = (next_ + 1) % pieces_.size();
  return piece;
}

absl::Status Staging::Upload(CUdeviceptr to, const char* from, int64_t bytes,
                             Stream& stream) {
  for (int64_t at = 0; at < bytes; at += piece_bytes_) {
    const int64_t n = std::min(piece_bytes_, bytes - at);
    FUSEAU_ASSIGN_OR_RETURN(Piece * piece, Next());
    std::memcpy(piece->memory, from + at, static_cast<size_t>(n));
    // Until the event is recorded nobody knows when the piece is free again.
    FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(
        driver_, cuMemcpyHtoDAsync, to + static_cast<CUdeviceptr>(at),
        piece->memory, static_cast<size_t>(n), stream.handle()));
    stream.Reserve();
    stream.Submitted();
    const absl::Status recorded =
        FUSEAU_CUDA(driver_, cuEventRecord, piece->copied, stream.handle());
    if (!recorded.ok()) {
      (void)stream.Synchronize();
      return recorded;
    }
    piece->in_use = true;
  }
  return absl::OkStatus();
}

absl::Status Staging::Download(char* to, CUdeviceptr from, int64_t bytes,
                               Stream& stream) {
  struct Part {
    Piece* piece = nullptr;
    int64_t at = 0;
    int64_t bytes = 0;
  };
  std::vector<Part> under_way;
  absl::Status status;
  auto finish = [&](const Part& part) {
    const absl::Status done = WaitFor(part.piece);
    if (done.ok() && status.ok()) {
      std::memcpy(to + part.at, part.piece->memory,
                  static_cast<size_t>(part.bytes));
    } else if (status.ok()) {
      status = done;
    }
  };
  for (int64_t at = 0; at < bytes && status.ok(); at += piece_bytes_) {
    const int64_t n = std::min(piece_bytes_, bytes - at);
    if (under_way.size() == pieces_.size()) {
      finish(under_way.front());
      under_way.erase(under_way.begin());
    }
    auto piece = Next();
    status.Update(piece.status());
    if (!status.ok()) break;
    status.Update(FUSEAU_CUDA(driver_, cuMemcpyDtoHAsync, (*piece)->memory,
                              from + static_cast<CUdeviceptr>(at),
                              static_cast<size_t>(n), stream.handle()));
    if (!status.ok()) break;
    stream.Reserve();
    stream.Submitted();
    status.Update(
        FUSEAU_CUDA(driver_, cuEventRecord, (*piece)->copied, stream.handle()));
    if (!status.ok()) {
      (void)stream.Synchronize();
      break;
    }
    (*piece)->in_use = true;
    under_way.push_back({*piece, at, n});
  }
  for (const Part& part : under_way) finish(part);
  return status;
}

void Staging::Close() {
  for (Piece& piece : pieces_) {
    if (piece.memory != nullptr) driver_.cuMemFreeHost(piece.memory);
    if (piece.copied != nullptr) driver_.cuEventDestroy(piece.copied);
    piece = Piece();
  }
}

}  // namespace fuseau::runtime::cuda

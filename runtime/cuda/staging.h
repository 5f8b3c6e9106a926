// Transfers between pageable memory and a device.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/stream.h"

namespace fuseau::runtime::cuda {

// A ring of pinned pieces of memory: the driver copies to and from these while
// the processor fills or empties the next one. Made at the first transfer. The
// device's context is current for all calls. Not thread-safe.
class Staging {
 public:
  Staging(const Driver* driver, int64_t piece_bytes, int pieces)
      : driver_(*driver), piece_bytes_(piece_bytes), pieces_(pieces) {}
  // Close was called.
  ~Staging() = default;

  // Has read all bytes when it returns; they arrive in the order of the stream.
  absl::Status Upload(CUdeviceptr to, const char* from, int64_t bytes,
                      Stream& stream);
  // All bytes are there when it returns.
  absl::Status Download(char* to, CUdeviceptr from, int64_t bytes,
                        Stream& stream);
  // Nothing is under way any more.
  void Close();

 private:
  struct Piece {
    char* memory = nullptr;
    CUevent copied = nullptr;
    bool in_use = false;
  };

  absl::StatusOr<Piece*> Next();
  absl::Status WaitFor(Piece* piece);

  const Driver& driver_;
  const int64_t piece_bytes_;
  std::vector<Piece> pieces_;
  size_t next_ = 0;
};

}  // namespace fuseau::runtime::cuda

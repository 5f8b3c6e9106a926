// What ranks say to rank 0, and rank 0 to them, once a connection is accepted:
// frames with a kind and a size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "distrib/bootstrap/socket.h"

namespace fuseau::distrib {

struct Frame {
  enum Kind : uint8_t {
    kHello = 1,    // a rank tells what it is
    kRoster = 2,   // all of them
    kRefusal = 3,  // a status: the job does not begin
    kBeat = 4,     // nothing but life
    kFail = 5,     // run, status
    kLost = 6,     // rank, why
    kLeft = 7,     // rank
  };
  Kind kind = kBeat;
  std::string body;
};

// A hello and all that follows the roster are short. Longer ones end the
// connection.
inline constexpr size_t kShortFrame = size_t{256} << 10;
inline constexpr size_t kLongFrame = size_t{256} << 20;

std::string EncodeFrame(Frame::Kind kind, absl::string_view body);

// Bytes of a connection on their way to being frames.
class FrameBuffer {
 public:
  explicit FrameBuffer(size_t limit) : limit_(limit) {}
  void Append(absl::string_view bytes) {
    bytes_.append(bytes.data(), bytes.size());
  }
  // Nothing: its end has not come yet. An error: these are no frames.
  absl::StatusOr<std::optional<Frame>> Next();

 private:
  const size_t limit_;
  std::string bytes_;
};

absl::StatusOr<Frame> ReadFrame(const Socket& socket, size_t limit,
                                absl::Time time_limit);

}  // namespace fuseau::distrib

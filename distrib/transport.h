// How messages get from rank to rank.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace fuseau::distrib {

class Transport;

// A message under way. It stays where it is until it is done.
struct Message {
  bool done = true;
  absl::Status status;             // once done
  uint64_t tag = 0;                // of what was received
  int64_t bytes = 0;               // of what was received
  void* request = nullptr;         // the transport's own
  Transport* transport = nullptr;  // likewise
};

// Tagged messages with one thread at a time that sends, receives and waits.
// Messages from one rank to another are matched in the order in which they were
// sent. Who receives names the sender by the tag.
class Transport {
 public:
  virtual ~Transport() = default;

  // `data` stays as it is until the message is done.
  virtual void Send(int peer, uint64_t tag, const char* data, int64_t bytes,
                    Message* message) = 0;
  // Takes the first message whose tag has the bits of `tag` in `mask`. One that
  // is longer than `bytes` is an error.
  virtual void Receive(uint64_t tag, uint64_t mask, char* data, int64_t bytes,
                       Message* message) = 0;
  // Gives up a message that nothing has come for; others go on.
  virtual void Cancel(Message* message) = 0;

  // Moves messages on. Whether anything happened.
  virtual bool Progress() = 0;
  // Rests until there may be something to do, Wake was called or the time is
  // over.
  virtual void Sleep(absl::Duration limit) = 0;
  virtual void Wake() = 0;  // by any thread

  // Takes one message that nobody has asked for and drops it. False if there is
  // none.
  virtual bool Discard(uint64_t tag, uint64_t mask) = 0;

  // A rank that cannot be reached any more, as far as the transport noticed.
  virtual std::optional<int> Broken() const = 0;

  // After a loss: nobody touches the memory of messages that are under way any
  // more. Only Sleep and Wake may be called afterwards.
  virtual void Abandon() = 0;
  // Returns when all that was sent has arrived or the time is over.
  virtual void Flush(absl::Duration limit) = 0;
};

}  // namespace fuseau::distrib

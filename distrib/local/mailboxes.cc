#include "distrib/local/mailboxes.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/time/time.h"
#include "distrib/clock.h"

namespace fuseau::distrib {

void LocalTransport::Send(int peer, uint64_t tag, const char* data,
                          int64_t bytes, Message* message) {
  Mailbox& box = (*boxes_)[peer];
  Mailbox::Letter letter{tag, std::string(data, bytes), Now() + delay_};
  {
    std::lock_guard<std::mutex> lock(box.mutex);
    box.letters.push_back(std::move(letter));
    box.news.store(true, std::memory_order_release);
  }
  box.arrival.notify_one();
  message->done = true;
}

void LocalTransport::Deliver(const Mailbox::Letter& letter, const Posted& to) {
  const auto bytes = static_cast<int64_t>(letter.bytes.size());
  if (bytes > to.bytes) {
    to.message->status = absl::InternalError("a message is too long");
  } else if (bytes > 0) {
    std::memcpy(to.data, letter.bytes.data(), bytes);
  }
  to.message->tag = letter.tag;
  to.message->bytes = bytes;
  to.message->done = true;
}

void LocalTransport::Receive(uint64_t tag, uint64_t mask, char* data,
                             int64_t bytes, Message* message) {
  const Posted posted{tag, mask, data, bytes, message};
  message->done = false;
  Progress();
  const auto letter = std::find_if(
      unexpected_.begin(), unexpected_.end(),
      [&](const auto& l) { return (l.tag & mask) == (tag & mask); });
  if (letter == unexpected_.end()) {
    posted_.push_back(posted);
    return;
  }
  Deliver(*letter, posted);
  unexpected_.erase(letter);
}

void LocalTransport::Cancel(Message* message) {
  const auto posted =
      std::find_if(posted_.begin(), posted_.end(),
                   [&](const Posted& p) { return p.message == message; });
  if (posted == posted_.end()) return;
  posted_.erase(posted);
  message->status = absl::CancelledError("given up");
  message->done = true;
}

std::vector<Mailbox::Letter>::iterator LocalTransport::FirstToCome() {
  if (delay_ == absl::ZeroDuration()) return own_.letters.end();
  return std::find_if(own_.letters.begin(), own_.letters.end(),
                      [now = Now()](const Mailbox::Letter& letter) {
                        return letter.arrival > now;
                      });
}

bool LocalTransport::Progress() {
  if (!own_.news.load(std::memory_order_acquire)) return false;
  std::vector<Mailbox::Letter> letters;
  {
    std::lock_guard<std::mutex> lock(own_.mutex);
    const auto later = FirstToCome();
    letters.assign(std::move_iterator(own_.letters.begin()),
                   std::move_iterator(later));
    own_.letters.erase(own_.letters.begin(), later);
    own_.news.store(!own_.letters.empty(), std::memory_order_relaxed);
  }
  if (letters.empty()) return false;
  for (Mailbox::Letter& letter : letters) {
    const auto posted =
        std::find_if(posted_.begin(), posted_.end(), [&](const Posted& p) {
          return (letter.tag & p.mask) == (p.tag & p.mask);
        });
    if (posted == posted_.end()) {
      unexpected_.push_back(std::move(letter));
    } else {
      Deliver(letter, *posted);
      posted_.erase(posted);
    }
  }
  return true;
}

void LocalTransport::Sleep(absl::Duration limit) {
  std::unique_lock<std::mutex> lock(own_.mutex);
  // Letters on their way wake nobody when they are there.
  if (delay_ > absl::ZeroDuration()) limit = std::min(limit, delay_);
  own_.arrival.wait_for(lock, absl::ToChronoNanoseconds(limit), [&] {
    return own_.woken || FirstToCome() != own_.letters.begin();
  });
  own_.woken = false;
}

void LocalTransport::Wake() {
  {
    std::lock_guard<std::mutex> lock(own_.mutex);
    own_.woken = true;
  }
  own_.arrival.notify_one();
}

bool LocalTransport::Discard(uint64_t tag, uint64_t mask) {
  Progress();
  const auto letter = std::find_if(
      unexpected_.begin(), unexpected_.end(),
      [&](const auto& l) { return (l.tag & mask) == (tag & mask); });
  if (letter == unexpected_.end()) return false;
  unexpected_.erase(letter);
  return true;
}

}  // namespace fuseau::distrib

// Messages between threads of one process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "distrib/transport.h"

namespace fuseau::distrib {

// Where the messages to one rank arrive.
struct Mailbox {
  struct Letter {
    uint64_t tag;
    std::string bytes;
    absl::Time arrival;
  };
  std::mutex mutex;
  std::condition_variable arrival;
  std::vector<Letter> letters;
  bool woken = false;
  std::atomic<bool> news{false};  // there are letters
};

// Sends copy: they are done at once. Receives are matched by their own rank.
class LocalTransport : public Transport {
 public:
  LocalTransport(std::shared_ptr<std::vector<Mailbox>> boxes, int rank,
                 absl::Duration delay)
      : boxes_(std::move(boxes)), own_((*boxes_)[rank]), delay_(delay) {}

  void Send(int peer, uint64_t tag, const char* data, int64_t bytes,
            Message* message) override;
  void Receive(uint64_t tag, uint64_t mask, char* data, int64_t bytes,
               Message* message) override;
  void Cancel(Message* message) override;
  bool Progress() override;
  void Sleep(absl::Duration limit) override;
  void Wake() override;
  bool Discard(uint64_t tag, uint64_t mask) override;
  std::optional<int> Broken() const override { return std::nullopt; }
  void Abandon() override { posted_.clear(); }
  void Flush(absl::Duration) override {}

 private:
  struct Posted {
    uint64_t tag;
    uint64_t mask;
    char* data;
    int64_t bytes;
    Message* message;
  };
  // The first of the own letters that is still on its way.
  std::vector<Mailbox::Letter>::iterator FirstToCome();
  static void Deliver(const Mailbox::Letter& letter, const Posted& to);

  std::shared_ptr<std::vector<Mailbox>> boxes_;
  Mailbox& own_;
  const absl::Duration delay_;  // of what is sent
  std::deque<Posted> posted_;
  std::deque<Mailbox::Letter> unexpected_;
};

}  // namespace fuseau::distrib

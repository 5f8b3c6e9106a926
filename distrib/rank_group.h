// A group of ranks over a transport and a control channel.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "distrib/alarm.h"
#include "distrib/control.h"
#include "distrib/group.h"
#include "distrib/tag.h"
#include "distrib/transport.h"
#include "runtime/buffer.h"

namespace fuseau::distrib {

class RankGroup : public Group {
 public:
  struct Options {
    int rank = 0;
    // More ranks than processors are on this host: who waits must let others
    // work.
    bool crowded = false;
    // The control channel knows best what became of a rank that messages do not
    // reach. If it says nothing for so long, the rank counts as lost.
    absl::Duration reason_time = absl::Seconds(11);
  };
  RankGroup(const Options& options, std::unique_ptr<Alarm> alarm,
            std::unique_ptr<Transport> transport,
            std::unique_ptr<Control> control);
  ~RankGroup() override;

  // A message from everybody to everybody, so that all connections are there.
  absl::Status Connect();

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int hosts() const override { return hosts_; }
  absl::Status Exchange(uint64_t tag, const runtime::Transfer& transfer,
                        const char* source, char* target,
                        const std::atomic<bool>* cancel) override;
  absl::Status Start(uint64_t tag, const runtime::Transfer& transfer,
                     const char* source, char* target) override;
  absl::Status Finish(uint64_t tag, const std::atomic<bool>* cancel) override;
  void Progress() override;
  void Drop() override;
  absl::Status SendCommand(absl::string_view command) override;
  absl::StatusOr<std::string> NextCommand() override;
  absl::StatusOr<Outcome> Agree(const Outcome& mine) override;
  absl::StatusOr<std::vector<std::string>> Gather(
      absl::string_view mine) override;
  void Fail(const absl::Status& why) override;
  absl::Status Health() const override { return alarm_->Loss(); }

  Control& control() { return *control_; }  // for tests

 private:
  // A transfer under way.
  struct Started {
    uint64_t tag = 0;
    const runtime::Transfer* transfer = nullptr;
    char* target = nullptr;
    std::vector<Message> messages;  // those received, then those sent
    // Of each that is received: where it is in the packed memory; -1 if it goes
    // to its place in the target at once.
    std::vector<int64_t> packed_at;
    std::vector<bool> taken;    // by message received
    runtime::BufferRef packed;  // memory for messages that are packed

    absl::Span<Message> sends() {
      return absl::MakeSpan(messages).subspan(packed_at.size());
    }
  };
  // How a wait ends early.
  struct WaitOptions {
    bool in_run = false;  // by the failure of the run
    const std::atomic<bool>* cancel = nullptr;
    bool discard = false;  // messages of the run are not wanted any more
  };
  absl::Status Await(absl::FunctionRef<bool()> ready,
                     const WaitOptions& options);
  // Why a wait must end, if it must.
  absl::Status Interruption(const WaitOptions& options, absl::Time since);
  // Takes what came for exchanges of this run that nobody does any more.
  void DiscardData();

  // Commands belong to no run.
  uint64_t Tag(Kind kind, int sender, uint64_t detail) const {
    return MakeTag(kind, kind == Kind::kCommand ? 0 : run_, sender, detail);
  }
  void Post(int peer, Kind kind, uint64_t detail, absl::string_view bytes,
            Message* message);
  // What has become of messages that have ended: the error of the first that
  // failed. A peer that cannot be reached counts as lost.
  absl::Status StatusOf(absl::Span<const Message> messages);
  // Gives up messages whose memory is about to go. Returns when it is free.
  void GiveUp(absl::Span<Message> messages);

  // `bytes` go from `root` to all others, who get them in `received`.
  absl::Status Broadcast(Kind kind, int root, uint64_t detail,
                         absl::string_view bytes, std::string* received);
  // An empty message from everybody to everybody.
  absl::Status MeetAll(Kind kind);

  // Posts the messages of a transfer. With `read_source` all that is sent is
  // read before it returns.
  absl::Status Post(uint64_t tag, const runtime::Transfer& transfer,
                    const char* source, char* target, bool read_source,
                    const std::atomic<bool>* cancel);
  // Unpacks messages that came and were not taken yet. Whether all are.
  absl::StatusOr<bool> Take(Started* started);

  const Options options_;
  const int rank_;
  const int size_;
  const int hosts_;
  uint64_t run_ = 1;
  uint64_t commands_ = 0;
  int64_t discarded_ = 0;  // in this run
  absl::Time broken_since_ = absl::InfiniteFuture();
  // In the order of their start. Messages stay where they are.
  std::vector<std::unique_ptr<Started>> started_;
  // In this order: control calls the alarm, which wakes the transport.
  std::unique_ptr<Alarm> alarm_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Control> control_;
};

}  // namespace fuseau::distrib

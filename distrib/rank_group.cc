#include "distrib/rank_group.h"

#include <sched.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "distrib/clock.h"
#include "distrib/failure.h"
#include "runtime/base/status.h"
#include "runtime/cpu/pause.h"

namespace fuseau::distrib {
namespace {

// Who waits looks so many times without a break after the last event (some two
// microseconds), or not at all if the host is crowded. Then it lets others have
// the processor between two looks, which costs less than to be woken up: on a
// busy host that takes milliseconds. At last it sleeps.
constexpr int kSpinTurns = 32;
constexpr absl::Duration kYield = absl::Microseconds(500);
// How long who sleeps may take to see that a run was cancelled, since nobody
// tells the transport, and other things that no message tells.
constexpr absl::Duration kCancelSleep = absl::Milliseconds(5);
constexpr absl::Duration kSleep = absl::Milliseconds(250);
// For the end of the group: what is under way arrives, all others leave too.
constexpr absl::Duration kFlushTime = absl::Seconds(1);
constexpr absl::Duration kLeaveTime = absl::Seconds(2);

int CountHosts(const Alarm& alarm) {
  std::set<absl::string_view> hosts;
  for (int rank = 0; rank < alarm.size(); ++rank) {
    hosts.insert(alarm.host(rank));
  }
  return static_cast<int>(hosts.size());
}

}  // namespace

RankGroup::RankGroup(const Options& options, std::unique_ptr<Alarm> alarm,
                     std::unique_ptr<Transport> transport,
                     std::unique_ptr<Control> control)
    : options_(options),
      rank_(options.rank),
      size_(alarm->size()),
      hosts_(CountHosts(*alarm)),
      alarm_(std::move(alarm)),
      transport_(std::move(transport)),
      control_(std::move(control)) {
  alarm_->SetWake([transport = transport_.get()] { transport->Wake(); });
}

RankGroup::~RankGroup() {
  if (alarm_->disowned()) {
    // Memory and connections are shared with the parent, and the threads that
    // would have to end are not here.
    static_cast<void>(control_.release());
    static_cast<void>(transport_.release());
    static_cast<void>(alarm_.release());
    return;
  }
  const bool whole = alarm_->Loss().ok();
  if (whole) {
    transport_->Flush(kFlushTime);
  } else {
    transport_->Abandon();
  }
  control_->Leave();
  if (whole) {
    // The others may need answers from us until they have left too.
    const absl::Time limit = Now() + kLeaveTime;
    while (!alarm_->AllLeft() && alarm_->Loss().ok() && Now() < limit) {
      if (!transport_->Progress()) transport_->Sleep(absl::Milliseconds(20));
    }
    if (!alarm_->Loss().ok()) transport_->Abandon();
  }
  control_.reset();
  alarm_->SetWake(nullptr);
}

absl::Status RankGroup::Await(absl::FunctionRef<bool()> ready,
                              const WaitOptions& options) {
  if (ready()) return absl::OkStatus();
  const absl::Time start = Now();
  absl::Time last = start;  // event, by the last look at the clock
  bool moved = false;       // since then
  int spin = options_.crowded ? 0 : kSpinTurns;
  for (int turn = 1;; ++turn) {
    // After a loss the transport is not used any more.
    if (alarm_->raised()) {
      FUSEAU_RETURN_IF_ERROR(Interruption(options, start));
    }
    if (transport_->Progress()) {
      moved = true;
      spin = options_.crowded ? 0 : kSpinTurns;
    }
    if (ready()) return absl::OkStatus();
    if (spin > 0) {
      --spin;
      runtime::Pause();
    } else {
      sched_yield();
    }
    if (turn % 16 != 0) continue;
    const absl::Time now = Now();
    if (std::exchange(moved, false)) last = now;
    if (now - last < kYield) continue;
    if (options.discard) DiscardData();
    FUSEAU_RETURN_IF_ERROR(Interruption(options, start));
    if (ready()) return absl::OkStatus();
    transport_->Sleep(options.cancel == nullptr ? kSleep : kCancelSleep);
  }
}

absl::Status RankGroup::Interruption(const WaitOptions& options,
                                     absl::Time since) {
  if (options.cancel != nullptr &&
      options.cancel->load(std::memory_order_relaxed)) {
    return absl::CancelledError("the run was cancelled");
  }
  FUSEAU_RETURN_IF_ERROR(alarm_->Loss());
  if (options.in_run) FUSEAU_RETURN_IF_ERROR(alarm_->RunFailure(run_));
  if (const std::optional<int> left = alarm_->Departed(since)) {
    alarm_->RankLost(*left, "it has left the job");
    return alarm_->Loss();
  }
  if (const std::optional<int> peer = transport_->Broken()) {
    const absl::Time now = Now();
    broken_since_ = std::min(broken_since_, now);
    if (now - broken_since_ >= options_.reason_time) {
      constexpr char kWhat[] = "its connection for messages broke";
      control_->Lose(*peer, kWhat);
      alarm_->RankLost(*peer, kWhat);
      return alarm_->Loss();
    }
  }
  return absl::OkStatus();
}

void RankGroup::DiscardData() {
  while (transport_->Discard(Tag(Kind::kData, 0, 0), kRunMask)) ++discarded_;
}

void RankGroup::Post(int peer, Kind kind, uint64_t detail,
                     absl::string_view bytes, Message* message) {
  transport_->Send(peer, Tag(kind, rank_, detail), bytes.data(),
                   static_cast<int64_t>(bytes.size()), message);
}

absl::Status RankGroup::StatusOf(absl::Span<const Message> messages) {
  for (const Message& message : messages) {
    if (!message.done || message.status.ok()) continue;
    if (!absl::IsUnavailable(message.status)) return message.status;
    return Await([] { return false; }, {});  // for the reason
  }
  return absl::OkStatus();
}

void RankGroup::GiveUp(absl::Span<Message> messages) {
  if (!alarm_->Loss().ok()) {
    transport_->Abandon();
    return;
  }
  for (Message& message : messages) {
    if (!message.done) transport_->Cancel(&message);
  }
  const auto all_done = [&] {
    return std::all_of(messages.begin(), messages.end(),
                       [](const Message& message) { return message.done; });
  };
  // What others have begun to take from us or to give to us ends soon: they
  // discard the data of a run that failed.
  const absl::Status lost = Await(all_done, {.discard = true});
  if (!lost.ok()) transport_->Abandon();
}

void RankGroup::Fail(const absl::Status& why) {
  const absl::Status named = FromRank(rank_, why);
  alarm_->RunFailed(run_, named);
  control_->Fail(run_, named);
}

}  // namespace fuseau::distrib

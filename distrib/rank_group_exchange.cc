// Exchanges of a RankGroup.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "distrib/clock.h"
#include "distrib/parts.h"
#include "distrib/rank_group.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// Packed messages begin at multiples of this.
constexpr int64_t kAlign = 64;

int64_t AlignUp(int64_t bytes) { return (bytes + kAlign - 1) & -kAlign; }

// All bits of the caller's tag in those that a message has for it.
uint64_t Fold(uint64_t tag) {
  return (tag ^ tag >> 28 ^ tag >> 56) & kDetailMask;
}

}  // namespace

absl::Status RankGroup::Post(uint64_t tag, const runtime::Transfer& transfer,
                             const char* source, char* target, bool read_source,
                             const std::atomic<bool>* cancel) {
  alarm_->SetPhase(Phase::kTransfer);
  FUSEAU_RETURN_IF_ERROR(
      Interruption({.in_run = true, .cancel = cancel}, Now()));

  auto started = std::make_unique<Started>();
  started->tag = tag;
  started->transfer = &transfer;
  started->target = target;
  int64_t packed_bytes = 0;
  const auto place = [&](const runtime::Transfer::Message& message) {
    const int64_t at = packed_bytes;
    packed_bytes += AlignUp(message.bytes);
    return at;
  };
  for (const auto& receive : transfer.receives) {
    const bool direct = RunOffset(receive.parts).has_value();
    started->packed_at.push_back(direct ? -1 : place(receive));
  }
  std::vector<int64_t> sent_from;
  for (const auto& send : transfer.sends) {
    const bool direct = !read_source && RunOffset(send.parts).has_value();
    sent_from.push_back(direct ? -1 : place(send));
  }
  // From the arena, which has it again for the next transfer: fresh pages would
  // cost as much as packing.
  char* packed = nullptr;
  if (packed_bytes > 0) {
    FUSEAU_ASSIGN_OR_RETURN(started->packed,
                            runtime::Arena::Global().Allocate(packed_bytes));
    packed = started->packed->data();
  }

  // Receives are there before sends, so that messages find their memory.
  const size_t receives = transfer.receives.size();
  started->taken.resize(receives, false);
  started->messages.resize(receives + transfer.sends.size());
  for (size_t i = 0; i < receives; ++i) {
    const auto& receive = transfer.receives[i];
    if (receive.bytes == 0) continue;
    const int64_t at = started->packed_at[i];
    char* const bytes =
        at < 0 ? target + *RunOffset(receive.parts) : packed + at;
    // Any exchange of that rank is taken, to find out if it is another one.
    transport_->Receive(Tag(Kind::kData, receive.peer, 0), kSenderMask, bytes,
                        receive.bytes, &started->messages[i]);
  }
  for (size_t i = 0; i < transfer.sends.size(); ++i) {
    const auto& send = transfer.sends[i];
    if (send.bytes == 0) continue;
    const char* bytes;
    if (sent_from[i] < 0) {
      bytes = source + *RunOffset(send.parts);
    } else {
      bytes = packed + sent_from[i];
      Pack(send.parts, source, packed + sent_from[i]);
    }
    transport_->Send(send.peer, Tag(Kind::kData, rank_, Fold(tag)), bytes,
                     send.bytes, &started->messages[receives + i]);
  }
  for (const runtime::Transfer::Copy& copy : transfer.copies) {
    CopyBetween(copy.from, source, copy.to, target);
  }
  started_.push_back(std::move(started));
  return absl::OkStatus();
}

absl::StatusOr<bool> RankGroup::Take(Started* started) {
  const std::vector<runtime::Transfer::Message>& receives =
      started->transfer->receives;
  bool all = true;
  for (size_t i = 0; i < receives.size(); ++i) {
    const Message& message = started->messages[i];
    if (started->taken[i]) continue;
    if (!message.done) {
      all = false;
      continue;
    }
    started->taken[i] = true;
    const auto& receive = receives[i];
    if (receive.bytes == 0 || !message.status.ok()) continue;
    if ((message.tag & kDetailMask) != Fold(started->tag) ||
        message.bytes != receive.bytes) {
      return absl::InternalError(
          absl::StrCat("rank ", receive.peer, " sent ", message.bytes,
                       " bytes of another exchange where ", receive.bytes,
                       " were expected: the ranks did not do the same"));
    }
    if (started->packed_at[i] < 0) continue;
    Unpack(receive.parts, started->packed->data() + started->packed_at[i],
           started->target);
  }
  return all;
}

absl::Status RankGroup::Exchange(uint64_t tag,
                                 const runtime::Transfer& transfer,
                                 const char* source, char* target,
                                 const std::atomic<bool>* cancel) {
  absl::Status status =
      Post(tag, transfer, source, target, /*read_source=*/false, cancel);
  if (status.ok()) return Finish(tag, cancel);
  Drop();
  return status;
}

absl::Status RankGroup::Start(uint64_t tag, const runtime::Transfer& transfer,
                              const char* source, char* target) {
  absl::Status status = Post(tag, transfer, source, target,
                             /*read_source=*/true, /*cancel=*/nullptr);
  if (!status.ok()) Drop();
  return status;
}

absl::Status RankGroup::Finish(uint64_t tag, const std::atomic<bool>* cancel) {
  const auto found =
      std::find_if(started_.begin(), started_.end(),
                   [&](const auto& started) { return started->tag == tag; });
  if (found == started_.end())
    return absl::InternalError("the end of an exchange that did not begin");
  Started& started = **found;
  const WaitOptions options{.in_run = true, .cancel = cancel};
  absl::Status status;
  const auto take = [&] {
    const absl::StatusOr<bool> all = Take(&started);
    status = all.status();
    return !all.ok() || *all;
  };
  const auto sent = [&] {
    const absl::Span<const Message> sends = started.sends();
    return std::all_of(sends.begin(), sends.end(),
                       [](const Message& message) { return message.done; });
  };
  if (absl::Status wait = Await(take, options); !wait.ok()) status = wait;
  if (status.ok()) status = Await(sent, options);
  if (status.ok()) status = StatusOf(started.messages);
  if (!status.ok()) {
    Drop();
    return status;
  }
  started_.erase(found);
  if (started_.empty()) alarm_->SetPhase(Phase::kIdle);
  return absl::OkStatus();
}

void RankGroup::Progress() {
  // After a loss the transport is not used any more.
  if (!started_.empty() && !alarm_->raised()) transport_->Progress();
}

void RankGroup::Drop() {
  for (const auto& started : started_)
    GiveUp(absl::MakeSpan(started->messages));
  started_.clear();
  alarm_->SetPhase(Phase::kIdle);
}

}  // namespace fuseau::distrib

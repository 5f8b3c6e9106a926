// Exchanges of a RankGroup.

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "distrib/clock.h"
#include "distrib/parts.h"
#include "distrib/rank_group.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// Packed messages begin at multiples of this.
constexpr int64_t kAlign = 64;
// Memory for packed messages that is kept from exchange to exchange.
constexpr int64_t kKeepPacked = int64_t{16} << 20;

int64_t AlignUp(int64_t bytes) { return (bytes + kAlign - 1) & -kAlign; }

// All bits of the caller's tag in those that a message has for it.
uint64_t Fold(uint64_t tag) {
  return (tag ^ tag >> 28 ^ tag >> 56) & kDetailMask;
}

// Where the bytes of a message are: in the value, or packed.
struct Place {
  std::optional<int64_t> in_value;
  int64_t packed = 0;
};

std::vector<Place> PlaceAll(absl::Span<const runtime::Transfer::Message> all,
                            int64_t* packed_bytes) {
  std::vector<Place> places(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    places[i].in_value = RunOffset(all[i].parts);
    if (places[i].in_value.has_value()) continue;
    places[i].packed = *packed_bytes;
    *packed_bytes += AlignUp(all[i].bytes);
  }
  return places;
}

}  // namespace

absl::Status RankGroup::ReservePacked(int64_t bytes) {
  if (bytes <= packed_bytes_) return absl::OkStatus();
  packed_.reset();
  packed_bytes_ = 0;
  packed_.reset(new (std::nothrow) char[bytes]);
  if (packed_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", bytes, " bytes of messages"));
  }
  packed_bytes_ = bytes;
  return absl::OkStatus();
}

absl::Status RankGroup::Exchange(uint64_t tag,
                                 const runtime::Transfer& transfer,
                                 const char* source, char* target,
                                 const std::atomic<bool>* cancel) {
  alarm_->SetPhase(Phase::kTransfer);
  const WaitOptions options{.in_run = true, .cancel = cancel};
  FUSEAU_RETURN_IF_ERROR(Interruption(options, Now()));

  int64_t packed_bytes = 0;
  const std::vector<Place> from = PlaceAll(transfer.sends, &packed_bytes);
  const std::vector<Place> to = PlaceAll(transfer.receives, &packed_bytes);
  FUSEAU_RETURN_IF_ERROR(ReservePacked(packed_bytes));

  // Receives are there before sends, so that messages find their memory.
  const uint64_t detail = Fold(tag);
  const size_t receives = transfer.receives.size();
  std::vector<Message> messages(receives + transfer.sends.size());
  for (size_t i = 0; i < receives; ++i) {
    const auto& receive = transfer.receives[i];
    if (receive.bytes == 0) continue;
    char* const bytes = to[i].in_value.has_value()
                            ? target + *to[i].in_value
                            : packed_.get() + to[i].packed;
    // Any exchange of that rank is taken, to find out if it is another one.
    transport_->Receive(Tag(Kind::kData, receive.peer, 0), kSenderMask, bytes,
                        receive.bytes, &messages[i]);
  }
  for (size_t i = 0; i < transfer.sends.size(); ++i) {
    const auto& send = transfer.sends[i];
    if (send.bytes == 0) continue;
    const char* bytes;
    if (from[i].in_value.has_value()) {
      bytes = source + *from[i].in_value;
    } else {
      char* const packed = packed_.get() + from[i].packed;
      Pack(send.parts, source, packed);
      bytes = packed;
    }
    transport_->Send(send.peer, Tag(Kind::kData, rank_, detail), bytes,
                     send.bytes, &messages[receives + i]);
  }
  for (const runtime::Transfer::Copy& copy : transfer.copies) {
    CopyBetween(copy.from, source, copy.to, target);
  }

  // Messages are unpacked as they come.
  absl::Status status;
  std::vector<bool> taken(receives, false);
  size_t open = receives;
  const auto take = [&] {
    for (size_t i = 0; i < receives && status.ok(); ++i) {
      if (taken[i] || !messages[i].done) continue;
      taken[i] = true;
      --open;
      const auto& receive = transfer.receives[i];
      if (receive.bytes == 0 || !messages[i].status.ok()) continue;
      if ((messages[i].tag & kDetailMask) != detail ||
          messages[i].bytes != receive.bytes) {
        status = absl::InternalError(
            absl::StrCat("rank ", receive.peer, " sent ", messages[i].bytes,
                         " bytes of another exchange where ", receive.bytes,
                         " were expected: the ranks did not do the same"));
      } else if (!to[i].in_value.has_value()) {
        Unpack(receive.parts, packed_.get() + to[i].packed, target);
      }
    }
    return open == 0 || !status.ok();
  };
  const auto sent = [&] {
    return std::all_of(messages.begin() + receives, messages.end(),
                       [](const Message& message) { return message.done; });
  };
  if (absl::Status wait = Await(take, options); !wait.ok()) status = wait;
  if (status.ok()) status = Await(sent, options);
  if (status.ok()) status = StatusOf(messages);
  if (!status.ok()) GiveUp(absl::MakeSpan(messages));
  if (packed_bytes_ > kKeepPacked) {
    packed_.reset();
    packed_bytes_ = 0;
  }
  alarm_->SetPhase(Phase::kIdle);
  return status;
}

}  // namespace fuseau::distrib

// Commands and agreements of a RankGroup.

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "distrib/failure.h"
#include "distrib/rank_group.h"
#include "distrib/wire.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// A broadcast begins with a message of its size and its first bytes. Few have
// more.
constexpr size_t kFirstBytes = 8192;
constexpr size_t kFirstRoom = kFirstBytes - sizeof(uint64_t);
// The rest is told from the beginning by this bit of the tag.
constexpr uint64_t kRest = uint64_t{1} << 27;

// For connections to be made.
constexpr absl::Duration kConnectTime = absl::Seconds(10);

// What ranks combine in an agreement: joining twice changes nothing, so that
// any number of ranks can come together by dissemination.
struct Vote {
  static constexpr uint32_t kNobody = std::numeric_limits<uint32_t>::max();

  uint32_t failed = kNobody;  // the lowest rank
  uint32_t float_flags = 0;
  uint64_t least_stamp = 0;
  uint64_t largest_stamp = 0;
  uint64_t least_view = 0;
  uint64_t largest_view = 0;

  void Join(const Vote& other) {
    failed = std::min(failed, other.failed);
    float_flags |= other.float_flags;
    least_stamp = std::min(least_stamp, other.least_stamp);
    largest_stamp = std::max(largest_stamp, other.largest_stamp);
    least_view = std::min(least_view, other.least_view);
    largest_view = std::max(largest_view, other.largest_view);
  }
};

// The tree of a broadcast: binomial, with `root` at its root.
struct Tree {
  int parent = -1;            // none
  std::vector<int> children;  // the one with most below it first

  Tree(int rank, int size, int root) {
    const int place = (rank - root + size) % size;
    int step = 1;
    while (step < size && (place & step) == 0) step <<= 1;
    if (step < size) parent = (place - step + root) % size;
    for (step >>= 1; step > 0; step >>= 1) {
      if (place + step < size) children.push_back((place + step + root) % size);
    }
  }
};

}  // namespace

absl::Status RankGroup::Broadcast(Kind kind, int root, uint64_t detail,
                                  absl::string_view bytes,
                                  std::string* received) {
  const WaitOptions options{.discard = kind == Kind::kText};
  const Tree tree(rank_, size_, root);
  const auto receive = [&](uint64_t part, char* to, size_t room) {
    Message message;
    transport_->Receive(Tag(kind, tree.parent, part), kWholeMask, to,
                        static_cast<int64_t>(room), &message);
    absl::Status status = Await([&] { return message.done; }, options);
    if (status.ok()) status = StatusOf({&message, 1});
    if (!status.ok()) GiveUp({&message, 1});
    return status;
  };
  // Children get each message before the next one is waited for.
  std::vector<Message> sends(2 * tree.children.size());
  size_t sent = 0;
  const auto forward = [&](uint64_t part, absl::string_view data) {
    for (int child : tree.children) {
      Post(child, kind, part, data, &sends[sent++]);
    }
  };

  char first[kFirstBytes];
  uint64_t total = bytes.size();
  if (tree.parent < 0) {
    std::memcpy(first, &total, sizeof(total));
    std::memcpy(first + sizeof(total), bytes.data(),
                std::min(bytes.size(), kFirstRoom));
  } else {
    FUSEAU_RETURN_IF_ERROR(receive(detail, first, sizeof(first)));
    std::memcpy(&total, first, sizeof(total));
    received->resize(total);
    std::memcpy(received->data(), first + sizeof(total),
                std::min<size_t>(total, kFirstRoom));
    if (kind == Kind::kCommand) alarm_->SetPhase(Phase::kCommand);
    bytes = *received;
  }
  forward(detail, {first, sizeof(total) + std::min<size_t>(total, kFirstRoom)});
  absl::Status status;
  if (total > kFirstRoom) {
    if (tree.parent >= 0) {
      status = receive(detail | kRest, received->data() + kFirstRoom,
                       total - kFirstRoom);
    }
    if (status.ok()) forward(detail | kRest, bytes.substr(kFirstRoom));
  }
  if (status.ok()) {
    status = Await(
        [&] {
          return std::all_of(sends.begin(), sends.end(),
                             [](const Message& m) { return m.done; });
        },
        options);
  }
  if (status.ok()) status = StatusOf(sends);
  if (!status.ok()) GiveUp(absl::MakeSpan(sends));
  return status;
}

absl::Status RankGroup::SendCommand(absl::string_view command) {
  FUSEAU_RETURN_IF_ERROR(alarm_->Loss());
  if (rank_ != 0) {
    return absl::FailedPreconditionError("only rank 0 sends commands");
  }
  alarm_->SetPhase(Phase::kCommand);
  const absl::Status status =
      Broadcast(Kind::kCommand, 0, commands_++ & (kRest - 1), command, nullptr);
  alarm_->SetPhase(Phase::kIdle);
  return status;
}

absl::StatusOr<std::string> RankGroup::NextCommand() {
  FUSEAU_RETURN_IF_ERROR(alarm_->Loss());
  if (rank_ == 0) {
    return absl::FailedPreconditionError("rank 0 gets no commands");
  }
  alarm_->SetPhase(Phase::kIdle);
  std::string command;
  FUSEAU_RETURN_IF_ERROR(
      Broadcast(Kind::kCommand, 0, commands_++ & (kRest - 1), "", &command));
  alarm_->SetPhase(Phase::kIdle);
  return command;
}

absl::StatusOr<Outcome> RankGroup::Agree(const Outcome& mine) {
  FUSEAU_RETURN_IF_ERROR(alarm_->Loss());
  alarm_->SetPhase(Phase::kAgreement);
  absl::Status own = mine.status;
  if (own.ok()) own = alarm_->RunFailure(run_);

  // The error of another rank is told by that one.
  Vote vote;
  if (!own.ok() && OriginOf(own).value_or(rank_) == rank_) {
    vote.failed = static_cast<uint32_t>(rank_);
  }
  vote.float_flags = mine.float_flags;
  vote.least_stamp = vote.largest_stamp = mine.stamp;
  vote.least_view = vote.largest_view = mine.view;
  uint64_t round = 0;
  for (int step = 1; step < size_; step *= 2, ++round) {
    const int to = (rank_ + step) % size_;
    const int from = (rank_ + size_ - step) % size_;
    Vote theirs;
    const Vote ours = vote;
    Message messages[2];
    transport_->Receive(Tag(Kind::kVote, from, round), kWholeMask,
                        reinterpret_cast<char*>(&theirs), sizeof(Vote),
                        &messages[0]);
    Post(to, Kind::kVote, round,
         {reinterpret_cast<const char*>(&ours), sizeof(Vote)}, &messages[1]);
    absl::Status status =
        Await([&] { return messages[0].done && messages[1].done; },
              {.discard = true});
    if (status.ok()) status = StatusOf(messages);
    if (!status.ok()) {
      GiveUp(absl::MakeSpan(messages));
      return status;
    }
    vote.Join(theirs);
  }

  Outcome all;
  all.float_flags = static_cast<uint8_t>(vote.float_flags);
  all.stamp = mine.stamp;
  all.unlike = vote.least_stamp != vote.largest_stamp;
  all.view = mine.view;
  all.views_differ = vote.least_view != vote.largest_view;
  if (all.unlike) {
    all.status = absl::FailedPreconditionError(
        "the ranks are about to do different things");
  }
  if (vote.failed != Vote::kNobody) {
    const int failed = static_cast<int>(vote.failed);
    if (failed == rank_) {
      all.status = FromRank(rank_, own);
      FUSEAU_RETURN_IF_ERROR(
          Broadcast(Kind::kText, failed, 0, EncodeStatus(all.status), nullptr));
    } else {
      std::string text;
      FUSEAU_RETURN_IF_ERROR(Broadcast(Kind::kText, failed, 0, "", &text));
      all.status = DecodeStatus(text);
    }
    // Messages from one rank come in order: after its last one nothing of the
    // run can follow. What it sent before is there then, and is dropped.
    FUSEAU_RETURN_IF_ERROR(MeetAll(Kind::kEnd));
    DiscardData();
  } else if (discarded_ > 0) {
    // Too late for the others, whose votes are counted.
    all.status = absl::InternalError(absl::StrCat(
        "rank ", rank_, " got ", discarded_,
        " messages that nobody waited for: the ranks did not do the same"));
  }
  discarded_ = 0;
  alarm_->BeginRun(++run_);
  alarm_->SetPhase(Phase::kIdle);
  return all;
}

// Texts are few and short: each goes down its own tree, one after the other.
absl::StatusOr<std::vector<std::string>> RankGroup::Gather(
    absl::string_view mine) {
  FUSEAU_RETURN_IF_ERROR(alarm_->Loss());
  alarm_->SetPhase(Phase::kAgreement);
  std::vector<std::string> all(size_);
  all[rank_] = std::string(mine);
  absl::Status status;
  for (int root = 0; root < size_ && status.ok(); ++root) {
    status = Broadcast(Kind::kGather, root, static_cast<uint64_t>(root),
                       all[root], root == rank_ ? nullptr : &all[root]);
  }
  alarm_->SetPhase(Phase::kIdle);
  if (!status.ok()) return status;
  return all;
}

absl::Status RankGroup::MeetAll(Kind kind) {
  std::vector<Message> messages(2 * size_);
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    transport_->Receive(Tag(kind, peer, 0), kWholeMask, nullptr, 0,
                        &messages[peer]);
  }
  for (int peer = 0; peer < size_; ++peer) {
    if (peer != rank_) Post(peer, kind, 0, "", &messages[size_ + peer]);
  }
  absl::Status status = Await(
      [&] {
        return std::all_of(messages.begin(), messages.end(),
                           [](const Message& m) { return m.done; });
      },
      {.discard = true});
  if (status.ok()) status = StatusOf(messages);
  if (!status.ok()) GiveUp(absl::MakeSpan(messages));
  return status;
}

absl::Status RankGroup::Connect() {
  alarm_->SetPhase(Phase::kBootstrap);
  FUSEAU_RETURN_IF_ERROR(MeetAll(Kind::kConnect));
  transport_->Flush(kConnectTime);
  // The others have come so far too.
  FUSEAU_RETURN_IF_ERROR(Agree({}).status());
  return absl::OkStatus();
}

}  // namespace fuseau::distrib

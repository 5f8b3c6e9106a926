#include "distrib/bootstrap/gather.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "distrib/bootstrap/frame.h"
#include "distrib/clock.h"
#include "distrib/failure.h"
#include "distrib/group.h"
#include "distrib/wire.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// Who connects has so long to show the token and say hello.
constexpr absl::Duration kPatience = absl::Seconds(10);
// So many connections more than there are ranks may wait to be checked; then
// the oldest are dropped.
constexpr size_t kStrangers = 256;
// A rank that was dropped for that comes again, after pauses that double, for
// as long as rank 0 can be reached.
constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
constexpr absl::Duration kLastPause = absl::Milliseconds(320);
constexpr absl::Duration kReachTime = absl::Seconds(1);
// For the last words to a rank.
constexpr absl::Duration kWriteTime = absl::Seconds(10);

// A connection. It is a stranger's until its answer was checked.
struct Guest {
  Guest(Socket connection, std::string address)
      : socket(std::move(connection)), from(std::move(address)) {}

  Socket socket;
  std::string from;
  Nonce nonce{};
  absl::Time limit = Now() + kPatience;
  std::string answer;  // as much of it as has come
  int rank = -1;       // once it is known
  FrameBuffer frames{kShortFrame};
  bool joined = false;
};

class Gatherer {
 public:
  Gatherer(const Token& token, const Hello& mine) : token_(token), mine_(mine) {
    hellos_.resize(mine.ranks);
    by_rank_.resize(mine.ranks);
    hellos_[0] = mine;
  }

  absl::StatusOr<Meeting> Run(const Socket& listener, double silence_seconds,
                              absl::Time limit,
                              const std::function<bool()>& interrupted) {
    absl::Status status;
    while (status.ok() && joined_ + 1 < mine_.ranks) {
      if (interrupted && interrupted()) {
        status = absl::CancelledError("the wait for the ranks was cancelled");
      } else if (Now() >= limit) {
        status = Missing();
      } else {
        status = Turn(listener, limit);
      }
    }
    Meeting meeting;
    if (status.ok()) {
      meeting.roster = {silence_seconds, hellos_};
      status = SendRoster(meeting.roster);
    }
    if (!status.ok()) {
      Refuse(status);
      return status;
    }
    meeting.connections.resize(mine_.ranks);
    for (uint32_t rank = 1; rank < mine_.ranks; ++rank) {
      meeting.connections[rank] = std::move(by_rank_[rank]->socket);
    }
    return meeting;
  }

 private:
  // One look at all connections.
  absl::Status Turn(const Socket& listener, absl::Time limit) {
    std::vector<pollfd> files = {{listener.get(), POLLIN, 0}};
    absl::Time next = limit;
    for (const auto& guest : guests_) {
      files.push_back({guest->socket.get(), POLLIN, 0});
      if (!guest->joined) next = std::min(next, guest->limit);
    }
    const int64_t wait = absl::ToInt64Milliseconds(next - Now()) + 1;
    poll(files.data(), files.size(),
         static_cast<int>(std::clamp<int64_t>(wait, 0, 100)));
    absl::Status status;
    for (size_t i = 0; i < guests_.size() && status.ok(); ++i) {
      if (files[i + 1].revents != 0) {
        status = Hear(guests_[i].get());
      } else if (!guests_[i]->joined && Now() >= guests_[i]->limit) {
        Drop(guests_[i].get(), "it did not say who it is in time");
      }
    }
    std::erase_if(guests_,
                  [](const auto& guest) { return !guest->socket.ok(); });
    if ((files[0].revents & (POLLHUP | POLLERR)) != 0) {
      // By the process that made it, which knows that a rank will not come.
      return absl::CancelledError("the listening socket was shut down");
    }
    if (files[0].revents != 0) Welcome(listener);
    return status;
  }

  void Welcome(const Socket& listener) {
    std::string from;
    while (true) {
      Socket socket = Accept(listener, &from);
      if (!socket.ok()) return;
      auto guest = std::make_unique<Guest>(std::move(socket), from);
      const absl::StatusOr<Nonce> nonce = NewNonce();
      if (!nonce.ok()) return;
      guest->nonce = *nonce;
      // A new connection has room for so little.
      if (!WriteAll(guest->socket, MakeGreeting(*nonce), Now()).ok()) {
        Drop(guest.get(), "it does not listen");
        continue;
      }
      guests_.push_back(std::move(guest));
      if (guests_.size() > mine_.ranks + kStrangers) {
        const auto stranger =
            std::find_if(guests_.begin(), guests_.end(),
                         [](const auto& g) { return g->rank < 0; });
        if (stranger == guests_.end()) continue;
        Drop(stranger->get(), "too many wait to be let in");
        guests_.erase(stranger);
      }
    }
  }

  // Reads what has come. An error ends the job.
  absl::Status Hear(Guest* guest) {
    char bytes[4096];
    const ssize_t n = recv(guest->socket.get(), bytes, sizeof(bytes), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
    if (n <= 0) {
      if (!guest->joined) {
        Drop(guest, "it closed the connection");
        return absl::OkStatus();
      }
      return RankFailure(guest->rank, hellos_[guest->rank].host,
                         Phase::kBootstrap, "its process ended");
    }
    absl::string_view rest(bytes, n);
    if (guest->rank < 0) {
      const size_t want =
          std::min(rest.size(), kAnswerBytes - guest->answer.size());
      guest->answer.append(rest.data(), want);
      rest.remove_prefix(want);
      if (guest->answer.size() < kAnswerBytes) return absl::OkStatus();
      const absl::Status known = Recognize(guest);
      if (!known.ok()) {
        Drop(guest, known.message());
        return absl::OkStatus();
      }
    }
    guest->frames.Append(rest);
    absl::StatusOr<std::optional<Frame>> frame = guest->frames.Next();
    if (!frame.ok()) {
      Drop(guest, frame.status().message());
      return absl::OkStatus();
    }
    return frame->has_value() ? Join(guest, **frame) : absl::OkStatus();
  }

  absl::Status Recognize(Guest* guest) {
    FUSEAU_ASSIGN_OR_RETURN(const Answer answer,
                            ReadAnswer(token_, guest->nonce, guest->answer));
    FUSEAU_RETURN_IF_ERROR(WriteAll(
        guest->socket, MakeProof(token_, guest->nonce, answer), Now()));
    guest->rank = static_cast<int>(answer.rank);
    if (answer.rank == 0 || answer.rank >= mine_.ranks) {
      return absl::OutOfRangeError(absl::StrCat("it is rank ", answer.rank,
                                                " of ", mine_.ranks, " ranks"));
    }
    if (by_rank_[answer.rank] != nullptr) {
      return absl::AlreadyExistsError(
          absl::StrCat("rank ", answer.rank, " is there already"));
    }
    return absl::OkStatus();
  }

  absl::Status Join(Guest* guest, const Frame& frame) {
    if (frame.kind != Frame::kHello || guest->joined) {
      Drop(guest, "it did not say hello");
      return absl::OkStatus();
    }
    absl::StatusOr<Hello> hello = Hello::Decode(frame.body);
    if (!hello.ok()) {
      Drop(guest, hello.status().message());
      return absl::OkStatus();
    }
    if (by_rank_[guest->rank] != nullptr) {  // since it answered
      Drop(guest, absl::StrCat("rank ", guest->rank, " is there already"));
      return absl::OkStatus();
    }
    guest->joined = true;
    by_rank_[guest->rank] = guest;
    hellos_[guest->rank] = *std::move(hello);
    ++joined_;
    LogInfo(absl::StrCat("rank ", guest->rank, " joins from ",
                         hellos_[guest->rank].host, " (",
                         hellos_[guest->rank].processor, ")"));
    return CheckAlike(mine_, hellos_[guest->rank], guest->rank);
  }

  // A rank that is refused hears why.
  void Drop(Guest* guest, absl::string_view why) {
    LogWarning(
        absl::StrCat("dropped a connection from ", guest->from, ": ", why));
    if (guest->rank >= 0) Tell(*guest, absl::FailedPreconditionError(why));
    guest->socket.Close();
  }
  static void Tell(const Guest& guest, const absl::Status& status) {
    WriteAll(guest.socket, EncodeFrame(Frame::kRefusal, EncodeStatus(status)),
             Now())
        .IgnoreError();
  }
  void Refuse(const absl::Status& status) {
    for (const auto& guest : guests_) {
      if (guest->socket.ok() && guest->rank >= 0) Tell(*guest, status);
    }
  }

  absl::Status Missing() const {
    std::vector<uint32_t> missing;
    for (uint32_t rank = 1; rank < mine_.ranks; ++rank) {
      if (by_rank_[rank] == nullptr) missing.push_back(rank);
    }
    absl::Status status = absl::DeadlineExceededError(absl::StrCat(
        missing.size() == 1 ? "rank " : "ranks ", absl::StrJoin(missing, ", "),
        " of ", mine_.ranks, " did not join in time (FUSEAU_JOIN_SECONDS)"));
    status.SetPayload(kRankFailurePayload,
                      absl::Cord(absl::string_view(
                          absl::StrCat(missing.front(), "\tunknown host\t",
                                       PhaseName(Phase::kBootstrap)))));
    return status;
  }

  absl::Status SendRoster(const Roster& roster) {
    const std::string frame = EncodeFrame(Frame::kRoster, roster.Encode());
    const absl::Time limit = Now() + kWriteTime;
    for (uint32_t rank = 1; rank < mine_.ranks; ++rank) {
      if (!WriteAll(by_rank_[rank]->socket, frame, limit).ok()) {
        return RankFailure(static_cast<int>(rank), hellos_[rank].host,
                           Phase::kBootstrap, "its process ended");
      }
    }
    return absl::OkStatus();
  }

  const Token& token_;
  const Hello& mine_;
  std::vector<std::unique_ptr<Guest>> guests_;
  std::vector<Guest*> by_rank_;  // those who have joined
  std::vector<Hello> hellos_;
  uint32_t joined_ = 0;
};

// Of rank 0, whose connection gave this error.
absl::Status RootLost(const HostPort& root, const absl::Status& why) {
  return RankFailure(0, root.host, Phase::kBootstrap, why.message());
}

// Connects to rank 0; both show that they know the token.
absl::StatusOr<Socket> Enter(const HostPort& root, const Token& token, int rank,
                             absl::Time reach_limit, absl::Time limit) {
  absl::StatusOr<Socket> socket = Connect(root, reach_limit);
  if (!socket.ok()) return RootLost(root, socket.status());
  std::string bytes(kGreetingBytes, '\0');
  absl::Status status = ReadAll(*socket, bytes.data(), bytes.size(), limit);
  if (!status.ok()) return RootLost(root, status);
  FUSEAU_ASSIGN_OR_RETURN(const Nonce theirs, ReadGreeting(bytes));
  FUSEAU_ASSIGN_OR_RETURN(const Nonce nonce, NewNonce());
  const Answer answer{nonce, static_cast<uint32_t>(rank)};
  status =
      WriteAll(*socket, MakeAnswer(token, theirs, nonce, answer.rank), limit);
  if (!status.ok()) return RootLost(root, status);
  bytes.resize(kProofBytes);
  status = ReadAll(*socket, bytes.data(), bytes.size(), limit);
  if (!status.ok()) {
    return RootLost(
        root, absl::UnavailableError(absl::StrCat(
                  status.message(), "; it may be that it has another token")));
  }
  FUSEAU_RETURN_IF_ERROR(CheckProof(token, theirs, answer, bytes));
  return socket;
}

}  // namespace

absl::StatusOr<Meeting> Gather(const Socket& listener, const Token& token,
                               const Hello& mine, double silence_seconds,
                               absl::Time limit,
                               const std::function<bool()>& interrupted) {
  return Gatherer(token, mine)
      .Run(listener, silence_seconds, limit, interrupted);
}

absl::StatusOr<Meeting> Attend(const HostPort& root, const Token& token,
                               int rank, const Hello& mine, absl::Time limit) {
  absl::StatusOr<Socket> socket = Enter(root, token, rank, limit, limit);
  for (absl::Duration pause = kFirstPause;
       absl::IsUnavailable(socket.status()) && pause <= kLastPause &&
       Now() + pause < limit;
       pause *= 2) {
    absl::SleepFor(pause);
    socket = Enter(root, token, rank, Now() + kReachTime, limit);
  }
  if (!socket.ok()) return socket.status();
  absl::Status status =
      WriteAll(*socket, EncodeFrame(Frame::kHello, mine.Encode()), limit);
  if (!status.ok()) return RootLost(root, status);
  // Rank 0 knows when it has waited long enough for the others.
  absl::StatusOr<Frame> frame =
      ReadFrame(*socket, kLongFrame, limit + kWriteTime);
  if (!frame.ok()) return RootLost(root, frame.status());
  if (frame->kind == Frame::kRefusal) return DecodeStatus(frame->body);
  Meeting meeting;
  FUSEAU_ASSIGN_OR_RETURN(meeting.roster, Roster::Decode(frame->body));
  if (frame->kind != Frame::kRoster ||
      meeting.roster.ranks.size() != mine.ranks) {
    return absl::InternalError("rank 0 did not send the roster of the job");
  }
  meeting.connections.push_back(*std::move(socket));
  return meeting;
}

}  // namespace fuseau::distrib

#include "distrib/control/tcp_control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "distrib/bootstrap/frame.h"
#include "distrib/clock.h"
#include "distrib/wire.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

constexpr absl::Duration kBeat = absl::Seconds(1);
// Somebody who does not read what he is told is as good as silent.
constexpr size_t kMaxUnread = size_t{16} << 20;
// For the last words of a rank that leaves.
constexpr absl::Duration kFlushTime = absl::Seconds(1);

constexpr char kEnded[] = "its process ended";

std::string RankFrame(Frame::Kind kind, int rank, absl::string_view what) {
  return EncodeFrame(kind, Writer().Number<int32_t>(rank).Text(what).Take());
}

}  // namespace

class TcpControl::Loop {
 public:
  Loop(const Options& options, std::vector<Socket> connections, Alarm* alarm)
      : options_(options),
        beat_(std::min(kBeat, options.silence / 4)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        alarm_(alarm) {
    FUSEAU_CHECK(wake_.ok());
    for (size_t rank = 0; rank < connections.size(); ++rank) {
      if (!connections[rank].ok()) continue;
      links_.emplace_back(static_cast<int>(rank), std::move(connections[rank]));
    }
    Register(this);
    // Signals are for the threads of the program.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    thread_ = std::thread([this] { Run(); });
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }

  ~Loop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    Wake();
    thread_.join();
    Unregister(this);
  }

  void Tell(std::string frame) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      outbox_.push_back(std::move(frame));
    }
    Wake();
  }

 private:
  struct Link {
    Link(int rank, Socket socket) : rank(rank), socket(std::move(socket)) {}
    int rank;
    Socket socket;
    FrameBuffer in{kShortFrame};
    std::string out;
    absl::Time heard = Now();
    bool left = false;
  };

  bool root() const { return options_.rank == 0; }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof(one));
  }

  void Run() {
    absl::Time next_beat = Now();
    while (true) {
      const bool stop = TakeOutbox();
      if (Now() >= next_beat) {
        SendToAll(EncodeFrame(Frame::kBeat, ""), nullptr);
        next_beat = Now() + beat_;
      }
      for (Link& link : links_) Flush(&link);
      if (stop) break;
      Rest(std::min(next_beat, SilenceEnds()));
      for (Link& link : links_) {
        if (link.socket.ok() && Now() - link.heard > options_.silence) {
          Lost(link.rank, absl::StrCat("no sign of life for ",
                                       absl::FormatDuration(options_.silence)));
        }
      }
    }
    const absl::Time limit = Now() + kFlushTime;
    for (Link& link : links_) {
      if (link.socket.ok()) {
        WriteAll(link.socket, link.out, limit).IgnoreError();
        shutdown(link.socket.get(), SHUT_WR);
      }
    }
  }

  // When the first one has been silent for too long.
  absl::Time SilenceEnds() const {
    absl::Time first = absl::InfiniteFuture();
    for (const Link& link : links_) {
      if (!link.socket.ok()) continue;
      first = std::min(first, link.heard + options_.silence);
    }
    return first;
  }

  // Whether this is the end.
  bool TakeOutbox() {
    std::vector<std::string> frames;
    bool stop;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      frames.swap(outbox_);
      stop = stop_;
    }
    for (const std::string& frame : frames) SendToAll(frame, nullptr);
    return stop;
  }

  void SendToAll(const std::string& frame, const Link* except) {
    for (Link& link : links_) {
      if (&link != except && link.socket.ok()) link.out += frame;
    }
  }

  void Flush(Link* link) {
    while (link->socket.ok() && !link->out.empty()) {
      const ssize_t n = send(link->socket.get(), link->out.data(),
                             link->out.size(), MSG_NOSIGNAL);
      if (n > 0) {
        link->out.erase(0, n);
      } else if (errno == EAGAIN && link->out.size() <= kMaxUnread) {
        return;
      } else if (errno != EINTR) {
        Ended(link);
      }
    }
  }

  void Rest(absl::Time until) {
    std::vector<pollfd> files = {{wake_.get(), POLLIN, 0}};
    for (const Link& link : links_) {
      const short events = link.out.empty() ? POLLIN : POLLIN | POLLOUT;
      files.push_back({link.socket.get(), events, 0});  // -1 is passed over
    }
    const absl::Duration wait = std::max(until - Now(), absl::ZeroDuration());
    const absl::Time begin = Now();
    poll(files.data(), files.size(),
         static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1);
    // This process did not run: nobody's silence counts.
    const absl::Time now = Now();
    if (now - begin > wait + options_.silence / 4) {
      for (Link& link : links_) link.heard = now;
    }
    if (files[0].revents != 0) {
      uint64_t count;
      [[maybe_unused]] const ssize_t n =
          read(wake_.get(), &count, sizeof(count));
    }
    for (size_t i = 0; i < links_.size(); ++i) {
      if ((files[i + 1].revents & ~POLLOUT) != 0) Hear(&links_[i]);
    }
  }

  void Hear(Link* link) {
    char bytes[16384];
    const ssize_t n = recv(link->socket.get(), bytes, sizeof(bytes), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      Ended(link);
      return;
    }
    link->heard = Now();
    link->in.Append({bytes, static_cast<size_t>(n)});
    while (link->socket.ok()) {
      const absl::StatusOr<std::optional<Frame>> frame = link->in.Next();
      if (!frame.ok()) {
        Lost(link->rank, frame.status().message());
      } else if (!frame->has_value()) {
        return;
      } else {
        Handle(link, **frame);
      }
    }
  }

  void Handle(Link* link, const Frame& frame) {
    if (frame.kind == Frame::kBeat) return;
    Reader reader(frame.body);
    if (frame.kind == Frame::kFail) {
      const auto run = reader.Number<uint64_t>();
      alarm_->RunFailed(run, DecodeStatus(reader.Text()));
    } else {
      const int rank = reader.Number<int32_t>();
      const std::string what = reader.Text();
      if (rank < 0 || rank >= alarm_->size()) return;
      if (frame.kind == Frame::kLost) {
        Lost(rank, what);
        return;
      }
      if (frame.kind == Frame::kLeft) {
        if (rank == link->rank) link->left = true;
        alarm_->RankLeft(rank);
      }
    }
    if (root()) SendToAll(EncodeFrame(frame.kind, frame.body), link);
  }

  void Ended(Link* link) {
    if (link->left) {
      link->socket.Close();
    } else {
      Lost(link->rank, kEnded);
    }
  }

  // For good, for all. A rank that is still there hears it too: then it is this
  // one that is lost to the others.
  void Lost(int rank, absl::string_view what) {
    alarm_->RankLost(rank, what);
    const std::string frame = RankFrame(Frame::kLost, rank, what);
    for (Link& link : links_) {
      if (link.rank != rank || !link.socket.ok()) continue;
      send(link.socket.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
      link.socket.Close();
    }
    if (root()) SendToAll(frame, nullptr);
  }

  // A child of fork has copies of the connections: they would hide the end of
  // its parent from the other ranks.
  struct Registry {
    std::mutex mutex;
    std::set<Loop*> loops;
  };
  static Registry& AllLoops() {
    static auto* const registry = [] {
      pthread_atfork([] { AllLoops().mutex.lock(); },
                     [] { AllLoops().mutex.unlock(); },
                     [] {
                       for (Loop* loop : AllLoops().loops) loop->Disown();
                       AllLoops().mutex.unlock();
                     });
      return new Registry;
    }();
    return *registry;
  }
  static void Register(Loop* loop) {
    std::lock_guard<std::mutex> lock(AllLoops().mutex);
    AllLoops().loops.insert(loop);
  }
  static void Unregister(Loop* loop) {
    std::lock_guard<std::mutex> lock(AllLoops().mutex);
    AllLoops().loops.erase(loop);
  }
  void Disown() {
    for (Link& link : links_) link.socket.Close();
    alarm_->Disown();
  }

  const Options options_;
  const absl::Duration beat_;
  const Socket wake_;
  Alarm* const alarm_;
  std::vector<Link> links_;  // of the thread alone
  std::mutex mutex_;
  std::vector<std::string> outbox_;
  bool stop_ = false;
  std::thread thread_;
};

TcpControl::TcpControl(const Options& options, std::vector<Socket> connections,
                       Alarm* alarm)
    : options_(options),
      loop_(std::make_unique<Loop>(options, std::move(connections), alarm)) {}

TcpControl::~TcpControl() = default;

void TcpControl::Fail(uint64_t run, const absl::Status& why) {
  loop_->Tell(EncodeFrame(Frame::kFail,
                          Writer().Number(run).Text(EncodeStatus(why)).Take()));
}

void TcpControl::Lose(int rank, absl::string_view what) {
  loop_->Tell(RankFrame(Frame::kLost, rank, what));
}

void TcpControl::Leave() {
  loop_->Tell(RankFrame(Frame::kLeft, options_.rank, ""));
}

}  // namespace fuseau::distrib

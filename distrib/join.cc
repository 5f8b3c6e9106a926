#include "distrib/join.h"

#include <sched.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "distrib/alarm.h"
#include "distrib/bootstrap/gather.h"
#include "distrib/bootstrap/hello.h"
#include "distrib/bootstrap/interface.h"
#include "distrib/clock.h"
#include "distrib/control/tcp_control.h"
#include "distrib/pmix/rendezvous.h"
#include "distrib/rank_group.h"
#include "distrib/tag.h"
#include "distrib/ucx/ucx_transport.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// In jobs of so many ranks all connections are made at once, in larger ones
// when they are needed. UCX 1.13 ends the process if the other side ends while
// a connection over TCP is being made; this makes that time short.
constexpr int kConnectAtOnce = 32;

// A group that keeps PMIx until its end.
class PmixGroup : public RankGroup {
 public:
  template <typename... Args>
  explicit PmixGroup(std::unique_ptr<Rendezvous> rendezvous, Args&&... args)
      : RankGroup(std::forward<Args>(args)...),
        rendezvous_(std::move(rendezvous)) {}

 private:
  std::unique_ptr<Rendezvous> rendezvous_;
};

int Processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Nothing leaves this host unless the user has named a network.
absl::Status CheckStore(const JoinOptions& options) {
  if (options.interface.empty() && !IsLoopback(options.store.host)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "rank 0 of this job is to listen on ", options.store.host,
        "; name the network that the ranks may use in FUSEAU_INTERFACE (an "
        "interface as eth0, or an address in it)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Socket> OpenStore(const JoinOptions& options,
                                 const Interface& interface) {
  if (options.store_fd >= 0) return AdoptListener(options.store_fd);
  // The name of the store may stand for other addresses too.
  return Listen(
      {IsLoopback(options.store.host) ? options.store.host : interface.address,
       options.store.port});
}

// Rank 0 opens the store and makes the token; PMIx tells the others.
absl::StatusOr<Socket> MeetByPmix(const Interface& interface,
                                  Rendezvous* rendezvous,
                                  JoinOptions* options) {
  options->rank = rendezvous->rank();
  options->ranks = rendezvous->size();
  Socket listener;
  std::string mine;
  if (options->rank == 0) {
    FUSEAU_ASSIGN_OR_RETURN(listener, Listen({interface.address, 0}));
    FUSEAU_ASSIGN_OR_RETURN(const int port, PortOf(listener));
    FUSEAU_ASSIGN_OR_RETURN(const Token token, NewToken());
    mine = absl::StrCat(DescribeProcess().boot, " ", interface.address, " ",
                        port, " ", FormatToken(token));
  }
  FUSEAU_ASSIGN_OR_RETURN(const std::string root, rendezvous->FromRoot(mine));
  const std::vector<std::string> words = absl::StrSplit(root, ' ');
  if (words.size() != 4 || !absl::SimpleAtoi(words[2], &options->store.port)) {
    return absl::InternalError("PMIx tells nothing of rank 0");
  }
  options->store.host = words[1];
  if (IsLoopback(options->store.host) && words[0] != DescribeProcess().boot) {
    return absl::FailedPreconditionError(
        "the ranks of this job are on several hosts; name the network that "
        "they "
        "may use in FUSEAU_INTERFACE (an interface as eth0, or an address in "
        "it)");
  }
  FUSEAU_ASSIGN_OR_RETURN(options->token, ParseToken(words[3]));
  return listener;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Group>> Join(const JoinOptions& given) {
  JoinOptions options = given;
  const absl::Time limit = Now() + options.join_time;
  FUSEAU_ASSIGN_OR_RETURN(const Interface interface,
                          FindInterface(options.interface));
  std::unique_ptr<Rendezvous> rendezvous;
  Socket listener;
  if (options.pmix) {
    FUSEAU_ASSIGN_OR_RETURN(rendezvous, ConnectPmix());
    FUSEAU_ASSIGN_OR_RETURN(listener,
                            MeetByPmix(interface, rendezvous.get(), &options));
  } else {
    FUSEAU_RETURN_IF_ERROR(CheckStore(options));
    if (options.rank == 0) {
      FUSEAU_ASSIGN_OR_RETURN(listener, OpenStore(options, interface));
    }
  }

  FUSEAU_ASSIGN_OR_RETURN(const UcxLibrary* ucx, LoadUcx());
  FUSEAU_ASSIGN_OR_RETURN(std::unique_ptr<UcxTransport> transport,
                          UcxTransport::Create(*ucx, interface.device));
  Hello mine = DescribeProcess();
  mine.ranks = static_cast<uint32_t>(options.ranks);
  mine.spmd = options.spmd;
  mine.ucx = ucx->version;
  mine.address = transport->address();
  if (!options.build.empty()) mine.build = options.build;
  absl::StatusOr<Meeting> meeting =
      options.rank == 0
          ? Gather(listener, options.token, mine,
                   absl::ToDoubleSeconds(options.silence), limit,
                   options.interrupted)
          : Attend(options.store, options.token, options.rank, mine, limit);
  if (!meeting.ok()) return meeting.status();
  listener.Close();

  std::vector<std::string> hosts;
  std::vector<UcxTransport::Peer> peers;
  int local_ranks = 0;
  for (const Hello& hello : meeting->roster.ranks) {
    const bool same_host = hello.boot == mine.boot;
    local_ranks += same_host;
    hosts.push_back(hello.host);
    peers.push_back({hello.address, same_host});
  }
  transport->SetPeers(std::move(peers));
  auto alarm = std::make_unique<Alarm>(std::move(hosts));
  const absl::Duration silence = absl::Seconds(meeting->roster.silence_seconds);
  auto control = std::make_unique<TcpControl>(
      TcpControl::Options{options.rank, silence},
      std::move(meeting->connections), alarm.get());
  auto group = std::make_unique<PmixGroup>(
      std::move(rendezvous),
      RankGroup::Options{options.rank, local_ranks > Processors(),
                         silence + absl::Seconds(1)},
      std::move(alarm), std::move(transport), std::move(control));
  if (options.ranks <= kConnectAtOnce) {
    FUSEAU_RETURN_IF_ERROR(group->Connect());
  }
  return group;
}

}  // namespace fuseau::distrib

#include "frontend/rank_profile.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// The more often all come together, the closer the clocks are known.
constexpr int kMeetings = 8;

absl::StatusOr<std::string> TimesOfMeetings(distrib::Group* group) {
  std::vector<std::string> times;
  for (int i = 0; i < kMeetings; ++i) {
    const int64_t before = profile::Now();
    FUSEAU_RETURN_IF_ERROR(group->Agree(distrib::Outcome()).status());
    times.push_back(absl::StrCat("[", before, ",", profile::Now(), "]"));
  }
  return absl::StrCat("[", absl::StrJoin(times, ","), "]");
}

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace

absl::Status TakePart(distrib::Group* group, ProfileAct act,
                      absl::Span<const std::string> lines,
                      std::vector<std::string>* profiles) {
  const bool has_process = profile::RankOfThread() == 0;
  if (act == ProfileAct::kStart) {
    if (has_process) profile::Start();
    return absl::OkStatus();
  }
  FUSEAU_ASSIGN_OR_RETURN(const std::string clock, TimesOfMeetings(group));
  std::string mine = absl::StrCat("{\"rank\":", group->rank(), ",\"host\":\"",
                                  HostName(), "\",\"clock\":", clock);
  if (has_process)
    absl::StrAppend(&mine, ",\"profile\":", profile::Stop(lines));
  mine.push_back('}');
  FUSEAU_ASSIGN_OR_RETURN(std::vector<std::string> all, group->Gather(mine));
  if (profiles != nullptr) *profiles = std::move(all);
  return absl::OkStatus();
}

NotedExchange::NotedExchange(absl::string_view name, uint64_t run,
                             const runtime::Transfer& transfer)
    : scope_(profile::Kind::kExchange, name), transfer_(transfer) {
  if (!scope_.noted()) return;
  scope_.event().number = run;
  for (const auto& message : transfer.sends) {
    scope_.event().bytes += message.bytes;
  }
  for (const auto& message : transfer.receives) {
    scope_.event().bytes += message.bytes;
  }
}

NotedExchange::~NotedExchange() {
  if (!scope_.noted()) return;
  for (const auto& message : transfer_.sends) {
    profile::Event event = scope_.event();
    event.kind = profile::Kind::kSend;
    event.end = profile::Now();
    event.bytes = message.bytes;
    event.peer = message.peer;
    profile::Note(event);
  }
}

}  // namespace fuseau

// Ranks that all run the program: how they stay together.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "frontend/exposure.h"
#include "frontend/host.h"
#include "frontend/ranks.h"
#include "frontend/window.h"
#include "ir/trace_words.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

// What a vote is about.
enum class Topic : uint64_t { kSettle = 1, kExpose, kMeet, kShare, kFetch };

uint64_t Mix(uint64_t a, uint64_t b) {
  const uint64_t mixed = (a ^ b) * 0x9e3779b97f4a7c15u;
  return mixed ^ mixed >> 29;
}
distrib::Outcome Stamped(Topic topic) {
  distrib::Outcome mine;
  mine.stamp = static_cast<uint64_t>(topic);
  return mine;
}

std::string Bytes(const std::vector<uint64_t>& words) {
  return std::string(reinterpret_cast<const char*>(words.data()),
                     words.size() * sizeof(uint64_t));
}
std::vector<uint64_t> Words(absl::string_view bytes) {
  std::vector<uint64_t> words(bytes.size() / sizeof(uint64_t));
  if (!words.empty()) {
    std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint64_t));
  }
  return words;
}

}  // namespace

absl::StatusOr<distrib::Outcome> Ranks::Vote(distrib::Outcome mine,
                                             absl::string_view act) {
  FUSEAU_RETURN_IF_ERROR(parted_);
  mine.stamp = Mix(mine.stamp, Mix(journal_.digest(), uncut_));
  absl::StatusOr<distrib::Outcome> outcome;
  {
    const Released released;
    outcome = group_->Agree(mine);
  }
  FUSEAU_RETURN_IF_ERROR(outcome.status());
  if (!outcome->unlike) {
    journal_.Confirm();
    FUSEAU_RETURN_IF_ERROR(outcome->status);
    return outcome;
  }
  const std::string told = journal_.Tell(act);
  absl::StatusOr<std::vector<std::string>> all;
  {
    const Released released;
    all = group_->Gather(told);
  }
  FUSEAU_RETURN_IF_ERROR(all.status());
  parted_ = absl::FailedPreconditionError(
      absl::StrCat("with --spmd all ranks must do the same, and they do not: ",
                   Journal::Compare(*all)));
  return parted_;
}

void Ranks::NoteUncut(const Cone& cone) {
  if (mode_ == Mode::kController) return;
  uncut_ = Mix(uncut_, ir::HashWords(cone.trace()));
  for (const runtime::ScalarValue& scalar : cone.scalars()) {
    uint64_t words[2];
    static_assert(sizeof(words) == sizeof(scalar));
    std::memcpy(words, &scalar, sizeof(words));
    uncut_ = Mix(Mix(uncut_, words[0]), words[1]);
  }
}

absl::Status Ranks::Settle(absl::Span<Node* const> roots) {
  if (mode_ == Mode::kController) return absl::OkStatus();
  const DeferredDrops::Report mine = drops_.Look();
  distrib::Outcome vote = Stamped(Topic::kSettle);
  for (const Node* root : roots) {
    vote.stamp = Mix(vote.stamp, static_cast<uint64_t>(drops_.PlaceOf(root)));
  }
  vote.view = ir::HashWords(mine);
  FUSEAU_ASSIGN_OR_RETURN(vote, Vote(vote, "computes arrays"));
  if (!vote.views_differ) {
    drops_.Apply(mine);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> all;
  {
    const Released released;
    all = group_->Gather(Bytes(mine));
  }
  FUSEAU_RETURN_IF_ERROR(all.status());
  std::vector<DeferredDrops::Report> reports;
  for (const std::string& bytes : *all) reports.push_back(Words(bytes));
  drops_.Apply(DeferredDrops::Join(reports));
  return absl::OkStatus();
}

absl::Status Ranks::EndExposures(absl::Span<const BaseRef> bases) {
  if (mode_ == Mode::kController) return absl::OkStatus();
  distrib::Outcome vote = Stamped(Topic::kExpose);
  // As it is now: more may end on this rank while it waits for the others.
  std::vector<bool> over;
  for (const BaseRef& base : bases) {
    over.push_back(base->ended == base->exposed);
    vote.view = Mix(vote.view, over.back() ? 1 : 2);
  }
  FUSEAU_ASSIGN_OR_RETURN(vote,
                          Vote(vote, "uses an array that other libraries see"));
  // Where they differ, those that are behind will be asked again.
  if (vote.views_differ) return absl::OkStatus();
  for (size_t i = 0; i < bases.size(); ++i) {
    Base* const base = bases[i].get();
    if (!over[i] || base->exposed == 0) continue;
    base->exposed = base->ended = 0;
    SetExposed(base->cur, false);
  }
  return absl::OkStatus();
}

absl::Status Ranks::Meet(const absl::Status& mine) {
  if (mode_ == Mode::kController) return mine;
  distrib::Outcome vote = Stamped(Topic::kMeet);
  vote.status = mine;
  return Vote(vote, "waits for the other ranks").status();
}

absl::StatusOr<std::string> Ranks::Share(absl::string_view mine) {
  if (mode_ == Mode::kController) return std::string(mine);
  FUSEAU_RETURN_IF_ERROR(
      Vote(Stamped(Topic::kShare), "asks for what the first rank has")
          .status());
  const Released released;
  auto all = group_->Gather(rank() == 0 ? mine : "");
  FUSEAU_RETURN_IF_ERROR(all.status());
  return (*all)[0];
}

// Machines may have different memory, and limits decide what is computed when.
absl::Status Ranks::ShareLimits() {
  std::vector<uint64_t> limits = WordsOf(options_);
  limits.push_back(static_cast<uint64_t>(window.max_bytes));
  FUSEAU_ASSIGN_OR_RETURN(const std::string bytes, Share(Bytes(limits)));
  limits = Words(bytes);
  window.max_bytes = static_cast<int64_t>(limits.back());
  limits.pop_back();
  options_ = OptionsOf(limits);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint64_t>> Ranks::HeldByAll() {
  std::vector<uint64_t> ids;
  for (const Node* node : holders_) ids.push_back(node->rank_value->id);
  std::sort(ids.begin(), ids.end());
  FUSEAU_RETURN_IF_ERROR(
      Vote(Stamped(Topic::kFetch), "fetches all arrays").status());
  absl::StatusOr<std::vector<std::string>> all;
  {
    const Released released;
    all = group_->Gather(Bytes(ids));
  }
  FUSEAU_RETURN_IF_ERROR(all.status());
  for (const std::string& bytes : *all) {
    std::vector<uint64_t> both;
    std::ranges::set_intersection(ids, Words(bytes), std::back_inserter(both));
    ids = std::move(both);
  }
  return ids;
}

}  // namespace fuseau

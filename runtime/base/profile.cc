#include "runtime/base/profile.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/settings.h"

namespace fuseau::profile {
namespace internal {
std::atomic<bool> on{false};
}  // namespace internal

namespace {

constexpr int64_t kMaxEvents = 500'000;
// Chunks of a worker with less between them are one event.
constexpr int64_t kPauseNanoseconds = 20'000;

// The events of one thread.
struct Buffer {
  std::mutex mutex;  // the thread's own but for the end of the profile
  std::string name;
  int rank = 0;
  uint64_t last_work = 0;
  std::vector<Event> events;
};

struct Session {
  std::mutex mutex;
  uint64_t number = 0;
  int64_t began = 0;
  int64_t max_events = kMaxEvents;
  std::atomic<int64_t> events{0};
  std::vector<std::shared_ptr<Buffer>> buffers;
  std::map<std::string, int32_t, std::less<>> names;
  std::map<std::vector<int32_t>, int32_t> lines;
  std::array<std::map<int32_t, int64_t>, kTallyCount> tallies;
};

// Never destroyed: threads may note something while the process ends.
std::atomic<Session*> session{nullptr};
std::atomic<uint64_t> session_number{0};

struct ThreadState {
  uint64_t session = 0;
  std::shared_ptr<Buffer> buffer;
  const char* name = nullptr;
  int rank = 0;
  Current current;
  const Evaluation* evaluation = nullptr;
  bool other_trace = false;
};
thread_local ThreadState self;

Session& TheSession() {
  static Session* const first = [] {
    // A child has a profile of its own, if any; the locks may be held.
    pthread_atfork(nullptr, nullptr, [] {
      internal::on.store(false);
      session.store(new Session);
      self.session = 0;
    });
    return new Session;
  }();
  Session* none = nullptr;
  session.compare_exchange_strong(none, first);
  return *session.load();
}

Buffer* BufferOfThread() {
  const uint64_t number = session_number.load(std::memory_order_acquire);
  if (self.session == number && self.buffer != nullptr) {
    return self.buffer.get();
  }
  auto buffer = std::make_shared<Buffer>();
  char system_name[16] = "";
  pthread_getname_np(pthread_self(), system_name, sizeof(system_name));
  buffer->name = self.name != nullptr ? self.name : system_name;
  buffer->rank = self.rank;
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  s.buffers.push_back(buffer);
  self.buffer = std::move(buffer);
  self.session = number;
  return self.buffer.get();
}

// Whether there is room for one more.
bool Admit() {
  Session& s = TheSession();
  return s.events.fetch_add(1, std::memory_order_relaxed) < s.max_events;
}

void AppendQuoted(std::string* out, absl::string_view text) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(out, "\\u%04x", c);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

template <typename List, typename Append>
void AppendList(std::string* out, const List& list, Append append) {
  out->push_back('[');
  bool first = true;
  for (const auto& item : list) {
    if (!std::exchange(first, false)) out->push_back(',');
    append(item);
  }
  out->push_back(']');
}

// The keys of a map of numbers, by number.
template <typename Key, typename Map>
std::vector<Key> ByNumber(const Map& numbers) {
  std::vector<Key> keys(numbers.size() + 1);
  for (const auto& [key, number] : numbers) {
    keys[static_cast<size_t>(number)] = key;
  }
  return keys;
}

constexpr absl::string_view kColumns =
    R"(["kind","name","begin","time","bytes","flops","number","lines","line","peer"])";

void AppendEvent(std::string* out, const Event& e, int64_t began) {
  absl::StrAppend(out, static_cast<int>(e.kind), ",", e.name, ",",
                  e.begin - began, ",", e.end - e.begin, ",", e.bytes, ",");
  absl::StrAppend(out, static_cast<int64_t>(e.flops), ",", e.number, ",",
                  e.lines, ",", e.line, ",", e.peer);
}

}  // namespace

absl::string_view NameOf(Kind kind) {
  static constexpr absl::string_view kNames[kKindCount] = {
      "evaluation", "direct run", "interpreter", "kernel",  "routine",
      "copy",       "work",       "wait",        "compile", "stage",
      "exchange",   "send",       "numpy",       "memory"};
  return kNames[static_cast<int>(kind)];
}

absl::string_view NameOf(Tally tally) {
  static constexpr absl::string_view kNames[kTallyCount] = {
      "element_reads", "iterations", "element_writes"};
  return kNames[static_cast<int>(tally)];
}

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int32_t Intern(absl::string_view text) {
  if (text.empty()) return 0;
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  const auto found = s.names.find(text);
  if (found != s.names.end()) return found->second;
  const int32_t number = static_cast<int32_t>(s.names.size()) + 1;
  s.names.emplace(std::string(text), number);
  return number;
}

int32_t LinesOf(std::vector<int32_t> lines) {
  lines.erase(std::remove(lines.begin(), lines.end(), 0), lines.end());
  if (lines.empty()) return 0;
  std::sort(lines.begin(), lines.end());
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  const int32_t number = static_cast<int32_t>(s.lines.size()) + 1;
  return s.lines.try_emplace(std::move(lines), number).first->second;
}

void Note(const Event& event) {
  if (!On() || !Admit()) return;
  Buffer* const buffer = BufferOfThread();
  const std::lock_guard lock(buffer->mutex);
  buffer->events.push_back(event);
}

void Count(Tally tally, int32_t line) {
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  ++s.tallies[static_cast<size_t>(tally)][line];
}

void Scope::Begin(Kind kind, absl::string_view name) {
  noted_ = true;
  session_ = session_number.load(std::memory_order_acquire);
  event_.kind = kind;
  event_.name = Intern(name);
  event_.lines = self.current.lines;
  outer_name_ = std::exchange(self.current.name, event_.name);
  outer_lines_ = self.current.lines;
  event_.begin = Now();
}

void Scope::End() {
  event_.end = Now();
  self.current = {outer_name_, outer_lines_};
  if (session_ == session_number.load(std::memory_order_acquire)) Note(event_);
}

Current CurrentOfThread() { return self.current; }

void NoteWork(const Current& of, uint64_t work, int64_t begin, int64_t end) {
  if (!On()) return;
  Buffer* const buffer = BufferOfThread();
  const std::lock_guard lock(buffer->mutex);
  if (!buffer->events.empty() && buffer->last_work == work) {
    Event& last = buffer->events.back();
    if (last.kind == Kind::kWork && last.name == of.name &&
        begin - last.end < kPauseNanoseconds) {
      last.end = end;
      return;
    }
  }
  if (!Admit()) return;
  Event event;
  event.kind = Kind::kWork;
  event.name = of.name;
  event.lines = of.lines;
  event.begin = begin;
  event.end = end;
  buffer->last_work = work;
  buffer->events.push_back(event);
}

Evaluation::Evaluation(absl::Span<const int32_t> node_lines)
    : node_lines_(node_lines), outer_(self.evaluation) {
  if (!On()) return;
  all_ = LinesOf({node_lines.begin(), node_lines.end()});
  self.evaluation = this;
  self.current.lines = all_;
}

Evaluation::~Evaluation() {
  self.evaluation = outer_;
  self.current.lines = outer_ != nullptr ? outer_->all_ : 0;
}

int32_t Evaluation::LinesOfNodes(absl::Span<const int32_t> nodes) {
  if (self.evaluation == nullptr) return 0;
  const absl::Span<const int32_t> known = self.evaluation->node_lines_;
  if (nodes.empty() || self.other_trace) return self.evaluation->all_;
  std::vector<int32_t> lines;
  for (const int32_t node : nodes) {
    if (node < 0 || node >= static_cast<int32_t>(known.size())) {
      return self.evaluation->all_;
    }
    lines.push_back(known[static_cast<size_t>(node)]);
  }
  return LinesOf(std::move(lines));
}

OtherTrace::OtherTrace() : outer_(std::exchange(self.other_trace, true)) {}
OtherTrace::~OtherTrace() { self.other_trace = outer_; }

void NameThread(const char* name) { self.name = name; }
void SetRankOfThread(int rank) { self.rank = rank; }
int RankOfThread() { return self.rank; }

std::string Quoted(absl::string_view text) {
  std::string out;
  AppendQuoted(&out, text);
  return out;
}

bool Start() {
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  if (On()) return false;
  s.buffers.clear();
  s.names.clear();
  s.lines.clear();
  for (auto& tally : s.tallies) tally.clear();
  s.events = 0;
  s.max_events = SettingInt("FUSEAU_PROFILE_EVENTS", kMaxEvents);
  s.began = Now();
  session_number.fetch_add(1, std::memory_order_acq_rel);
  internal::on.store(true);
  return true;
}

std::string Stop(absl::Span<const std::string> lines) {
  internal::on.store(false);
  Session& s = TheSession();
  const std::lock_guard lock(s.mutex);
  std::string out = "{\"kinds\":[";
  for (int k = 0; k < kKindCount; ++k) {
    if (k > 0) out.push_back(',');
    AppendQuoted(&out, NameOf(static_cast<Kind>(k)));
  }
  absl::StrAppend(&out, "],\"columns\":", kColumns, ",\"began\":", s.began,
                  ",\"ended\":", Now(), ",\"dropped\":",
                  std::max<int64_t>(0, s.events.load() - s.max_events),
                  ",\"names\":");
  auto quote = [&](const std::string& text) { AppendQuoted(&out, text); };
  AppendList(&out, ByNumber<std::string>(s.names), quote);
  absl::StrAppend(&out, ",\"places\":");
  AppendList(&out, lines, quote);
  absl::StrAppend(&out, ",\"lines\":");
  AppendList(&out, ByNumber<std::vector<int32_t>>(s.lines),
             [&](const std::vector<int32_t>& set) {
               AppendList(&out, set,
                          [&](int32_t line) { absl::StrAppend(&out, line); });
             });
  absl::StrAppend(&out, ",\"tallies\":{");
  for (int t = 0; t < kTallyCount; ++t) {
    if (t > 0) out.push_back(',');
    AppendQuoted(&out, NameOf(static_cast<Tally>(t)));
    out.push_back(':');
    AppendList(&out, s.tallies[static_cast<size_t>(t)], [&](const auto& row) {
      absl::StrAppend(&out, "[", row.first, ",", row.second, "]");
    });
  }
  absl::StrAppend(&out, "},\"threads\":");
  AppendList(&out, s.buffers, [&](const std::shared_ptr<Buffer>& buffer) {
    const std::lock_guard of_thread(buffer->mutex);
    absl::StrAppend(&out, "{\"name\":");
    AppendQuoted(&out, buffer->name);
    absl::StrAppend(&out, ",\"rank\":", buffer->rank, ",\"events\":");
    AppendList(&out, buffer->events,
               [&](const Event& e) { AppendEvent(&out, e, s.began); });
    out.push_back('}');
    buffer->events = {};
  });
  out.push_back('}');
  s.buffers.clear();
  return out;
}

}  // namespace fuseau::profile
